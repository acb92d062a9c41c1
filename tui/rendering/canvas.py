"""The canvas of all rendering: lines of styled text, tables, and formats of values."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from bus.text.duration import elapsed_short
from bus.text.safe import decoded, fit, short, visible, width
from bus.text.texts import Texts
from bus.text.wrap import wrapped
from commerce.price import price_text

Span = tuple[str, str]
"""A text and the name of its style: see `tui/theme.py`."""
Line = list[Span]
_DATA = b'"data":'
_EXCERPT = 300
"""The most bytes shown of a payload in one line."""
BARS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class Canvas:
    """The size, the language and the time for rendering."""

    width: int
    height: int
    say: Texts
    now: int
    """Milliseconds since the epoch."""

    def _(self, text: str, **values: object) -> str:
        """A text in the operator's language."""
        return self.say(text, **values)

    def lines(self, head: Line, body: Line) -> list[Line]:
        """Wrap a line after its head; the lines below are indented by it.

        Args:
            head: the beginning of the first line, which is never wrapped.
            body: the text to be wrapped.
        """
        before = breadth(head)
        if before + breadth(body) <= self.width:
            return [[*head, *body]]
        indent: Line = [(" " * before, "")]
        several = _styled(body, max(_LEAST, self.width - before))
        return [[*(indent if place else head), *line] for place, line in enumerate(several)]

    def flowed(self, *parts: Line) -> list[Line]:
        """Parts beside each other, on as many lines as they take; no part is wrapped."""
        lines: list[Line] = []
        for part in filter(None, parts):
            if lines and breadth(lines[-1]) + 2 + breadth(part) <= self.width:
                lines[-1] += [("  ", ""), *part]
            else:
                lines.append([*part])
        return [shortened(line, self.width) for line in lines]

    def fitted(self, *parts: tuple[int, str, str]) -> Line:
        """A line from which the least important parts are left out until it fits.

        Args:
            parts: rank (0 is never left out, the highest is left out first), text, style.
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
"""The least cells of a wrapped line."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table."""

    title: str
    """An English text, to be translated."""
    cells: int
    rank: int
    """The columns with the highest rank are left out first."""
    right: bool = False
    """Whether it is aligned to the right."""
    most: int = 0
    """The most cells that it takes if there is room."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its columns, and a text at the end of each row, which gets its room first."""

    columns: tuple[Column, ...]
    title: str
    """The title of the text at the end; an English text."""
    said: int
    """The least cells of the text at the end."""
    _by_width: dict[int, tuple[tuple[int, int], ...]] = field(default_factory=dict, compare=False)
    """A cache of the visible columns by width."""

    def heading(self, canvas: Canvas) -> Line:
        """The titles of the visible columns."""
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
            cells: text and style for each column, visible or not.
            said: the text at the end; if it does not fit, its middle is left out.
            is_excerpt: whether its end is cut off instead.
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
        """A canvas of the room for the text at the end."""
        taken = sum(cells + 1 for _, cells in self._shown(canvas.width))
        return replace(canvas, width=max(0, canvas.width - taken))

    def _shown(self, cells: int) -> tuple[tuple[int, int], ...]:
        if cells not in self._by_width:
            if len(self._by_width) >= _WIDTHS:
                self._by_width.clear()
            self._by_width[cells] = _shown(self.columns, cells - self.said)
        return self._by_width[cells]


def _shown(columns: tuple[Column, ...], cells: int) -> tuple[tuple[int, int], ...]:
    """The indexes of the visible columns, with the cells of each.

    Columns with a high rank are left out first; spare room goes to those with a low rank first.
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
    """The width of a line in cells."""
    return sum(width(visible(text)) for text, _ in line)


def shortened(line: Line, cells: int) -> Line:
    """Shorten a line: the middle of its longest part is left out.

    A sentence begins with what it is about, and ends with what is wrong.
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
    """Shorten a text by replacing its middle with `…`."""
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
    """Wrap a line; each character keeps its style."""
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
    """The beginning of a payload; of an envelope, of its data."""
    start = max(0, payload.find(_DATA, 0, 4 * _EXCERPT))
    return decoded(payload[start : start + _EXCERPT]).removeprefix(_DATA.decode()).removesuffix("}")


def weight(size: int) -> str:
    """A number of bytes in few cells."""
    return f"{size}B" if size < 10_000 else f"{size // 1024}K"  # noqa: PLR2004 - four digits fit


def money(total: tuple[int, str] | None) -> str:
    """An amount in minor units with its currency; a dash if it is not known."""
    return "-" if total is None else price_text(*total)


def spark(counts: Sequence[int | None], cells: int) -> str:
    """Counts as bars, the latest on the right; None is a gap."""
    shown = counts[-cells:] if cells > 0 else []
    most = max((count for count in shown if count is not None), default=0)
    bars = (
        " " if count is None else BARS[min(7, count * 8 // (most + 1))] if most else BARS[0]
        for count in shown
    )  # fmt: skip
    return "".join(bars).rjust(max(0, cells))
