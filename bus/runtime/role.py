"""What a node plays: tables from channels to handlers."""

import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from bus.contract.channel import Event, Operation, State
from bus.contract.every import Alarm
from bus.contract.values import Model
from bus.runtime.requests import Answer, Observed, Request
from bus.runtime.unit_of_work import UnitOfWork
from bus.storage.journal import Schema

DataT = TypeVar("DataT", bound=Model)


@dataclass(frozen=True, slots=True)
class Timer(Generic[DataT]):
    """A command to oneself that is not due yet."""

    name: str
    data: type[DataT]
    due: Callable[[UnitOfWork, DataT], None]


@dataclass(frozen=True, slots=True)
class Adapter(Generic[DataT]):
    """A command whose other end is a provider or a machine instead of the bus.

    `call` is given the idempotency key and the data; whatever it raises makes it be called again
    with the same key, so an unknown outcome is asked for until it is known.
    """

    name: str
    data: type[DataT]
    call: Callable[[str, DataT], Awaitable[Any]]
    done: Callable[[UnitOfWork, DataT, Any], None]
    serves: str = "machine"
    """What it calls, as people say it: `payment provider`, `screen` ..."""


@dataclass(slots=True)
class Role:
    """One role or device; built by the `role.py` of each."""

    kind: str
    """What the contract calls it: `catalog`, `sorter` ..."""
    schemas: tuple[Schema, ...]
    """Its tables, in the order in which they are made."""
    queries: Mapping[Operation[Any, Any], Callable[[sqlite3.Connection, Request[Any]], Model]] = (
        field(default_factory=dict)
    )
    """Answered at once from memory or a read-only connection; a refusal is a raised Problem."""
    long_queries: frozenset[Operation[Any, Any]] = frozenset()
    """Those of the queries that may read many rows. They are carried out in a thread, one after
    the other, and hold up nobody else: so they may use nothing but the database."""
    commands: Mapping[Operation[Any, Any], Callable[[UnitOfWork, Request[Any]], Model | None]] = (
        field(default_factory=dict)
    )
    """Carried out in the batch's transaction; None means that the answer comes later."""
    answers: Mapping[Operation[Any, Any], Callable[[UnitOfWork, Answer[Any]], None]] = field(
        default_factory=dict
    )
    """What to do with the replies to one's own commands."""
    asks_on: frozenset[Operation[Any, Any]] = frozenset()
    """Commands whose outcome is asked for after they have timed out, until it is known: then
    their handlers are called a second time."""
    watches: Mapping[State[Any], Callable[[UnitOfWork, Observed[Any]], None]] = field(
        default_factory=dict
    )
    """What to do when another node's state changes."""
    hears: Mapping[Event[Any] | State[Any], Callable[[str, Any], None]] = field(
        default_factory=dict
    )
    """Called outside any transaction with what a node says of itself; nothing may depend on it."""
    timers: tuple[Timer[Any], ...] = ()
    adapters: tuple[Adapter[Any], ...] = ()
    started: Callable[[UnitOfWork], None] = lambda _: None
    """The first transaction of each start."""
    states: Callable[[sqlite3.Connection], Iterable[tuple[State[Any], Model]]] = lambda _: ()
    """The states to show at each connection, and now and then. A state that a unit of work has
    shown is shown again as it was shown last, whatever is said here."""
    alarms: Callable[[sqlite3.Connection], Iterable[Alarm]] = lambda _: ()
    """What is wrong here now; the runtime adds what it notices itself."""
    committed: Callable[[sqlite3.Connection, frozenset[str]], None] = lambda _, __: None
    """Called after a commit with what was touched, to refresh what is kept in memory."""
