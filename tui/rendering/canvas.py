"""What is drawn on: lines of text with the names of styles, and how values are written."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from bus.text.duration import elapsed_short
from bus.text.safe import decoded, fit, short, visible, width
from bus.text.texts import Texts
from bus.text.wrap import wrapped
from commerce.price import price_text

Span = tuple[str, str]
"""A text and the name of its style: see `tui/look.py`."""
Line = list[Span]
_DATA = b'"data":'
_EXCERPT = 300
"""Bytes of a payload that are shown in a line."""
BARS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class Canvas:
    """How much room there is, in which language, and what time it is."""

    width: int
    height: int
    say: Texts
    now: int
    """Milliseconds since the epoch."""

    def _(self, text: str, **values: object) -> str:
        """A text in the operator's language."""
        return self.say(text, **values)

    def lines(self, head: Line, body: Line) -> list[Line]:
        """A line that is as long as it may be, in as many as that takes; below its head is room.

        Args:
            head: stands before the first line and is never broken.
            body: what is broken where readers expect it.
        """
        before = breadth(head)
        if before + breadth(body) <= self.width:
            return [[*head, *body]]
        indent: Line = [(" " * before, "")]
        several = _styled(body, max(_LEAST, self.width - before))
        return [[*(indent if place else head), *line] for place, line in enumerate(several)]

    def flowed(self, *parts: Line) -> list[Line]:
        """Parts beside each other, in as many lines as that takes; none of them is broken."""
        lines: list[Line] = []
        for part in filter(None, parts):
            if lines and breadth(lines[-1]) + 2 + breadth(part) <= self.width:
                lines[-1] += [("  ", ""), *part]
            else:
                lines.append([*part])
        return [shortened(line, self.width) for line in lines]

    def fitted(self, *parts: tuple[int, str, str]) -> Line:
        """As much of a line as there is room for: its least important parts are left out first.

        Args:
            parts: how unimportant it is (0 is never left out), its text and its style.
        """
        kept = [(rank, visible(text), style) for rank, text, style in parts if text]
        while sum(width(text) for _, text, _ in kept) > self.width:
            least = max(range(len(kept)), key=lambda place: kept[place][0])
            if not kept[least][0]:
                return shortened([(text, style) for _, text, style in kept], self.width)
            del kept[least]
        return [(text, style) for _, text, style in kept]


_WIDTHS = 50
_LEAST = 8
"""Cells of a broken line at least."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table."""

    title: str
    """An English text, to be translated."""
    cells: int
    rank: int
    """How unimportant it is: where room is scarce, the highest is left out first."""
    right: bool = False
    """Whether it stands on the right of its cells."""
    most: int = 0
    """Cells that it takes where there is room, if more."""


@dataclass(frozen=True, slots=True)
class Table:
    """Columns, and what is said at the end of each row, which gets the room it needs first."""

    columns: tuple[Column, ...]
    title: str
    """Of what is said at the end; an English text."""
    said: int
    """Cells that this needs at least."""
    _by_width: dict[int, tuple[tuple[int, int], ...]] = field(default_factory=dict, compare=False)
    """What is shown at the widths at which it was drawn lately."""

    def heading(self, canvas: Canvas) -> Line:
        """The names of the columns that there is room for."""
        line = "".join(
            fit(canvas._(self.columns[place].title), cells, right=self.columns[place].right) + " "
            for place, cells in self._shown(canvas.width)
        )
        return [(line + canvas._(self.title), "dim")]

    def row(
        self, canvas: Canvas, cells: Sequence[Span], said: Line, *, is_excerpt: bool = False
    ) -> Line:
        """A row.

        Args:
            canvas: to draw on.
            cells: a text and a style for each column, whether there is room for it or not.
            said: at the end; a sentence loses its middle where it does not fit.
            is_excerpt: whether it is none, and loses its end.
        """
        line: Line = []
        room = canvas.width
        for place, most in self._shown(canvas.width):
            text, style = cells[place]
            line.append((fit(text, most, right=self.columns[place].right) + " ", style))
            room -= most + 1
        if is_excerpt:
            return line + [(short(text[: room + 1], room), style) for text, style in said[:1]]
        return line + shortened(said, room)

    def room(self, canvas: Canvas) -> Canvas:
        """What there is for what is said at the end of each row."""
        taken = sum(cells + 1 for _, cells in self._shown(canvas.width))
        return replace(canvas, width=max(0, canvas.width - taken))

    def _shown(self, cells: int) -> tuple[tuple[int, int], ...]:
        if cells not in self._by_width:
            if len(self._by_width) >= _WIDTHS:
                self._by_width.clear()
            self._by_width[cells] = _shown(self.columns, cells - self.said)
        return self._by_width[cells]


def _shown(columns: tuple[Column, ...], cells: int) -> tuple[tuple[int, int], ...]:
    """The places of the columns that there is room for, and the cells that each gets.

    The least important are left out; if there is room to spare, the most important get it first.
    """
    kept = {place: each.cells for place, each in enumerate(columns)}
    by_rank = sorted(kept, key=lambda place: columns[place].rank)
    while by_rank and columns[by_rank[-1]].rank and sum(kept.values()) + len(kept) > cells:
        del kept[by_rank.pop()]
    for place in by_rank:
        spare = cells - sum(kept.values()) - len(kept)
        kept[place] += max(0, min(spare, columns[place].most - kept[place]))
    return tuple(kept.items())


def breadth(line: Line) -> int:
    """Cells that a line takes."""
    return sum(width(visible(text)) for text, _ in line)


def shortened(line: Line, cells: int) -> Line:
    """A line at most so many cells wide: of its longest part the middle is left out.

    A sentence says at its beginning what it is about, and at its end what is wrong.
    """
    too_many = breadth(line) - cells
    if too_many <= 0 or not line:
        return line
    longest = max(range(len(line)), key=lambda place: width(visible(line[place][0])))
    text, style = visible(line[longest][0]), line[longest][1]
    left = max(1, width(text) - too_many)
    cut = [*line[:longest], (middle_out(text, left), style), *line[longest + 1 :]]
    return shortened(cut, cells) if left < width(text) else cut


def middle_out(text: str, cells: int) -> str:
    """A text at most so many cells wide, with `…` for what its middle was."""
    shown = visible(text)
    if width(shown) <= cells:
        return shown
    if cells <= 1:
        return "…"[: max(0, cells)]
    left = (cells - 1) * 2 // 5
    head, tail = "", ""
    for character in shown:
        if width(head + character) > left:
            break
        head += character
    for character in reversed(shown):
        if width(character + tail) > cells - 1 - width(head):
            break
        tail = character + tail
    return f"{head}…{tail}"


def _styled(line: Line, cells: int) -> list[Line]:
    """A line in several, each sign in the style that it had."""
    told = [(visible(text), style) for text, style in line]
    styles = iter([style for text, style in told for character in text if not character.isspace()])
    lines: list[Line] = []
    for text in wrapped("".join(text for text, _ in told), cells):
        spans: Line = []
        for character in text:
            style = spans[-1][1] if character.isspace() and spans else next(styles, "")
            if spans and spans[-1][1] == style:
                spans[-1] = (spans[-1][0] + character, style)
            else:
                spans.append((character, style))
        lines.append(spans)
    return lines


def clock(at: int) -> str:
    """The time of day."""
    return f"{datetime.fromtimestamp(at // 1000):%H:%M:%S}"  # noqa: DTZ006 - the operator's own


def day(at: int) -> str:
    """The day."""
    return f"{datetime.fromtimestamp(at // 1000):%Y-%m-%d}"  # noqa: DTZ006 - the operator's own


def moment(at: int) -> str:
    """The time of day with milliseconds."""
    return f"{clock(at)}.{at % 1000:03d}"


def lasting(milliseconds: int | None) -> str:
    """A duration in few cells; a dash if it is not known."""
    return "-" if milliseconds is None else elapsed_short(milliseconds)


def excerpt(payload: bytes) -> str:
    """The beginning of what a payload says: of an envelope its data."""
    start = max(0, payload.find(_DATA, 0, 4 * _EXCERPT))
    return decoded(payload[start : start + _EXCERPT]).removeprefix(_DATA.decode()).removesuffix("}")


def weight(size: int) -> str:
    """A number of bytes, short."""
    return f"{size}B" if size < 10_000 else f"{size // 1024}K"  # noqa: PLR2004 - four digits fit


def money(total: tuple[int, str] | None) -> str:
    """An amount in minor units with its currency; a dash if it is not known."""
    return "-" if total is None else price_text(*total)


def spark(counts: Sequence[int | None], cells: int) -> str:
    """Counts as bars, the youngest on the right; a gap where nothing was told."""
    shown = counts[-cells:] if cells > 0 else []
    most = max((count for count in shown if count is not None), default=0)
    bars = (
        " " if count is None else BARS[min(7, count * 8 // (most + 1))] if most else BARS[0]
        for count in shown
    )  # fmt: skip
    return "".join(bars).rjust(max(0, cells))
