"""A headless terminal that runs for as long as a command needs it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from rich.text import Text

from bus.contract.channel import role_of
from bus.contract.errors import ConfigurationError, Expired, first_error
from bus.contract.terminal import Remind
from bus.link import MqttConnector
from bus.runtime.deployment import Deployment
from bus.text.console import errors
from devices.terminal.domain import Bought
from devices.terminal.role import Terminal
from store.settings import Settings

TOO_LATE = "the store could not begin the purchase in time. Nothing was charged."


def terminal_name(name: str) -> str:
    """Return the name if it is a terminal's.

    Raises:
        ConfigurationError: it is not.
    """
    if role_of(name) != "terminal":
        raise ConfigurationError(f"{name} is not the name of a terminal, such as terminal-7.")
    return name


def show_outcome(bought: Bought) -> None:
    """Print, on standard error, the outcome of a purchase that nobody waits for any more."""
    if bought.receipt is not None:
        order, code = bought.receipt.order, bought.receipt.pickup_code
        what = f" order {order}; pickup code "
        settled = ("An earlier purchase is settled:", "bold")
        errors.print(Text.assemble(settled, what, (code, "bold")))
    elif bought.problem is not None:
        problem = bought.problem
        why = TOO_LATE if problem.code == Expired.code else problem.detail
        errors.print(
            Text.assemble(("An earlier purchase was not made:", "bold"), f" {why}"), soft_wrap=True
        )


@asynccontextmanager
async def running_terminal(
    name: str, url: str, settings: Settings, show: Callable[[Remind], None] = lambda _: None
) -> AsyncIterator[Terminal]:
    """A terminal on the bus inside the context; its reminders are passed to `show`.

    Raises:
        BrokerError: there is no broker at the URL.
        RoleTakenError: the same terminal runs elsewhere.
        ConfigurationError: not the name of a terminal.
    """
    terminal_name(name)
    deployment = Deployment(MqttConnector(url), settings.site, settings.data, settings.runtime)
    async with running_at(deployment, name, settings.purchase_patience, show) as terminal:
        yield terminal


@asynccontextmanager
async def running_at(
    deployment: Deployment,
    name: str = "terminal-1",
    patience: float = 60.0,
    show: Callable[[Remind], None] = lambda _: None,
) -> AsyncIterator[Terminal]:
    """Like `running_terminal`, on a given deployment."""
    terminal = Terminal(name, deployment, show, patience, learned=show_outcome)
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(terminal.run(), name=name)
            await terminal.node.ready.wait()
            try:
                yield terminal
            finally:
                terminal.node.stop()
    except ExceptionGroup as group:
        raise first_error(group) from None
