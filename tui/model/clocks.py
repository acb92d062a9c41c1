"""Clocks of devices that do not say themselves whether theirs is wrong, as their messages tell.

Only what was written just now says what time it is there: a query, and the answer to one.
"""

from contextlib import suppress

from bus.contract import find_operation
from bus.contract.channel import TIMEKEEPER, role_of
from bus.timestamp import milliseconds
from tui.model.message import Message

_NOTICED = 5_000
"""Milliseconds by which a clock differs from the store's before anybody is told: messages take some
of that."""
_DEVICES = 1_000
"""The most devices that are looked at."""


class Clocks:
    """How far the clocks of devices are ahead of the store's."""

    def __init__(self) -> None:
        self._store: int | None = None
        """Milliseconds by which the store's clock is ahead of the console's."""
        self._ahead: dict[str, tuple[int, ...]] = {}
        """The last two, of each device, as far as they were heard."""

    def hear(self, message: Message) -> None:
        """Whatever was said; what may be old says nothing."""
        operation = find_operation(role_of(message.receiver) or "", message.name)
        if message.kind == "rep":
            operation = find_operation(role_of(message.sender) or "", message.name)
        if message.kind not in ("req", "rep") or operation is None or operation.kind != "query":
            return
        if message.repeats or message.retain or not isinstance(message.document, dict):
            return
        with suppress(ValueError, OverflowError):
            ahead = milliseconds(str(message.document.get("time"))) - message.at
            if message.sender == TIMEKEEPER:
                self._store = ahead
            elif role_of(message.sender) in ("terminal", "sorter"):
                before = self._ahead.get(message.sender, ())
                if before or len(self._ahead) < _DEVICES:
                    self._ahead[message.sender] = (*before[-1:], ahead)

    def wrong(self) -> dict[str, int]:
        """By how many seconds devices' clocks are ahead of the store's, where that is sure.

        Sure is what two messages in a row say.
        """
        if self._store is None:
            return {}
        found = {}
        for device, lately in self._ahead.items():
            apart = [ahead - self._store for ahead in lately]
            least = min(apart, key=abs)
            if len(apart) > 1 and abs(least) >= _NOTICED and (apart[0] > 0) == (apart[1] > 0):
                found[device] = round(least / 1000)
        return found
