"""Which presses count: what has just come under the finger is not what it was meant for.

A second tap, a third one of somebody impatient, a key that is held down: they belong to what was
there before. Knows no screen.
"""

from collections.abc import Hashable

_NEAR = (6, 2)
"""Columns and rows within which a finger meets the same place again."""


class Presses:
    """Tells presses that were meant for what is shown from those that were not.

    Args:
        settle: seconds that what has changed takes no press, and within which another press of
            the same key, or at the same place, goes on with the gesture before.
    """

    def __init__(self, settle: float) -> None:
        self._settle = settle
        self._changed = float("-inf")
        self._began = float("-inf")
        self._last: tuple[float, Hashable] = (float("-inf"), None)

    def changed(self, at: float) -> None:
        """Something else is under the finger, since so many seconds of the events' clock."""
        self._changed = at

    def counts(self, what: str | tuple[int, int], at: float) -> bool:
        """Whether a key, or a touch at a column and row, was meant for what is shown."""
        before, last = self._last
        goes_on = at - before < self._settle and _same(what, last)
        if not goes_on:
            self._began = at
        self._last = (at, what)
        return at - self._changed >= self._settle and self._began >= self._changed


def _same(one: str | tuple[int, int], other: Hashable) -> bool:
    if isinstance(one, tuple) and isinstance(other, tuple):
        return all(abs(a - b) <= most for a, b, most in zip(one, other, _NEAR, strict=True))
    return one == other
