"""Plays all scenarios of a command, on one broker."""

import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from broker.engine import running_broker
from broker.settings import BrokerSettings
from bus.contract.errors import ConfigurationError
from bus.link import MqttConnector
from testing.scenario.reading import Scenario
from testing.scenario.report import ProgressReport
from testing.scenario.result import ScenarioResult
from testing.scenario.runner import PlayTarget, play

LARGEST = 128 * 1024
"""Bytes of a payload that a scenario may send: more than the bus takes."""


async def play_all(
    scenarios: list[Scenario], engine: str | None, broker: str | None, site: str,
    results: list[ScenarioResult], *, first: bool, verbose: bool,
) -> None:  # fmt: skip
    """Play scenarios, on a broker that is started for them unless one is given.

    Args:
        scenarios: what to play.
        engine: of the broker that is started; the usual choice if None.
        broker: the URL of a broker where a store runs.
        site: of that store.
        results: where the results are added, also if this is interrupted.
        first: end at the first scenario that fails.
        verbose: print every message.

    Raises:
        BrokerError: there is no broker.
    """
    report = ProgressReport(verbose=verbose)
    async with AsyncExitStack() as stack:
        target = None
        if broker is not None:
            target = _at(broker, "external", site)
        elif any(scenario.store.clock == "real" for scenario in scenarios):
            target = await _own_broker(stack, engine)
        for scenario in scenarios:
            played = await play(scenario, target, report)
            results += played
            if first and any(result.failed for result in played):
                return


async def _own_broker(stack: AsyncExitStack, engine: str | None) -> PlayTarget:
    """A broker that is started on a free port."""
    folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="storebus-play-"))
    settings = BrokerSettings.model_validate({"engine": engine or "auto", "port": 0})
    running = await stack.enter_async_context(running_broker(settings, Path(folder)))
    return _at(running.url, running.engine)


def _at(url: str, engine: str, site: str | None = None) -> PlayTarget:
    return PlayTarget(MqttConnector(url), engine, MqttConnector(url, largest=LARGEST), site)


def require_playable_in_running_store(scenarios: list[Scenario]) -> None:
    """Check that no scenario needs a store of its own.

    Raises:
        ConfigurationError: one does; says what for.
    """
    for scenario in scenarios:
        why = scenario.own_store
        if why is not None:
            raise ConfigurationError(
                f"{why} only in a store that is started here, without --broker."
            )
