"""Which presses count: one just after the widgets have changed was meant for the old ones.

So a double tap, an impatient third tap, or a key that is held down presses nothing on the next
page. Knows no screen.
"""

from collections.abc import Hashable

_NEAR = (6, 2)
"""Columns and rows within which two taps are at the same place."""


class Presses:
    """Tells presses that were meant for the present widgets from those that were not.

    Args:
        settle: seconds for which new widgets ignore presses, and within which a press of the same
            key, or at the same place, continues the gesture before it.
    """

    def __init__(self, settle: float) -> None:
        self._settle = settle
        self._changed = float("-inf")
        self._began = float("-inf")
        self._last: tuple[float, Hashable] = (float("-inf"), None)

    def changed(self, at: float) -> None:
        """The widgets have changed at a time, in seconds of the events' clock."""
        self._changed = at

    def counts(self, what: str | tuple[int, int], at: float) -> bool:
        """Whether a key, or a touch at a column and row, was meant for the present widgets."""
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
