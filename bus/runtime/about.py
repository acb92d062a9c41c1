"""What every node says about itself when it is asked."""

import sqlite3
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bus.contract.every import ABOUT, PING, About, Pong
from bus.contract.outbound import MessageFactory
from bus.runtime import peers
from bus.runtime.environment import Environment
from bus.runtime.health import Health
from bus.runtime.last_errors import LastErrors
from bus.runtime.outbox import count_timers
from bus.runtime.publisher import Counts
from bus.runtime.requests import Request
from bus.runtime.role import Role
from bus.runtime.schedule import Schedule
from bus.text.safe import short

VERSION = version("storebus")
_TEXT = 200
"""Characters of a text of the contract."""


class SelfDescription:
    """Answers `ping` and `about` for one node.

    Args:
        role: what it plays.
        messages: its name, and since when it runs.
        environment: its host and process.
        data: the folder of its database.
        reader: the journal's read-only connection.
        health: whether its transactions are carried out.
        schedule: what is not done yet.
        counts: what it has counted.
        errors: what went wrong last.
        connections: how often it has connected lately.
    """

    def __init__(
        self,
        role: Role,
        messages: MessageFactory,
        environment: Environment,
        data: Path,
        reader: sqlite3.Connection,
        health: Health,
        schedule: Schedule,
        counts: Counts,
        errors: LastErrors,
        connections: Callable[[], int],
    ) -> None:
        self._messages = messages
        self._environment = environment
        self._data = data
        self._reader = reader
        self._health = health
        self._schedule = schedule
        self._counts = counts
        self._errors = errors
        self._connections = connections
        own: Iterable[str] = (operation.name for operation in (*role.queries, *role.commands))
        self._operations = sorted({*own, PING.name, ABOUT.name})

    def pong(self, _: sqlite3.Connection, __: Request[Any]) -> Pong:
        """The answer to `ping`."""
        return Pong(
            node=self._messages.node,
            boot=self._environment.boot,
            version=VERSION,
            writer=self._health.writer,
        )

    def about(self, _: sqlite3.Connection, __: Request[Any]) -> About:
        """The answer to `about`."""
        return self.describe()

    def describe(self) -> About:
        """What runs here, and what it has to do and has done."""
        database, position = peers.own(self._reader) or (None, None)
        return About(
            database=database,
            position=position,
            node=self._messages.node,
            role=self._messages.kind,
            boot=self._environment.boot,
            version=VERSION,
            since=self._messages.since,
            operations=self._operations,
            counts=dict(self._counts),
            outbox=len(self._schedule),
            timers=count_timers(self._reader),
            writer=self._health.writer,
            host=short(self._environment.computer(), _TEXT),
            process=self._environment.process(),
            data=self._environment.folder(self._data)[-_TEXT:],
            connections=self._connections(),
            errors=self._errors.kept,
        )
