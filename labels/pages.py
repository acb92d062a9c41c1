"""The sheets for labels, and the positions of the labels on them."""

from collections.abc import Iterator
from dataclasses import dataclass

from labels.layout import DOTS

MILLIMETRE = DOTS / 25.4
"""A millimetre in dots."""


@dataclass(frozen=True)
class Page:
    """A kind of sheet: its size and the positions of its labels, in millimetres."""

    title: str
    width: float
    height: float
    """0 for a roll that is cut after each label."""
    columns: int = 1
    rows: int = 1
    label_width: float = 0
    label_height: float = 0
    left: float = 0
    top: float = 0
    pitch: float = 0
    """The distance of columns; the label's width if 0."""
    lines: bool = False
    """Whether cutting lines are drawn."""

    @property
    def places(self) -> int:
        """The number of labels per sheet."""
        return self.columns * self.rows

    def cells(self) -> Iterator[tuple[int, int, int, int]]:
        """Left, top, width and height of each label in dots, row by row."""
        width, height = self.label_width or self.width, self.label_height or self.height
        for row in range(self.rows):
            for column in range(self.columns):
                place = (self.left + column * (self.pitch or width), self.top + row * height)
                left, top, wide, tall = (
                    round(each * MILLIMETRE) for each in (*place, width, height)
                )
                yield left, top, wide, tall


PAGES = {
    "a4": Page("A4, eight cards to cut", 210, 297, 2, 4, 105, 74.25, lines=True),
    "sign": Page("A4, one sign", 210, 297, 1, 1, 170, 257, 20, 20),
    "l7159": Page("Avery L7159, 24 of 64 x 34 mm", 210, 297, 3, 8, 63.5, 33.9, 7.2, 13.1, 66),
    "l7160": Page("Avery L7160, 21 of 64 x 38 mm", 210, 297, 3, 7, 63.5, 38.1, 7.2, 15.1, 66),
    "l7163": Page("Avery L7163, 14 of 99 x 38 mm", 210, 297, 2, 7, 99.1, 38.1, 4.7, 15.1, 101.6),
    "l7165": Page("Avery L7165, 8 of 99 x 68 mm", 210, 297, 2, 4, 99.1, 67.7, 4.7, 13.1, 101.6),
    "roll-62": Page("roll of 62 mm, cut after each label", 62, 0),
    "100x50": Page("labels of 100 x 50 mm, one to a page", 100, 50),
}  # fmt: skip
"""The sheets by the name that `--page` takes."""
