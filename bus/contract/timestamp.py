"""Times on the wire: RFC 3339, sections 5.6 and 5.7. The one place that reads and writes them.

Python's own reader takes all of ISO 8601 (week dates, no separators, no offset), and no leap
second.
"""

import re
from calendar import monthrange
from datetime import UTC, datetime, timedelta
from functools import lru_cache

_DATE_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?"
    r"(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))",
    re.ASCII,
)
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - the offset is reckoned with apart from it
_LEAP_SECOND = 60


def rfc3339(at: int) -> str:
    """Milliseconds since the epoch as an RFC 3339 time in UTC."""
    return f"{_second(at // 1000)}.{at % 1000:03d}Z"


@lru_cache(64)
def _second(at: int) -> str:
    """Most messages of a node are of the same few seconds."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%S}"


def milliseconds(time: str) -> int:
    """An RFC 3339 time as milliseconds since the epoch; a leap second is the second after it.

    Raises:
        ValueError: not such a time, or one of the year 0, which Python does not have.
    """
    found = _DATE_TIME.fullmatch(time)
    if found is None:
        raise ValueError("not an RFC 3339 time with an offset")
    year, month, day, hour, minute, second = map(int, found.groups()[:6])
    fraction, sign, hours, minutes = found.groups()[6:]
    is_leap = second == _LEAP_SECOND
    moment = datetime(year, month, day, hour, minute, second - is_leap)  # noqa: DTZ001
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    since = moment - _EPOCH + (offset if sign == "-" else -offset)
    if is_leap and not _ends_a_month(since):
        raise ValueError("no leap second is there: only at the end of a month, in UTC")
    seconds = since // timedelta(seconds=1) + is_leap
    return seconds * 1000 + int(f"{fraction or ''}000"[:3])


def _ends_a_month(since: timedelta) -> bool:
    """Whether it is 23:59:59 in UTC on the last day of a month (section 5.7)."""
    try:
        at = _EPOCH + since
    except OverflowError:  # beyond the years that Python has, by an offset
        return False
    return (at.day, at.hour, at.minute, at.second) == (monthrange(at.year, at.month)[1], 23, 59, 59)
