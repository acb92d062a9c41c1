"""Requests with a deadline that nobody has answered yet: bounded, the oldest go first."""

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import suppress

from bus.envelope import milliseconds
from tui.model.message import Message

_OPEN = 5_000
_GRACE = 1_000
"""Milliseconds after the deadline for which an answer may still be on its way."""


class Deadlines:
    """Requests that wait for their answer."""

    def __init__(self) -> None:
        self._open: OrderedDict[tuple[str, str | None], tuple[str, Message]] = OrderedDict()

    def hear(self, message: Message) -> None:
        """A request begins to wait; its reply ends that."""
        if message.kind == "req" and message.deadline is not None:
            self._open.setdefault((message.sender, message.id), (message.deadline, message))
            if len(self._open) > _OPEN:
                self._open.popitem(last=False)
        elif message.kind == "rep":
            self._open.pop((message.receiver, message.answers), None)

    def missed(self, now: int) -> Iterator[Message]:
        """Requests whose deadline has passed without an answer; each is told once."""
        for key, (deadline, message) in list(self._open.items()):
            at = 0
            with suppress(ValueError, OverflowError):
                at = milliseconds(deadline)
            if not at or now > at + _GRACE:
                del self._open[key]
            if at and now > at + _GRACE:
                yield message
