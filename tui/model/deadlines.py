"""Requests with a deadline that are not answered yet: bounded, the oldest are dropped first."""

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

from bus.contract import find_operation
from bus.contract.channel import ROLES, role_of
from bus.contract.timestamp import milliseconds
from bus.history.message import Message

_OPEN = 5_000
_OVER = 1_000
"""The most requests that are kept after their deadline."""
_GRACE = 1_000
"""Milliseconds after the deadline for an answer that is still on its way."""


class Late(NamedTuple):
    """A request that is, or was, unanswered after its deadline."""

    request: Message
    by: int
    """Milliseconds."""


class Deadlines:
    """Tracks deadlines in the store's time, which may differ from the console's."""

    def __init__(self) -> None:
        self._open: OrderedDict[tuple[str, str | None], tuple[int, Message]] = OrderedDict()
        self._over: OrderedDict[tuple[str, str | None], tuple[int, Message]] = OrderedDict()
        """Unanswered requests whose deadline has passed."""
        self._ahead = 0
        """Milliseconds by which the store's clock is ahead of the console's."""

    def hear(self, message: Message) -> Late | None:
        """Take a message: a request begins to wait, and a reply may be late.

        If the reply says that the request was expired, any delay counts as late.
        """
        if message.kind == "req":
            if role_of(message.sender) == "console":
                return None  # its operator sees it, and no customer waits
            due = self._due(message)
            if due is not None:
                self._open.setdefault((message.sender, message.id), (due, message))
            if len(self._open) > _OPEN:
                self._open.popitem(last=False)
            return None
        late = None
        if message.kind == "rep":
            key = message.receiver, message.answers
            due, request = self._open.pop(key, None) or self._over.pop(key, None) or (0, None)
            if request is not None and message.at > due + (message.code != "expired") * _GRACE:
                late = Late(request, message.at - due)
        self._note_time(message)
        return late

    def missed(self, now: int) -> Iterator[Late]:
        """Requests whose deadline has just passed without an answer, each once."""
        for key, (due, message) in list(self._open.items()):
            if now > due + _GRACE:
                self._over[key] = self._open.pop(key)
                if len(self._over) > _OVER:
                    self._over.popitem(last=False)
                yield Late(message, now - due)

    def over(self, now: int) -> dict[str, Late]:
        """By node, the latest request that it has not answered in time."""
        return {message.receiver: Late(message, now - due) for due, message in self._over.values()}

    def clear(self) -> None:
        """Forget all requests, since answers may have been missed."""
        self._open.clear()
        self._over.clear()

    def _due(self, message: Message) -> int | None:
        """The deadline by the console's clock."""
        if message.seconds is not None:
            return message.at + message.seconds * 1000
        with suppress(ValueError, OverflowError):
            return milliseconds(message.deadline or "") - self._ahead
        return None

    def _note_time(self, message: Message) -> None:
        """Learn the store's time from a fresh message of a role; replies to commands may be old."""
        if message.sender not in ROLES or message.retain or not isinstance(message.document, dict):
            return
        operation = find_operation(message.sender, message.name)
        if message.kind == "event" or (operation is not None and operation.kind == "query"):
            with suppress(ValueError, OverflowError):
                self._ahead = milliseconds(str(message.document.get("time"))) - message.at
