"""Requests with a deadline that nobody has answered yet: bounded, the oldest go first."""

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import suppress

from bus.contract import find_operation
from bus.contract.channel import ROLES, role_of
from bus.timestamp import milliseconds
from tui.model.message import Message

_OPEN = 5_000
_GRACE = 1_000
"""Milliseconds after the deadline for which an answer may still be on its way."""


class Deadlines:
    """Requests that wait for their answer; the console's own clock need not be the store's."""

    def __init__(self) -> None:
        self._open: OrderedDict[tuple[str, str | None], tuple[int, Message]] = OrderedDict()
        self._ahead = 0
        """Milliseconds by which the store's clock is ahead of the console's."""

    def hear(self, message: Message) -> None:
        """A request begins to wait; its reply ends that."""
        if message.kind == "req":
            if role_of(message.sender) == "console":
                return  # whoever asks there sees it, and nobody else is served worse
            due = self._due(message)
            if due is not None:
                self._open.setdefault((message.sender, message.id), (due, message))
            if len(self._open) > _OPEN:
                self._open.popitem(last=False)
            return
        if message.kind == "rep":
            self._open.pop((message.receiver, message.answers), None)
        self._note_time(message)

    def missed(self, now: int) -> Iterator[Message]:
        """Requests whose deadline has passed without an answer; each is told once."""
        for key, (due, message) in list(self._open.items()):
            if now > due + _GRACE:
                del self._open[key]
                yield message

    def _due(self, message: Message) -> int | None:
        """When it is too late for an answer, by the console's clock."""
        if message.seconds is not None:
            return message.at + message.seconds * 1000
        with suppress(ValueError, OverflowError):
            return milliseconds(message.deadline or "") - self._ahead
        return None

    def _note_time(self, message: Message) -> None:
        """What a role says just now tells the store's time; a command's reply may be an old one."""
        if message.sender not in ROLES or message.retain or not isinstance(message.document, dict):
            return
        operation = find_operation(message.sender, message.name)
        if message.kind == "event" or (operation is not None and operation.kind == "query"):
            with suppress(ValueError, OverflowError):
                self._ahead = milliseconds(str(message.document.get("time"))) - message.at
