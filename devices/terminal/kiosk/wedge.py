"""A keyboard-wedge scanner: fast keys ended by Enter are a code, whatever has the focus."""

from devices.terminal.code import is_of_a_code, pickup_code

_LEAST = 8
"""Characters of the shortest code of a product (GTIN-8)."""


class Wedge:
    """Tells a scanner's keys from a person's by their speed.

    Args:
        gap: the most seconds between two keys of a scanner.
    """

    def __init__(self, gap: float) -> None:
        self.gap = gap
        self._last = float("-inf")
        self._typed = ""

    def is_new(self, at: float) -> bool:
        """Whether a key that comes now is the first of its run."""
        return not self._typed or at - self._last > self.gap

    def key(self, key: str, character: str | None, at: float) -> str | None:
        """Take a key pressed at a time in seconds; the code that it completes, if any."""
        typed = "" if self.is_new(at) else self._typed
        self._last, self._typed = at, ""
        if key == "enter":
            return typed if len(typed) >= _LEAST or pickup_code(typed) else None
        if character is not None and is_of_a_code(character):
            self._typed = typed + character
        return None
