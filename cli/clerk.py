"""What the commands of a clerk share: they ask the store in a name that it remembers."""

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
Connected = Callable[[], AbstractAsyncContextManager[Caller]]
"""Connects to the store, in a clerk's name."""


def connected(broker: str | None, site: str | None, data: Path | None, by: str) -> Connected:
    """How to reach the store.

    Args:
        broker: its URL, if given.
        site: of the store, if given.
        data: its folder, if given.
        by: in whose name.

    Raises:
        ConfigurationError: the name is none of a tester or console.
    """
    refuse_stranger(by)
    settings = read_settings(site=site, data=data)
    connector = MqttConnector(broker_url(broker, settings))
    return Caller(connector, settings.site, by).connected


def refuse_stranger(by: str) -> None:
    """Raise `ConfigurationError` if a name is none of a tester or console."""
    if role_of(by) not in ("tester", "console"):
        raise ConfigurationError(f"{by!r} is no tester's or console's name, such as tester-ann.")


async def ask(clerk: Connected, question: Callable[[Caller], Awaitable[T]]) -> T:
    """Connect, and ask."""
    async with clerk() as caller:
        return await question(caller)


def as_model(model: type[ModelT], fields: dict[str, Any]) -> ModelT:
    """What was typed, as the contract wants it.

    Raises:
        InvalidField: names the first wrong field and says what is wrong.
    """
    read = validate(model, fields)
    assert isinstance(read, model)
    return read


def reason(why: str | None, example: str) -> str:
    """What was given as --why.

    Raises:
        ConfigurationError: nothing, or blanks.
    """
    if why is None or not why.strip():
        raise ConfigurationError(f'Say why, for those who look later: --why "{example}".')
    return why


def print_table(rows: Iterable[tuple[str, ...]], *heading: str) -> None:
    """Print rows of text under a heading; the first column, when it was, is never cut."""
    first, *others = heading
    table = Table()
    table.add_column(f"{first} (UTC)", no_wrap=True)
    for each in others:
        table.add_column(each, overflow="fold")
    for at, *cells in rows:
        table.add_row(at[:16].replace("T", " "), *cells)
    output.print(table)
