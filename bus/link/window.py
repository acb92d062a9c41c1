"""The QoS 1 messages of a connection that the broker has not acknowledged (MQTT 5 section 4.9)."""

import asyncio
from collections import deque
from collections.abc import Callable

_AT_ONCE = 1000
"""Messages that are not acknowledged yet; fewer if the broker says so."""
_WAITING = 20_000


class Window:
    """How many messages may be on their way at once, and which wait until there is room.

    Args:
        write: sends a packet.
    """

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write
        self._unacknowledged: dict[int, str] = {}  # topics by packet identifier
        self._waiting: deque[tuple[int, str, bytes]] = deque()  # identifier, topic, packet
        self._at_once = _AT_ONCE
        self._all_out: asyncio.Future[None] | None = None

    def narrow(self, at_once: int | None) -> None:
        """Keep to the broker's Receive Maximum, if it has one."""
        self._at_once = min(at_once or _AT_ONCE, _AT_ONCE)

    @property
    def is_full(self) -> bool:
        """Whether no more messages can wait."""
        return len(self._waiting) == _WAITING

    def send(self, identifier: int, topic: str, packet: bytes) -> None:
        """Send a message, as soon as there is room for it."""
        if len(self._unacknowledged) >= self._at_once:
            self._waiting.append((identifier, topic, packet))
        else:
            self._send(identifier, topic, packet)

    def acknowledged(self, identifier: int) -> str | None:
        """A message was acknowledged, and the next may go; returns its topic, if it was ours."""
        topic = self._unacknowledged.pop(identifier, None)
        if self._waiting and len(self._unacknowledged) < self._at_once:
            self._send(*self._waiting.popleft())
            if not self._waiting and self._all_out is not None and not self._all_out.done():
                self._all_out.set_result(None)
        return topic

    def when_empty(self) -> "asyncio.Future[None] | None":
        """Done as soon as nothing waits any more; None if nothing does."""
        if self._waiting:
            self._all_out = asyncio.get_running_loop().create_future()
            return self._all_out
        return None

    def send_all(self) -> None:
        """Send what waits, although the broker takes no more."""
        while self._waiting:
            self._send(*self._waiting.popleft())

    def _send(self, identifier: int, topic: str, packet: bytes) -> None:
        self._unacknowledged[identifier] = topic
        self._write(packet)
