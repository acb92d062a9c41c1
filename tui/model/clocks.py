"""Finds wrong clocks of devices that do not report them, by the times of their queries.

A role writes its answer after the device wrote the query and before the answer arrives. That bounds
the difference of the two clocks, whatever the console's own clock says.
"""

from collections import OrderedDict
from contextlib import suppress

from bus.contract import find_operation
from bus.contract.channel import ROLES, role_of
from bus.contract.timestamp import milliseconds
from bus.history.message import Message

_NOTICED = 5_000
"""Milliseconds by which a clock must differ from the store's to be reported."""
_MOST = 1_000
"""The most devices, and the most unanswered queries, that are kept."""


class Clocks:
    """Estimates how far the clocks of devices are ahead of the store's."""

    def __init__(self) -> None:
        self._asked: OrderedDict[tuple[str, str | None], int] = OrderedDict()
        self._ahead: dict[str, int] = {}

    def hear(self, message: Message) -> None:
        """Take a message."""
        if message.kind == "req" and message.receiver in ROLES:
            operation = find_operation(message.receiver, message.name)
            if operation is not None and operation.kind == "query" and _is_device(message.sender):
                self._note(message)
        elif message.kind == "rep" and message.sender in ROLES:
            asked = self._asked.pop((message.receiver, message.answers), None)
            said = _time(message)
            if asked is not None and said is not None:
                self._compare(message.receiver, asked - said, message.latency or 0)

    def wrong(self) -> dict[str, int]:
        """By device, the seconds by which its clock is certainly ahead; negative if behind."""
        return {
            device: round(ahead / 1000)
            for device, ahead in self._ahead.items()
            if abs(ahead) >= _NOTICED
        }

    def _note(self, message: Message) -> None:
        said = _time(message)
        if said is not None and not message.retain:
            self._asked.setdefault((message.sender, message.id), said)
            if len(self._asked) > _MOST:
                self._asked.popitem(last=False)

    def _compare(self, device: str, ahead: int, latency: int) -> None:
        """The latency of the answer can make a clock seem slow, but never fast."""
        if device in self._ahead or len(self._ahead) < _MOST:
            self._ahead[device] = ahead if ahead > 0 else min(0, ahead + latency)


def _is_device(node: str) -> bool:
    return role_of(node) in ("terminal", "sorter")


def _time(message: Message) -> int | None:
    """The time at which a message was written, by its sender's clock."""
    if isinstance(message.document, dict):
        with suppress(ValueError, OverflowError):
            return milliseconds(str(message.document.get("time")))
    return None
