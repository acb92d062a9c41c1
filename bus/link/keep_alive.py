"""Pings after a silence, and a broker that does not answer them (MQTT 5 section 3.1.2.10)."""

import asyncio
from collections.abc import Callable

_LOOK = 1.0
"""Seconds at most between looks at how long nothing was sent or received."""


class KeepAlive:
    """Watches over one connection once it has begun.

    Args:
        seconds: of silence after which the broker is pinged, and then waited for.
        ping: sends a PINGREQ.
        lost: called when no answer to it has come.
    """

    def __init__(self, seconds: float, ping: Callable[[], None], lost: Callable[[], None]) -> None:
        self._seconds, self._ping, self._lost = seconds, ping, lost
        self._loop = asyncio.get_running_loop()
        self._sent_at = self._received_at = self._loop.time()
        self._pinged_at: float | None = None
        self._looking: asyncio.TimerHandle | None = None

    def begin(self, seconds: float | None) -> None:
        """The broker has taken us in, and may have set another time."""
        self._seconds = seconds or self._seconds
        self._look_later()

    def end(self) -> None:
        """The connection is gone."""
        if self._looking is not None:
            self._looking.cancel()

    def sent(self) -> None:
        """Something was sent."""
        self._sent_at = self._loop.time()

    def received(self) -> None:
        """Something was received."""
        self._received_at = self._loop.time()

    def answered(self) -> None:
        """The ping was answered."""
        self._pinged_at = None

    def _look(self) -> None:
        now = self._loop.time()
        silence = now - min(self._sent_at, self._received_at)
        if self._pinged_at is not None and now - self._pinged_at >= self._seconds:
            self._lost()
            return
        if self._pinged_at is None and silence >= self._seconds:
            self._pinged_at = self._received_at = now
            self._ping()
        self._look_later()

    def _look_later(self) -> None:
        self._looking = self._loop.call_later(min(_LOOK, self._seconds / 4), self._look)
