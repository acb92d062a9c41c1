"""Where time, chance and identifiers come from; a simulation hands in its own."""

import os
import random
import socket
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

from bus.text.safe import visible

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: nothing to misread
_DRAWN = 50
"""Bits of an identifier: ten characters of five."""
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
_HOST = Path("/proc/sys/kernel/random/boot_id")


@cache
def _host() -> str:
    with suppress(OSError, UnicodeDecodeError):
        return _HOST.read_text(encoding="ascii").strip()
    return ""


class Environment:
    """The clocks, the chance and the identifiers of one start of a node.

    There are two clocks: `now` is the time of day, which is for people and may be set at any time,
    and `steady` is for whatever waits (see docs/adr/0013).

    Args:
        chance: what identifiers and everything else are drawn from; the operating system's if None.
    """

    def __init__(self, chance: random.Random | None = None) -> None:
        self.chance = chance or random.SystemRandom()
        self.spread = chance or random.Random()
        """For what need not be secret, such as when something is tried again."""
        self.boot = f"{self.chance.getrandbits(48):012x}"
        """Names this start of the process."""
        self._count = 0
        self._steady_since: int | None = None

    def now(self) -> int:
        """Milliseconds since the epoch by the wall clock: somebody may set it, either way."""
        return time.time_ns() // 1_000_000

    def elapsed(self) -> float:
        """Seconds of a clock that is never set, and goes on while the process or host sleeps."""
        return time.clock_gettime(_CLOCK)

    def host(self) -> str:
        """Names this start of the host, from which `elapsed` counts; empty if nothing says so."""
        return _host()

    def computer(self) -> str:
        """The name of the host, for people."""
        return socket.gethostname()

    def process(self) -> int:
        """The number of the process."""
        return os.getpid()

    def folder(self, path: Path) -> str:
        """A folder of the host, for people."""
        return visible(str(path.resolve()))

    def uptime(self) -> int:
        """`elapsed` in whole milliseconds, rounded down as `now` is."""
        return int(self.elapsed() * 1000 + 1e-6)

    def steady(self) -> int:
        """Milliseconds of the node's steady clock: for whatever waits.

        It begins with the wall clock's time, is never set, and goes on across restarts where its
        node has recorded it.
        """
        if self._steady_since is None:
            self._steady_since = self.now() - self.uptime()
        return self._steady_since + self.uptime()

    def resume(self, steady: int) -> None:
        """Let the steady clock go on from this time, in milliseconds."""
        self._steady_since = steady - self.uptime()

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
