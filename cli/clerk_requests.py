"""What the clerk's commands share: they send requests under a name that the store records."""

from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, TypeVar

from rich.table import Table

from bus.contract.channel import role_of
from bus.contract.errors import ConfigurationError
from bus.contract.values import Model
from bus.link import MqttConnector
from bus.runtime.admission import validate
from bus.runtime.caller import Caller
from bus.text.console import output
from store.address import broker_url
from store.settings import read_settings

ModelT = TypeVar("ModelT", bound=Model)
T = TypeVar("T")
Connect = Callable[[], AbstractAsyncContextManager[Caller]]
"""Connects to the store under a clerk's name."""


def connected(broker: str | None, site: str | None, data: Path | None, by: str) -> Connect:
    """Return how to connect to the store.

    Args:
        broker: its URL, if given.
        site: the store's site, if given.
        data: its folder, if given.
        by: the name to connect under.

    Raises:
        ConfigurationError: the name is not a tester's or console's.
    """
    require_clerk_name(by)
    settings = read_settings(site=site, data=data)
    connector = MqttConnector(broker_url(broker, settings))
    return Caller(connector, settings.site, by).connected


def require_clerk_name(by: str) -> None:
    """Raise `ConfigurationError` unless the name is a tester's or console's."""
    if role_of(by) not in ("tester", "console"):
        raise ConfigurationError(
            f"{by!r} is not the name of a tester or console, such as tester-ann."
        )


async def ask(clerk: Connect, question: Callable[[Caller], Awaitable[T]]) -> T:
    """Connect, and ask one question."""
    async with clerk() as caller:
        return await question(caller)


def as_model(model: type[ModelT], fields: dict[str, Any]) -> ModelT:
    """Validate what was typed against the contract.

    Raises:
        InvalidField: names the first wrong field and says what is wrong.
    """
    read = validate(model, fields)
    assert isinstance(read, model)
    return read


def reason(why: str | None, example: str) -> str:
    """Return the text of --why.

    Raises:
        ConfigurationError: it is missing or blank.
    """
    if why is None or not why.strip():
        raise ConfigurationError(f'Give the reason, for later readers: --why "{example}".')
    return why


def print_table(rows: Iterable[tuple[str, ...]], *heading: str) -> None:
    """Print rows of text under a heading; the first column, the time, is never cut."""
    first, *others = heading
    table = Table()
    table.add_column(f"{first} (UTC)", no_wrap=True)
    for each in others:
        table.add_column(each, overflow="fold")
    for at, *cells in rows:
        table.add_row(at[:16].replace("T", " "), *cells)
    output.print(table)
