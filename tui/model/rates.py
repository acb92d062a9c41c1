"""How much is said, and how quickly it is answered: counts per second and latencies, bounded."""

from collections import deque

_SECONDS = 60
_SAMPLES = 512


class Rate:
    """Messages per second over the last minute."""

    def __init__(self) -> None:
        self.total = 0
        self._second = 0
        self._counts: deque[int] = deque([0], maxlen=_SECONDS)

    def add(self, now: int, count: int = 1) -> None:
        """So many at a time in milliseconds."""
        if now // 1000 > self._second:
            self._roll(now)
        self.total += count
        self._counts[-1] += count

    def per_second(self, now: int) -> list[int]:
        """Counts of the last seconds, oldest first; the last is still being counted."""
        self._roll(now)
        return list(self._counts)

    def last(self, now: int) -> int:
        """The count of the last whole second."""
        self._roll(now)
        return self._counts[-2] if len(self._counts) > 1 else 0

    def _roll(self, now: int) -> None:
        second = now // 1000
        if not self._second:
            self._second = second
        for _ in range(min(second - self._second, _SECONDS)):
            self._counts.append(0)
        self._second = max(self._second, second)


class Latencies:
    """The last answer times, in milliseconds."""

    def __init__(self) -> None:
        self._samples: deque[int] = deque(maxlen=_SAMPLES)

    def add(self, latency: int) -> None:
        """One more answer."""
        self._samples.append(latency)

    def percentile(self, percent: int) -> int | None:
        """The latency that so many percent do not exceed, or None without a sample."""
        if not self._samples:
            return None
        ordered = sorted(self._samples)
        return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]
