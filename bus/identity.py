"""Where time, chance and identifiers come from; a simulation hands in its own."""

import random
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: nothing to misread
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Identity:
    """The clock, the chance and the identifiers of one start of a node.

    Args:
        chance: what jitter and identifiers are drawn from; the operating system's if None.
    """

    def __init__(self, chance: random.Random | None = None) -> None:
        self.chance = chance or random.SystemRandom()
        self._spans = chance or random.Random()
        self.boot = f"{self.chance.getrandbits(48):012x}"
        """Names this start of the process."""
        self._count = 0

    def now(self) -> int:
        """Milliseconds since the epoch."""
        return time.time_ns() // 1_000_000

    def elapsed(self) -> float:
        """Seconds of a clock that is never set, and goes on while the process or host sleeps."""
        return time.clock_gettime(_CLOCK)

    def message(self) -> str:
        """An id that no other message of this node ever had."""
        self._count += 1
        return f"{self.boot}-{self._count:x}"

    def span(self) -> str:
        """16 hex digits for a traceparent."""
        return f"{self._spans.getrandbits(64):016x}"

    def reference(self, prefix: str) -> str:
        """An identifier that people may have to read aloud, such as an order's."""
        return prefix + "".join(self.chance.choices(_ALPHABET, k=10))

    def digits(self, length: int) -> str:
        """Random digits, such as a pickup code."""
        return "".join(self.chance.choices("0123456789", k=length))
