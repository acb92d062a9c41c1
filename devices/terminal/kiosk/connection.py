"""The kiosk's connection to the store: runs its terminal, and catches up after each reconnect."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from bus.contract.channel import Event, State
from bus.contract.errors import BrokerError, NoAnswer, first_error
from bus.contract.terminal import Remind
from bus.runtime.deployment import Deployment
from devices.terminal.domain import Bought
from devices.terminal.role import Terminal

_TRY_AGAIN = 1.0
"""Seconds between two attempts to find the broker, or to catch up."""
_POLL = 0.2
"""Seconds between two checks of the connection."""

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Callbacks:
    """What a kiosk does when the connection tells it something."""

    hears: Mapping[Event[Any] | State[Any], Callable[[str, Any], None]]
    """Takes events and states; see `Role.hears`."""
    present: Callable[[Remind], Awaitable[bool]]
    """Shows a reminder; see `Terminal`."""
    learned: Callable[[Bought], None]
    """Takes the late outcome of a purchase; see `Terminal`."""
    changed: Callable[[], None]
    """Called when the connection is there or gone."""
    catch_up: Callable[[Terminal], Awaitable[bool]]
    """Asks the store what was missed while there was no connection; whether it answered."""


class StoreConnection:
    """Keeps a kiosk's terminal on the bus.

    Args:
        name: `terminal-7`.
        deployment: where its terminal runs; None where there is no store to connect to.
        patience: seconds until a purchase that was not answered counts as unknown.
    """

    def __init__(self, name: str, deployment: Deployment | None, patience: float) -> None:
        self._name = name
        self._deployment = deployment
        self._patience = patience
        self._terminal: Terminal | None = None
        self._acknowledged: list[str] = []
        """Orders whose reminders are over, which has yet to be stored."""

    @property
    def up(self) -> bool:
        """Whether the store can be asked."""
        if self._deployment is None:
            return True
        return self._terminal is not None and self._terminal.node.connected

    async def run(self, callbacks: Callbacks) -> None:
        """Stay on the bus until cancelled; wait for a broker that is not there yet.

        Raises:
            StorebusError: the terminal runs elsewhere, or its database cannot be used.
        """
        assert self._deployment is not None
        while True:
            terminal = self._terminal = Terminal(
                self._name, self._deployment, patience=self._patience, present=callbacks.present,
                hears=callbacks.hears, learned=callbacks.learned,
            )  # fmt: skip
            try:
                async with asyncio.TaskGroup() as tasks:
                    watch = self._watch(terminal, callbacks)
                    watching = tasks.create_task(watch, name=f"{self._name}/watch")
                    await terminal.run()
                    watching.cancel()
            except ExceptionGroup as group:
                error = first_error(group)
                if not isinstance(error, BrokerError):
                    raise error from None
            await asyncio.sleep(_TRY_AGAIN)

    def stop(self) -> None:
        """Show the terminal as offline and disconnect."""
        if self._terminal is not None:
            self._terminal.node.stop()

    async def ask(self, question: Callable[[Terminal], Awaitable[Answer]]) -> Answer:
        """Have the terminal ask the store.

        Raises:
            NoAnswer: there is no connection.
            Problem: the store's refusal.
        """
        if self._terminal is None or not self._terminal.node.ready.is_set():
            raise NoAnswer("There is no connection to the store.")
        return await question(self._terminal)

    def end_reminder(self, order: str) -> None:
        """A reminder is over; stored with `store_acknowledged`, at the latest when connected."""
        self._acknowledged.append(order)

    def is_over(self, order: str) -> bool:
        """Whether the reminder of an order is over, stored or not yet."""
        return order in self._acknowledged

    async def store_acknowledged(self) -> None:
        """Store that reminders are over."""
        for order in list(self._acknowledged):
            if self._terminal is not None:
                await self._terminal.acknowledge(order)
            with suppress(ValueError):  # another task stored it at the same time
                self._acknowledged.remove(order)

    async def _watch(self, terminal: Terminal, callbacks: Callbacks) -> None:
        """Tell when the connection is there or gone, and catch up once it is there."""
        was_up = caught_up = False
        while True:
            if self.up != was_up:
                was_up, caught_up = self.up, False
                callbacks.changed()
            if was_up:
                await self.store_acknowledged()
            if was_up and not caught_up:
                caught_up = await callbacks.catch_up(terminal)
            await asyncio.sleep(_POLL if caught_up or not was_up else _TRY_AGAIN)
