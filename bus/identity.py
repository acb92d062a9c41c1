"""Where time and identifiers come from; a simulation hands in its own."""

import secrets
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: nothing to misread


class Identity:
    """The clock and the identifiers of one start of a node."""

    def __init__(self) -> None:
        self.boot = secrets.token_hex(6)
        """Names this start of the process."""
        self._count = 0

    def now(self) -> int:
        """Milliseconds since the epoch."""
        return time.time_ns() // 1_000_000

    def message(self) -> str:
        """An id that no other message of this node ever had."""
        self._count += 1
        return f"{self.boot}-{self._count:x}"

    def span(self) -> str:
        """16 hex digits for a traceparent."""
        return secrets.token_hex(8)

    def reference(self, prefix: str) -> str:
        """An identifier that people may have to read aloud, such as an order's."""
        return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(10))

    def digits(self, length: int) -> str:
        """Random digits, such as a pickup code."""
        return "".join(secrets.choice("0123456789") for _ in range(length))
