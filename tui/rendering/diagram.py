"""Places of a picture that can be chosen and opened, and the way from one to the next."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from tui.model.target import Target
from tui.rendering.canvas import Line


@dataclass(frozen=True, slots=True)
class Spot:
    """A part of a picture that stands for something."""

    target: Target
    left: int
    """In cells."""
    top: int
    """In lines."""
    cells: int
    lines: int = 1

    def holds(self, x: int, y: int) -> bool:
        """Whether a place of the picture is within it."""
        return 0 <= x - self.left < self.cells and 0 <= y - self.top < self.lines


@dataclass(frozen=True, slots=True)
class Picture:
    """Lines, and what in them can be chosen."""

    lines: list[Line]
    spots: list[Spot]

    def at(self, x: int, y: int) -> Spot | None:
        """The spot at a place."""
        return next((spot for spot in self.spots if spot.holds(x, y)), None)

    def spot(self, target: Target | None) -> Spot | None:
        """Where something stands, if it does; the first spot for nothing."""
        for spot in self.spots:
            if target is None or spot.target == target:
                return spot
        return None

    def beside(self, spot: Spot, right: int, down: int) -> Spot:
        """The next one in a direction, or the same where there is none."""
        if right:
            row = [each for each in self.spots if each.top == spot.top]
            return _next(sorted(row, key=lambda each: each.left), spot, right)
        rows = sorted({each.top for each in self.spots})
        top = _next(rows, spot.top, down)
        middle = spot.left + spot.cells // 2
        there = [each for each in self.spots if each.top == top]
        return min(there, key=lambda each: abs(each.left + each.cells // 2 - middle))


_Each = TypeVar("_Each")


def _next(several: Sequence[_Each], one: _Each, step: int) -> _Each:
    return several[max(0, min(len(several) - 1, several.index(one) + step))]
