"""The context in which the steps of a scenario are played."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bus.contract.channel import Operation
from bus.contract.errors import BrokenReply, NoAnswer
from bus.contract.values import Model
from store.composition import until_quiet
from testing.scenario.fault_injection import FaultInjector
from testing.scenario.in_process_store import InProcessStore
from testing.scenario.scenario_client import ScenarioClient


@dataclass(frozen=True, slots=True)
class ScenarioContext:
    """What the steps of a scenario act on."""

    client: ScenarioClient
    store: InProcessStore | None
    """None if the scenario is played in a store that already runs."""
    faults: FaultInjector
    variables: dict[str, Any]


async def wait_until_quiet(
    context: ScenarioContext, seconds: float, look: Callable[[], None]
) -> bool:
    """Wait until no node has anything left to do.

    Args:
        context: the store.
        seconds: the longest time to wait.
        look: called after each round of questions.

    Returns:
        Whether the store became quiet in time.
    """

    async def ask(operation: Operation[Any, Any], node: str, data: Model) -> Any:
        found = await context.client.ask(node, operation.name, data, seconds)
        return operation.reply.model_validate(found)

    def is_busy() -> bool:
        look()
        return context.faults.pending

    try:
        async with asyncio.timeout(seconds):
            await until_quiet(ask, _nodes(context), is_busy)
    except BrokenReply:
        raise
    except (TimeoutError, NoAnswer):
        return False
    return True


def _nodes(context: ScenarioContext) -> list[str]:
    return (
        ["catalog", "settlement", "warehouse"] if context.store is None else context.store.running()
    )
