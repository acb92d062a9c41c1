"""Asks the broker on this computer which connections publish the messages behind alarms."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from tui.model.alarm_list import AlarmList

Ask = Callable[[list[str]], Awaitable[dict[str, str] | None]]
"""By topic, the connection that publishes there in the next seconds; None if not known."""

_FRESH = 5_000
"""Milliseconds after an alarm was raised during which its sender may still be publishing."""
_AGAIN = 30_000
"""The least milliseconds between two questions, to spare the broker."""
_TOPICS = 50
"""The most topics of one question."""


class Senders:
    """Asks only while there are alarms whose senders are not known.

    Args:
        who: asks the broker.
    """

    def __init__(self, who: Ask) -> None:
        self._who = who
        self._asked_at: int | None = None
        self._asking: asyncio.Task[None] | None = None

    def look(self, alarms: AlarmList, now: int) -> None:
        """Ask if there is an alarm whose sender is not known."""
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

    async def _ask(self, alarms: AlarmList, topics: list[str]) -> None:
        with suppress(OSError):  # it cannot be asked from here
            for topic, sender in (await self._who(topics) or {}).items():
                alarms.sent_by(topic, sender)

    async def close(self) -> None:
        """Stop waiting for an answer; `who` turns the broker's log down again."""
        if self._asking is not None:
            self._asking.cancel()
            with suppress(asyncio.CancelledError):
                await self._asking
