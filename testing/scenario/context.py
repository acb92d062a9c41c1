"""Where the steps of a scenario are played, and when nothing more happens there."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bus.contract.errors import BrokenReply, NoAnswer
from bus.contract.every import ABOUT
from bus.contract.values import Empty
from testing.scenario.fault_injection import Faults
from testing.scenario.in_process_store import OwnStore
from testing.scenario.scenario_client import Stage

_LOOK_AGAIN = 0.02
"""Seconds after which nodes that were busy are asked again."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Where the steps of a scenario are played."""

    stage: Stage
    store: OwnStore | None
    """None if it is one that runs already."""
    faults: Faults
    variables: dict[str, Any]


async def until_quiet(scene: Scene, seconds: float, look: Callable[[], None]) -> bool:
    """Wait until no node has anything left to do; twice in a row, for work moves about.

    Returns:
        Whether that came about in time.
    """
    quiet = 0
    try:
        async with asyncio.timeout(seconds):
            while True:
                asks = [
                    scene.stage.ask(name, ABOUT.name, Empty(), seconds) for name in _nodes(scene)
                ]
                abouts = await asyncio.gather(*asks)
                busy = scene.faults.pending or any(about["outbox"] for about in abouts)
                look()
                quiet = 0 if busy else quiet + 1
                if quiet == 2:  # noqa: PLR2004 - see above
                    return True
                await asyncio.sleep(_LOOK_AGAIN if busy else 0)
    except BrokenReply:
        raise
    except (TimeoutError, NoAnswer):
        return False


def _nodes(scene: Scene) -> list[str]:
    return ["catalog", "settlement", "warehouse"] if scene.store is None else scene.store.running()
