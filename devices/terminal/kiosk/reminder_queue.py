"""The reminders to be acknowledged: one fills the screen, the others wait."""

import asyncio

from bus.contract.terminal import Remind


class ReminderQueue:
    """Reminders in the order of their arrival; `show` returns when one has been on the screen."""

    def __init__(self) -> None:
        self._waiting: dict[str, Remind] = {}
        self._callers: dict[str, list[asyncio.Future[bool]]] = {}
        """By order, who waits until its reminder has been on the screen."""
        self._displayed: str | None = None
        self._postponed: set[str] = set()

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def current(self) -> Remind | None:
        """The reminder that fills the screen."""
        return next(
            (each for each in self._waiting.values() if each.order not in self._postponed), None
        )

    def postpone(self, order: str) -> None:
        """Take a reminder off the screen until `resume`; it stays in the queue."""
        if order in self._waiting:
            self._postponed.add(order)

    def resume(self) -> bool:
        """Show postponed reminders again; whether there were any."""
        found = bool(self._postponed)
        self._postponed.clear()
        return found

    def add(self, reminder: Remind) -> None:
        """Add a reminder; it replaces an earlier one of the same order."""
        if self._waiting.get(reminder.order) != reminder:
            self._waiting[reminder.order] = reminder
            self._postponed.discard(reminder.order)
            if self._displayed == reminder.order:
                self._displayed = None

    async def show(self, reminder: Remind) -> bool:
        """Add a reminder and wait until it is on the screen; false if it was dropped before."""
        self.add(reminder)
        if self._displayed == reminder.order:
            return True
        displayed: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._callers.setdefault(reminder.order, []).append(displayed)
        return await displayed

    def displayed(self, order: str) -> None:
        """A reminder is on the screen."""
        if order in self._waiting:
            self._displayed = order
            self._tell(order, shown=True)

    def acknowledge(self, order: str) -> bool:
        """Remove a reminder that somebody has seen; whether it was in the queue."""
        return self._remove(order, shown=True)

    def drop(self, order: str) -> bool:
        """Remove a reminder of an order that is over; whether it was in the queue."""
        return self._remove(order, shown=False)

    def _remove(self, order: str, *, shown: bool) -> bool:
        found = self._waiting.pop(order, None) is not None
        self._postponed.discard(order)
        if self._displayed == order:
            self._displayed = None
        self._tell(order, shown=shown)
        return found

    def _tell(self, order: str, *, shown: bool) -> None:
        for caller in self._callers.pop(order, ()):
            if not caller.done():
                caller.set_result(shown)
