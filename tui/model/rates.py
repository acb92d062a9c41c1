"""Message rates, answer times and hourly trends, all bounded."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence

MINUTES = 60
"""The length of a trend in minutes."""
_SECONDS = 60
_SAMPLES = 512
_MINUTE = 60_000


class Hour:
    """A number for each minute of the last hour; None for a minute without a value."""

    def __init__(self) -> None:
        self._minute = 0
        self._values: list[int | None] = []

    def add(self, at: int, count: int) -> None:
        """Add to the minute of a time in milliseconds."""
        self._roll(at)
        self._values[-1] = (self._values[-1] or 0) + count

    def most(self, at: int, value: int) -> None:
        """Take a level at a time; the highest of its minute is kept."""
        self._roll(at)
        self._values[-1] = max(self._values[-1] or 0, value)

    def put(self, at: int, value: int) -> None:
        """Set the value of the minute of a time."""
        self._roll(at)
        self._values[-1] = value

    def values(self, now: int) -> list[int | None]:
        """The values by minute, oldest first; the last minute is not over yet."""
        if not self._values:
            return []
        since = max(0, now // _MINUTE - self._minute)
        return [*self._values, *[None] * min(since, MINUTES)][-MINUTES:]

    def _roll(self, at: int) -> None:
        minute = at // _MINUTE
        if not self._values:
            self._values, self._minute = [None], minute
        for _ in range(min(minute - self._minute, MINUTES)):
            self._values.append(None)
        del self._values[:-MINUTES]
        self._minute = max(self._minute, minute)


def summed(hours: Sequence[Sequence[int | None]]) -> list[int | None]:
    """The sum of several trends, minute by minute."""
    return _joined(hours, sum)


def highest(hours: Sequence[Sequence[int | None]]) -> list[int | None]:
    """The highest of several trends in each minute."""
    return _joined(hours, max)


def _joined(
    hours: Sequence[Sequence[int | None]], join: Callable[[list[int]], int]
) -> list[int | None]:
    joined: list[int | None] = []
    for back in range(max(map(len, hours), default=0), 0, -1):
        told = [value for each in hours if len(each) >= back and (value := each[-back]) is not None]
        joined.append(join(told) if told else None)
    return joined


class Rate:
    """Messages per second over the last minute, and per minute over the last hour."""

    def __init__(self) -> None:
        self.total = 0
        self._hour = Hour()
        self._second = 0
        self._counts: deque[int] = deque([0], maxlen=_SECONDS)

    def add(self, now: int, count: int = 1) -> None:
        """Count messages at a time in milliseconds."""
        if now // 1000 > self._second:
            self._roll(now)
        self.total += count
        self._counts[-1] += count

    def per_second(self, now: int) -> list[int]:
        """The counts of the last seconds, oldest first; the last second is not over yet."""
        self._roll(now)
        return list(self._counts)

    def per_minute(self, now: int) -> list[int]:
        """The counts of the last minutes, oldest first."""
        self._roll(now)
        return [count or 0 for count in self._hour.values(now)]

    def last(self, now: int) -> int:
        """The count of the last whole second."""
        self._roll(now)
        return self._counts[-2] if len(self._counts) > 1 else 0

    def _roll(self, now: int) -> None:
        second = now // 1000
        if not self._second:
            self._second = second
        if second > self._second and self._counts[-1]:
            self._hour.add(self._second * 1000, self._counts[-1])
        for _ in range(min(second - self._second, _SECONDS)):
            self._counts.append(0)
        self._second = max(self._second, second)


class Latencies:
    """The last answer times, in milliseconds."""

    def __init__(self) -> None:
        self._samples: deque[int] = deque(maxlen=_SAMPLES)
        self._fresh: deque[int] = deque(maxlen=_SAMPLES)
        """The samples of the current minute."""
        self._minute = 0
        self._hour = Hour()

    def add(self, latency: int, at: int) -> None:
        """Add an answer time, at a time in milliseconds."""
        if at // _MINUTE > self._minute:
            self._note()
            self._fresh.clear()
            self._minute = at // _MINUTE
        self._samples.append(latency)
        self._fresh.append(latency)

    def per_minute(self, now: int) -> list[int | None]:
        """The 95th percentile of each of the last minutes, oldest first."""
        self._note()
        return self._hour.values(now)

    def percentile(self, percent: int) -> int | None:
        """A percentile of the last answer times; None without a sample."""
        return _percentile(self._samples, percent)

    def _note(self) -> None:
        value = _percentile(self._fresh, _TREND)
        if value is not None:
            self._hour.put(self._minute * _MINUTE, value)


_TREND = 95


def _percentile(samples: Iterable[int], percent: int) -> int | None:
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] if ordered else None
