"""A diagram with hotspots that can be selected and opened."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from tui.model.target import Target
from tui.rendering.canvas import Line


@dataclass(frozen=True, slots=True)
class Hotspot:
    """A part of a diagram that opens something."""

    target: Target
    left: int
    """In cells."""
    top: int
    """In lines."""
    cells: int
    lines: int = 1

    def holds(self, x: int, y: int) -> bool:
        """Whether a cell is within it."""
        return 0 <= x - self.left < self.cells and 0 <= y - self.top < self.lines


@dataclass(frozen=True, slots=True)
class Diagram:
    """Lines, and the hotspots in them."""

    lines: list[Line]
    hotspots: list[Hotspot]

    def at(self, x: int, y: int) -> Hotspot | None:
        """The hotspot at a cell."""
        return next((hotspot for hotspot in self.hotspots if hotspot.holds(x, y)), None)

    def hotspot(self, target: Target | None) -> Hotspot | None:
        """The hotspot of a target, or the first one for None."""
        for hotspot in self.hotspots:
            if target is None or hotspot.target == target:
                return hotspot
        return None

    def beside(self, hotspot: Hotspot, right: int, down: int) -> Hotspot:
        """The next hotspot in a direction, or the same if there is none."""
        if right:
            row = [each for each in self.hotspots if each.top == hotspot.top]
            return _next(sorted(row, key=lambda each: each.left), hotspot, right)
        rows = sorted({each.top for each in self.hotspots})
        top = _next(rows, hotspot.top, down)
        middle = hotspot.left + hotspot.cells // 2
        there = [each for each in self.hotspots if each.top == top]
        return min(there, key=lambda each: abs(each.left + each.cells // 2 - middle))


_Each = TypeVar("_Each")


def _next(several: Sequence[_Each], one: _Each, step: int) -> _Each:
    return several[max(0, min(len(several) - 1, several.index(one) + step))]
