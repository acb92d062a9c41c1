"""Parses times as operators type them: `14:02`, `14:02:30`, `2026-11-22 14:02`, `+90s`, `-5m`."""

import re
from datetime import date, datetime, time, timedelta

from bus.contract.errors import StorebusError
from bus.text.sentence import Sentence

_STEP = re.compile(r"([+-])(\d{1,6})(s|m|h)")
_SECONDS = {"s": 1, "m": 60, "h": 3600}
_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})[T ]+(.+)")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")


class WhenError(StorebusError):
    """A text that is no time.

    Args:
        sentence: what is wrong with it.
    """

    def __init__(self, sentence: Sentence) -> None:
        super().__init__(str(sentence))
        self.sentence = sentence


def when(text: str, here: int, start: int, end: int) -> int:
    """Parse a time; returns milliseconds since the epoch.

    Args:
        text: in the operator's time zone.
        here: the base of relative times; a time of day is on the same day if possible.
        start: of the recording; otherwise the first day from here on is tried.
        end: of the recording.

    Raises:
        WhenError: it is none.
    """
    written = text.strip()
    if step := _STEP.fullmatch(written):
        sign, count, unit = step.groups()
        return here + int(f"{sign}{count}") * _SECONDS[unit] * 1000
    dated = _DAY.fullmatch(written)
    found = _CLOCK.fullmatch(dated[2] if dated else written)
    try:
        times = tuple(int(each or 0) for each in found.groups()) if found else (24,)
        if dated:
            return _at(date.fromisoformat(dated[1]), *times)
        first = date.fromtimestamp(start // 1000)  # noqa: DTZ012 - the operator's own
        days = [date.fromtimestamp(here // 1000), first, first + timedelta(days=1)]  # noqa: DTZ012
        tries = [_at(day, *times) for day in days]
    except ValueError as error:
        raise WhenError(
            Sentence(
                "{written} is no time, such as 14:02, 14:02:30, 2026-11-22 14:02, +90s or -5m",
                written=written,
            )
        ) from error
    return next((each for each in tries if start <= each <= end), tries[0])


def _at(day: date, hour: int, minute: int = 0, second: int = 0) -> int:
    """A time of day in milliseconds since the epoch; a ValueError if there is no such time."""
    local = datetime.combine(day, time(hour, minute, second))
    return int(local.timestamp() * 1000)
