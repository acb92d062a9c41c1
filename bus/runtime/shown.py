"""What a node shows of itself: its presence, its states, and everything that is wrong with it."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from bus.contract import STATES
from bus.contract.channel import State
from bus.contract.envelope import order_of
from bus.contract.every import ABOUT_STATE, ALARMS_STATE, About, Alarm, Alarms
from bus.contract.values import Model
from bus.link import Outgoing
from bus.runtime.environment import Environment
from bus.runtime.publisher import Publisher
from bus.runtime.role import Role
from bus.runtime.traces import known_trace
from bus.storage.journal import snapshot


class ShownStates:
    """Shows the states of one node.

    Args:
        role: what it plays: its states and alarms.
        reader: the journal's read-only connection.
        environment: makes spans.
        publisher: publishes them.
        presence: makes the presence of a node that is there.
        describe: makes what it says about itself.
        watched: alarms that the runtime has noticed.
    """

    def __init__(
        self,
        role: Role,
        reader: sqlite3.Connection,
        environment: Environment,
        publisher: Publisher,
        presence: Callable[[], Outgoing],
        describe: Callable[[], About],
        watched: Callable[[], Iterable[Alarm]],
    ) -> None:
        self._role = role
        self._reader = reader
        self._environment = environment
        self._publisher = publisher
        self._presence = presence
        self._describe = describe
        self._watched = watched
        self._own = [state for state in STATES.values() if state.owner == role.kind]

    def show(self) -> None:
        """Show every state of the node."""
        self.show_presence()
        self._publisher.state(ABOUT_STATE, self._describe())
        with snapshot(self._reader) as rows:
            states = dict(self._role.states(rows)) | dict(_last_shown(rows, self._own))
            for state, data in states.items():
                order = order_of(data)
                trace = None if order is None else known_trace(rows, order, self._environment)
                self._publisher.state(state, data, trace)
        self.show_alarms()

    def show_presence(self) -> None:
        """Show that the node is there."""
        self._publisher.publish(self._presence())

    def show_alarms(self) -> None:
        """Show everything that is wrong: what the role says and what the runtime has noticed."""
        with snapshot(self._reader) as rows:
            found = [*self._role.alarms(rows), *self._watched()]
        self._publisher.state(ALARMS_STATE, Alarms(alarms=found))

    async def show_again(self, pause: float, is_up: Callable[[], bool]) -> None:
        """Show every state again after each `pause` in seconds, while the node is on the bus."""
        while True:
            await asyncio.sleep(pause)
            if is_up():
                self.show()


def _last_shown(
    connection: sqlite3.Connection, states: Iterable[State[Any]]
) -> Iterator[tuple[State[Any], Model]]:
    """Of these states, those that units of work have shown, as they were shown last."""
    rows = dict(connection.execute("SELECT name, data FROM shown").fetchall())
    for state in states:
        if state.name in rows:
            yield state, state.data.model_validate_json(rows[state.name])
