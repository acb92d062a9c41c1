"""Where time, chance and identifiers come from; a simulation hands in its own."""

import random
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: nothing to misread
_DRAWN = 50
"""Bits of an identifier: ten characters of five."""
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Identity:
    """The clock, the chance and the identifiers of one start of a node.

    Args:
        chance: what identifiers and everything else are drawn from; the operating system's if None.
    """

    def __init__(self, chance: random.Random | None = None) -> None:
        self.chance = chance or random.SystemRandom()
        self.spread = chance or random.Random()
        """For what anybody may guess, such as when something is tried again."""
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
        return f"{self.spread.getrandbits(64):016x}"

    def reference(self, prefix: str) -> str:
        """An identifier that people may have to read aloud, such as an order's."""
        drawn = self.chance.getrandbits(_DRAWN)
        return prefix + "".join([_ALPHABET[drawn >> shift & 31] for shift in range(0, _DRAWN, 5)])

    def digits(self, length: int) -> str:
        """Random digits, such as a pickup code."""
        return f"{self.chance.randrange(10**length):0{length}d}"
