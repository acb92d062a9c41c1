"""The acceptance tests of the selling flow, played over both brokers or on a virtual clock."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from running_store import RunBroker

from bus.link import MqttConnector
from testing.scenario.reading import Scenario, read_scenarios
from testing.scenario.report import SilentReport
from testing.scenario.result import ScenarioResult
from testing.scenario.runner import PlayTarget, play, simulate
from testing.scenario.session import LARGEST

SCENARIOS = read_scenarios([Path(__file__).parents[1] / "scenarios"])
REAL = [each for each in SCENARIOS if each.store.clock == "real"]
VIRTUAL = [each for each in SCENARIOS if each.store.clock == "virtual"]
FEWEST = 30


def _named(scenario: Scenario) -> str:
    return f"{scenario.source.path.stem}-{scenario.line}"


def _verdict(results: list[ScenarioResult]) -> None:
    failed = [result.failed for result in results if result.failed]
    assert not failed, "\n".join(f"\n{each}" for each in failed)
    skipped = {result.skipped for result in results}
    if skipped != {None}:
        pytest.skip(str(skipped.pop()))


@pytest.mark.parametrize("engine", ["mosquitto", "embedded"])
@pytest.mark.parametrize("scenario", REAL, ids=_named)
async def test_over_a_broker(scenario: Scenario, engine: str, run_broker: RunBroker) -> None:
    broker = run_broker("mosquitto" if engine == "mosquitto" else "embedded")
    tester = MqttConnector(broker.url, largest=LARGEST)
    target = PlayTarget(MqttConnector(broker.url), engine, tester)
    _verdict(await play(scenario, target, SilentReport()))


@pytest.mark.parametrize("scenario", VIRTUAL, ids=_named)
def test_on_a_virtual_clock(scenario: Scenario) -> None:
    _verdict(simulate(scenario, SilentReport()))


def test_there_are_many_and_each_is_named_by_a_sentence_of_its_own() -> None:
    names = [scenario.name for scenario in SCENARIOS]
    assert len(names) >= FEWEST
    assert len(set(names)) == len(names)
    assert all(len(name.split()) >= 4 for name in names)


def _files() -> Iterator[Path]:
    yield from sorted({scenario.source.path for scenario in SCENARIOS})


@pytest.mark.parametrize("path", _files(), ids=lambda path: path.stem)
def test_a_file_says_what_it_is_about(path: Path) -> None:
    assert path.read_text().startswith("about: ")
