"""`storebus play` itself: what it prints, its report, its exit codes, and its documentation."""

import asyncio
import re
import shlex
from asyncio.subprocess import PIPE
from collections.abc import Iterator
from pathlib import Path

import pytest
from junitparser import Failure, JUnitXml, TestSuite
from running_store import RunBroker
from store_process import STOREBUS, free_port, running_store_process, storebus

from bus.link import MqttConnector
from cli.main import main
from testing.scenario.model import VERBS
from testing.scenario.pattern import OPERATORS
from testing.scenario.reading import read_scenarios
from testing.scenario.report import SilentReport
from testing.scenario.runner import PlayTarget, play, simulate

DOCUMENT = Path(__file__).parents[2] / "docs" / "scenarios.md"

FAILING = """\
store: {clock: virtual}
goods: {MUG: 2}
accounts: {ann: 5000}
scenarios:
  - scenario: A sold-out mug is sold \u202e
    steps:
      - send: {from: terminal-1, to: settlement, op: purchase, data: &mugs {
          lines: [{sku: "${MUG}", quantity: 3}], payment: {method: account, account: "${ann}"},
          expected_total: {amount: 3000, currency: EUR}}}
        reply: {state: settled}
      - expect: {op: remind}
  - scenario: A reminder that does not come
    steps:
      - send: {from: terminal-1, to: catalog, op: search, data: {text: mug}}
      - expect: {op: search, kind: rep, data: {products: [{styles: [{available: 7}]}]}}
        within: 2min
      - expect: {op: remind}
  - scenario: A fault that meets nothing
    steps:
      - drop: op:remind
      - quiet: 1s
  - scenario: One that passes
    steps:
      - send: {from: terminal-1, to: catalog, op: search, data: {text: mug}}
        reply: {products: [{styles: [{available: 2}]}]}
      - expect none: {op: reserve}
"""

ABROAD = """\
goods: {MUG: 2}
accounts: {ann: 5000}
scenarios:
  - scenario: A customer of a store that runs already buys a mug and is reminded
    steps:
      - send: {from: terminal-1, to: settlement, op: purchase, data: {
          lines: [{sku: "${MUG}", quantity: 1}], payment: {method: account, account: "${ann}"},
          expected_total: {amount: 1000, currency: EUR}}}
        reply: {state: settled, order: {$as: order}}
      - expect: {kind: req, op: pick, data: {order: "${order}"}}
      - expect none: {kind: rep, op: purchase, status: 409}
        within: 50ms
"""


async def test_a_failing_scenario_says_what_came_instead_and_at_which_line(tmp_path: Path) -> None:
    path, report = tmp_path / "failing.yaml", tmp_path / "report.xml"
    path.write_text(FAILING)
    code, out, _ = await storebus("play", str(path), "--junit", str(report))
    assert code == 1
    assert re.search(r"✗ +7 .*terminal-1 → settlement purchase is answered", out)
    assert "settlement refused: 409 sold-out" in out
    assert "\u202e" not in out
    assert "1 more steps were not played" in out
    assert re.search(r"✗ +15 .*expect search answer", out)
    assert re.search(r"nothing like it came within 120 s; of \d+ messages, the nearest:", out)
    assert "data.products[0].styles[0].available is 2, not 7" in out
    assert "line 20: drop met no message" in out
    assert "4 scenarios: 1 passed, 3 failed" in out
    assert f"{path}:7" in out

    (suite,) = JUnitXml.fromfile(str(report))
    assert isinstance(suite, TestSuite)
    assert (suite.tests, suite.failures) == (4, 3)
    first, *_, last = suite
    (failure,) = first.result
    assert isinstance(failure, Failure)
    assert "409 sold-out" in str(failure.text)
    assert f"{path}:7" in str(failure.message)
    assert (last.name, last.result) == ("One that passes", [])


def _played(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """The command within this process: its exit code and what it printed."""
    with pytest.raises(SystemExit) as ended:
        main(["play", *arguments])
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


def test_it_plays_what_was_chosen_shows_messages_and_reads_without_playing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "failing.yaml"
    path.write_text(FAILING)
    code, out, _ = _played(capsys, str(path), "--only", "PASSES", "--verbose")
    assert code == 0
    assert "1 scenarios: 1 passed" in out
    assert "rep   catalog → terminal-1 search" in out
    code, out, _ = _played(capsys, str(path), "--check")
    assert (code, out) == (0, "4 scenarios can be played.\n")
    code, out, _ = _played(capsys, str(path), "--first")
    assert code == 1
    assert "1 scenarios: 0 passed, 1 failed" in out


def test_the_old_form_of_a_reply_template_is_noted_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "old.yaml"
    respond = "respond: {as: sorter-9, op: pick, data: {job: '%s', accepted: true}}"
    send = (
        "send: {from: warehouse, to: sorter-9, op: pick, data: {job: j}}\n        reply: {job: j}"
    )
    head = "scenarios:\n  - scenario: old\n    store: {clock: virtual}\n    steps:\n"
    for template in ("{{data.job}}", "${request.data.job}"):
        path.write_text(f"{head}      - {respond % template}\n      - {send}\n")
        code, out, err = _played(capsys, str(path))
        assert code == 0, out
        note = f"{path}:5: {{{{data.order}}}} is now written ${{request.data.order}}; the next"
        assert err.startswith(note if template.startswith("{{") else "")
        assert err.count("\n") == template.startswith("{{")


def test_a_reply_template_names_the_request_only_in_a_reply(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "misplaced.yaml"
    path.write_text(
        "scenarios:\n  - scenario: misplaced\n    steps:\n"
        "      - send: {from: terminal-1, to: catalog, op: search, data: {text: '${request.id}'}}\n"
    )
    code, _, err = _played(capsys, str(path), "--check")
    assert code == 2
    assert "there is no variable request here yet" in err


def test_wrong_usage_ends_with_2_and_no_broker_with_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad, crash, virtual, good = (
        tmp_path / f"{name}.yaml" for name in ("bad", "crash", "virtual", "good")
    )
    bad.write_text("scenarios:\n  - scenario: One\n    steps:\n      - jump: high\n")
    crash.write_text("scenarios:\n  - scenario: One\n    steps:\n      - crash: catalog\n")
    virtual.write_text(FAILING)
    good.write_text(ABROAD)
    url = f"mqtt://127.0.0.1:{free_port()}"
    for arguments, code, why in (
        ((bad,), 2, f"{bad}:4: scenarios.0.steps.0: a step is exactly one of"),
        ((crash, "--broker", url), 2, f"{crash}:4: nodes can be crashed only in a store"),
        ((virtual, "--broker", url), 2, f"{virtual}:5: time can be simulated only in a store"),
        ((good, "--engine", "steam"), 2, "--engine takes auto, mosquitto or embedded"),
        ((good, "--engine", "auto", "--broker", url), 2, "Give --engine or --broker"),
        ((good, "--only", "nobody"), 2, "No scenario has 'nobody' in its name"),
        ((good, "--junit", tmp_path / "no" / "x.xml", "--check"), 2, "there is no folder"),
        ((good, "--broker", url), 3, "No broker"),
    ):
        found, _, err = _played(capsys, *map(str, arguments))
        assert found == code, err
        assert why in err


async def test_a_reader_that_leaves_is_no_failure(tmp_path: Path) -> None:
    path = tmp_path / "failing.yaml"
    path.write_text(FAILING)
    play = f"{shlex.join(STOREBUS)} play {path} --only passes"
    process = await asyncio.create_subprocess_exec(
        "bash", "-c", f"set -o pipefail; {play} | head -n 1", stdout=PIPE, stderr=PIPE
    )
    out, err = await process.communicate()
    assert (process.returncode, err) == (0, b"")
    assert out.decode().strip() == str(path)


async def test_it_plays_twice_in_a_store_that_runs_already(tmp_path: Path) -> None:
    path = tmp_path / "abroad.yaml"
    path.write_text(ABROAD)
    async with running_store_process(tmp_path / "data") as store:
        for _ in range(2):
            code, out, err = await storebus("play", str(path), "--broker", store.url)
            assert code == 0, out + err


def _examples() -> Iterator[str]:
    yield from re.findall(r"```yaml\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)


@pytest.mark.parametrize("number", range(len(list(_examples()))))
def test_an_example_of_the_documentation_passes(number: int, tmp_path: Path) -> None:
    path = tmp_path / "example.yaml"
    path.write_text(list(_examples())[number])
    for scenario in read_scenarios([path]):
        # Whatever clock it has: an example shows the format, and in simulated time it is quick.
        assert [result.failed for result in simulate(scenario, SilentReport())] == [None] * len(
            scenario.cases
        )


def test_the_documentation_names_every_step_and_operator() -> None:
    text = DOCUMENT.read_text()
    assert not [each for each in (*VERBS, *OPERATORS) if f"`{each}" not in text]


async def test_a_scenario_that_needs_another_broker_is_skipped(
    run_broker: RunBroker, tmp_path: Path
) -> None:
    path = tmp_path / "needs.yaml"
    path.write_text(ABROAD + "    engines: [mosquitto]\n")
    target = PlayTarget(MqttConnector(run_broker("embedded").url), "embedded")
    (scenario,) = read_scenarios([path])
    (result,) = await play(scenario, target, SilentReport())
    assert result.skipped == "it needs mosquitto"


def test_none_is_not_broken_by_a_repetition_but_by_a_second_message(tmp_path: Path) -> None:
    path = tmp_path / "none.yaml"
    path.write_text(
        "store: {clock: virtual}\nscenarios:\n"
        + "".join(
            f"  - scenario: One with {second}\n    steps:\n"
            "      - send: {from: terminal-9, to: catalog, op: search, id: a, data: {text: x}}\n"
            "      - expect: {kind: req, op: search, id: a}\n"
            f"      - send: {{from: terminal-9, to: catalog, op: search, id: {second},"
            " data: {text: x}}\n"
            "      - expect: {kind: rep, op: search, answers: a}\n"
            "      - expect none: {kind: req, op: search}\n"
            for second in ("a", "b")
        )
    )
    again, another = (simulate(scenario, SilentReport())[0] for scenario in read_scenarios([path]))
    assert again.failed is None
    assert "this came:\nreq   terminal-9 → catalog search" in str(another.failed).replace(
        "\n  ", "\n"
    )
