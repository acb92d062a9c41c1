"""Asks the broker on this computer which connections publish what the alarms are about."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from tui.model.alarm_list import Alarms

Ask = Callable[[list[str]], Awaitable[dict[str, str] | None]]
"""By topic, the connection that publishes there within the next seconds; None if nobody says."""

_FRESH = 5_000
"""Milliseconds since an alarm was last raised within which it goes on, and its sender is heard."""
_AGAIN = 30_000
"""Milliseconds between two questions at least: the broker has more to do."""
_TOPICS = 50
"""The most topics that are asked for at once."""


class Senders:
    """Asks while something goes on, and not all the time.

    Args:
        who: asks the broker.
    """

    def __init__(self, who: Ask) -> None:
        self._who = who
        self._asked_at: int | None = None
        self._asking: asyncio.Task[None] | None = None

    def look(self, alarms: Alarms, now: int) -> None:
        """Begin to ask if there is a reason to."""
        if self._asked_at is not None and now - self._asked_at < _AGAIN:
            return
        topics = sorted(
            {
                alarm.topic
                for alarm in alarms.current()
                if alarm.topic and not alarm.sender and now - alarm.last <= _FRESH
            }
        )
        if topics:
            self._asked_at = now
            asking = self._ask(alarms, topics[:_TOPICS])
            self._asking = asyncio.create_task(asking, name="console/senders")

    async def _ask(self, alarms: Alarms, topics: list[str]) -> None:
        with suppress(OSError):  # it cannot be asked from here
            for topic, sender in (await self._who(topics) or {}).items():
                alarms.sent_by(topic, sender)

    async def close(self) -> None:
        """Wait no longer; the broker is told to be quiet by whoever told it to talk."""
        if self._asking is not None:
            self._asking.cancel()
            with suppress(asyncio.CancelledError):
                await self._asking
