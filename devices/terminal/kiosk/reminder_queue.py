"""The reminders that wait for somebody to take notice: one fills the screen, the others wait."""

import asyncio

from bus.contract.terminal import Remind


class Reminding:
    """A queue; whoever asks to show a reminder learns when it could be seen."""

    def __init__(self) -> None:
        self._waiting: dict[str, Remind] = {}
        self._seen: dict[str, list[asyncio.Future[bool]]] = {}
        self._lit: str | None = None
        self._aside: set[str] = set()

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def current(self) -> Remind | None:
        """The one that fills the screen."""
        return next(
            (each for each in self._waiting.values() if each.order not in self._aside), None
        )

    def put_aside(self, order: str) -> None:
        """Whoever stands here has nothing to do with it; it goes on waiting."""
        if order in self._waiting:
            self._aside.add(order)

    def take_up(self) -> bool:
        """Nobody stands here any more: fill the screen with what was put aside; whether any was."""
        found = bool(self._aside)
        self._aside.clear()
        return found

    def add(self, reminder: Remind) -> None:
        """One more is to be shown; a later one of the same order takes the earlier one's place."""
        if self._waiting.get(reminder.order) != reminder:
            self._waiting[reminder.order] = reminder
            self._aside.discard(reminder.order)
            if self._lit == reminder.order:
                self._lit = None

    async def shown(self, reminder: Remind) -> bool:
        """Show one; returns once it is on the screen, or false when it need not be any more."""
        self.add(reminder)
        if self._lit == reminder.order:
            return True
        seen: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._seen.setdefault(reminder.order, []).append(seen)
        return await seen

    def lit(self, order: str) -> None:
        """It is on the screen."""
        if order in self._waiting:
            self._lit = order
            self._tell(order, shown=True)

    def seen(self, order: str) -> bool:
        """Somebody took notice, which only who saw it can; whether it was among them."""
        return self._end(order, shown=True)

    def drop(self, order: str) -> bool:
        """There is nothing to collect any more; whether it was among them."""
        return self._end(order, shown=False)

    def _end(self, order: str, *, shown: bool) -> bool:
        found = self._waiting.pop(order, None) is not None
        self._aside.discard(order)
        if self._lit == order:
            self._lit = None
        self._tell(order, shown=shown)
        return found

    def _tell(self, order: str, *, shown: bool) -> None:
        for seen in self._seen.pop(order, ()):
            if not seen.done():
                seen.set_result(shown)
