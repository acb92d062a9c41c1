"""Notices that a clock was set or is wrong, and says so: in the log and as an alarm of the node.

Nothing goes by a clock that can be wrong, so nothing is to be done in haste; but people read times.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from bus.contract.every import Alarm
from bus.contract.timestamp import rfc3339
from bus.runtime.clock import NodeClock, StoreTime
from bus.runtime.environment import Environment
from bus.text.duration import elapsed

logger = logging.getLogger("storebus.clock")

_LOOK = 5.0
"""Seconds between two looks at the clocks."""
_TOLD = 3_600_000
"""Milliseconds for which a step is an alarm; one that is undone is no alarm any more."""
_DIGITS = 3
"""As exact as such an offset is known."""


class ClockWatch:
    """Looks after the clocks of one node.

    Args:
        node: its name.
        environment: its clocks.
        clock: as its database goes on with it.
        store_time: what it has heard of the store's.
        stepped: writes down where the clocks are; called when the wall clock was set.
        changed: called when `alarms` are others.
    """

    def __init__(
        self,
        node: str,
        environment: Environment,
        clock: NodeClock,
        store_time: StoreTime,
        stepped: Callable[[], Awaitable[None]],
        changed: Callable[[], None],
    ) -> None:
        self._node = node
        self._environment = environment
        self._clock = clock
        self._store_time = store_time
        self._stepped = stepped
        self._changed = changed
        self._set = 0
        """Milliseconds by which the wall clock was set in all."""
        self._set_at = 0
        self._alarms: dict[str, Alarm] = {}

    @property
    def alarms(self) -> list[Alarm]:
        """What is wrong with the clocks now."""
        return list(self._alarms.values())

    async def keep_looking(self) -> None:
        """Look every few seconds, until cancelled."""
        while True:
            if self.look():
                await self._stepped()
            await asyncio.sleep(_LOOK)

    def look(self) -> bool:
        """Look now; whether the wall clock was set."""
        step = self._clock.step()
        if step:
            self._tell_step(step)
        elif self._environment.steady() - self._set_at > _TOLD:
            self._end("clock-step")
        self._compare()
        return bool(step)

    def _tell_step(self, step: int) -> None:
        side = "forward" if step > 0 else "back"
        said = f"The clock of this host was set {elapsed(step, _DIGITS)} {side}."
        logger.warning(
            "%s: %s Nothing expires or is delayed by it; times that people see are by the new"
            " clock. Is the host's time service (NTP) right?", self._node, said,
        )  # fmt: skip
        self._set += step
        self._set_at = self._environment.steady()
        was_set_right = "clock-wrong" in self._alarms and self._store_time.agrees()
        if abs(self._set) < abs(step) or was_set_right:
            self._end("clock-step")
        else:
            self._raise(
                "clock-step",
                self._set,
                f"{said} Nothing expires or is delayed by it. Look whether it is right now, and"
                " after the host's time service (NTP).",
            )

    def _compare(self) -> None:
        wrong = self._store_time.wrong()
        if not wrong:
            self._end("clock-wrong")
            return
        said = difference(wrong)
        if "clock-wrong" not in self._alarms:
            logger.warning("%s: %s", self._node, said)
        self._raise("clock-wrong", wrong, said)

    def _raise(self, kind: str, by: int, detail: str) -> None:
        before = self._alarms.get(kind)
        since = before.since if before else rfc3339(self._environment.now())
        seconds = round(by / 1000)
        if before is None or abs((before.seconds or 0) - seconds) > 1:
            self._alarms[kind] = Alarm.model_validate(
                {"kind": kind, "detail": detail, "since": since, "seconds": seconds}
            )
            self._changed()

    def _end(self, kind: str) -> None:
        if self._alarms.pop(kind, None) is not None:
            self._changed()


def difference(wrong: int) -> str:
    """A sentence that says how far a host's clock is from the store's, and what to do.

    Args:
        wrong: milliseconds by which it is ahead of the store's; negative if it is behind.
    """
    side = "ahead of" if wrong > 0 else "behind"
    return (
        f"The clock of this host is {elapsed(wrong, _DIGITS)} {side} the store's. Deadlines go by"
        " the store's, so it can work; set the clock, or let a time service (NTP) do it."
    )
