"""The context in which the steps of a scenario are played."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bus.contract.errors import BrokenReply, NoAnswer
from bus.contract.every import ABOUT
from bus.contract.values import Empty
from testing.scenario.fault_injection import FaultInjector
from testing.scenario.in_process_store import InProcessStore
from testing.scenario.scenario_client import ScenarioClient

_LOOK_AGAIN = 0.02
"""Seconds after which busy nodes are asked again."""


@dataclass(frozen=True, slots=True)
class ScenarioContext:
    """What the steps of a scenario act on."""

    client: ScenarioClient
    store: InProcessStore | None
    """None if the scenario is played in a store that already runs."""
    faults: FaultInjector
    variables: dict[str, Any]


async def until_quiet(context: ScenarioContext, seconds: float, look: Callable[[], None]) -> bool:
    """Wait until no node has anything left to do, twice in a row: work moves between nodes.

    Args:
        context: the store.
        seconds: the longest time to wait.
        look: called after each round of questions.

    Returns:
        Whether the store became quiet in time.
    """
    quiet = 0
    try:
        async with asyncio.timeout(seconds):
            while True:
                asks = [
                    context.client.ask(name, ABOUT.name, Empty(), seconds)
                    for name in _nodes(context)
                ]
                abouts = await asyncio.gather(*asks)
                busy = context.faults.pending or any(about["outbox"] for about in abouts)
                look()
                quiet = 0 if busy else quiet + 1
                if quiet == 2:  # noqa: PLR2004 - see above
                    return True
                await asyncio.sleep(_LOOK_AGAIN if busy else 0)
    except BrokenReply:
        raise
    except (TimeoutError, NoAnswer):
        return False


def _nodes(context: ScenarioContext) -> list[str]:
    return (
        ["catalog", "settlement", "warehouse"] if context.store is None else context.store.running()
    )
