"""A list of lines of which only the visible ones are rendered."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.filter import ANSIToTruecolor, LineFilter
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from bus.text.safe import LONGEST, visible
from tui import theme
from tui.rendering.canvas import Line, Span, shortened

_CURSOR = Style(reverse=True, bold=True)
_CURSOR_ELSEWHERE = Style(underline=True)
_CHAR = 4
"""The most characters rendered per cell of width."""


class Items(Protocol):
    """Items to be shown: anything with a length and indexes."""

    def __len__(self) -> int:
        """How many there are."""

    def __getitem__(self, place: int, /) -> Any:
        """One of them."""


_Drawn = tuple[tuple[Span, ...], Style | None]
"""A line, and its style if it is selected."""


@dataclass(frozen=True, slots=True)
class Brush:
    """Renders lines as strips."""

    base: Style
    """The base style."""
    dark: bool
    left: int
    """Cells scrolled out to the left."""
    width: int
    """Visible cells."""
    scrolls: bool = False
    """Whether the list scrolls sideways; if not, long lines are shortened."""

    def strip(self, line: Sequence[Span], over: Style | None) -> Strip:
        """A line as a strip, with a style over all of it."""
        segments, cells = self._segments(line)
        if cells > self.width and not self.scrolls:
            cut = shortened([(text[:LONGEST], name) for text, name in line], self.width)
            segments, cells = self._segments(cut)
        if self.left or cells > self.width:
            strip = Strip(segments, cells).crop_extend(self.left, self.left + self.width, self.base)
        else:
            if cells < self.width:
                segments.append(Segment(" " * (self.width - cells), self.base))
            strip = Strip(segments, self.width)
        return strip.apply_style(over) if over is not None else strip

    def _segments(self, line: Sequence[Span]) -> tuple[list[Segment], int]:
        """The styled segments of a line, and their width."""
        segments, cells = [], 0
        for text, name in line:
            shown = visible(text[: _CHAR * (self.left + self.width)])
            segments.append(Segment(shown, self.base + theme.style(name, dark=self.dark)))
            cells += cell_len(shown)
        return segments, cells


class LineList(ScrollView, can_focus=True):
    """A scrollable list whose lines are rendered when they become visible.

    Args:
        cursor: whether one of the lines is selected.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home", "end(-1)", show=False),
        Binding("end", "end(1)", show=False),
    ]

    class Moved(Message):
        """The operator has selected another line."""

        def __init__(self, lines: "LineList") -> None:
            super().__init__()
            self.lines = lines

        @property
        def control(self) -> "LineList":
            """The list."""
            return self.lines

    class Chosen(Moved):
        """A line was double-clicked."""

    def __init__(self, *, cursor: bool = True, **options: Any) -> None:
        super().__init__(**options)
        self._cursor = cursor
        self.place = 0
        """The index of the selected line."""
        self.moved = False
        """Whether the operator has selected it, so that it does not follow the end."""
        self._items: Items = ()
        self._paint: Callable[[Any, int], Line] = lambda item, _: item
        self._brush = Brush(Style.null(), dark=True, left=0, width=0)
        self._drawn: dict[_Drawn, Strip] = {}
        """A cache of the strips rendered last."""

    @property
    def items(self) -> Items:
        """The items, one per line."""
        return self._items

    @property
    def item(self) -> Any:
        """The selected item, or None."""
        return self._items[self.place] if 0 <= self.place < len(self._items) else None

    def stays(self, items: Sequence[Any], name: Callable[[Any], object]) -> int | None:
        """The index of the selected item among new items, by its name."""
        if not self.moved or self.item is None:
            return None
        chosen = name(self.item)
        return next((place for place, each in enumerate(items) if name(each) == chosen), None)

    def show(
        self,
        items: Items,
        paint: Callable[[Any, int], Line] | None = None,
        *,
        place: int | None = None,
        follow: bool = False,
        width: int = 0,
        bar: bool = True,
    ) -> None:
        """Show items.

        Args:
            items: one per line; only visible ones are accessed.
            paint: makes the line of an item for a width; if None, the items are lines.
            place: the index of the selected item; as before if None.
            follow: select the last item, and scroll to it.
            width: of the lines in cells, if they may be wider than the widget.
            bar: whether they can then be scrolled sideways.
        """
        self._items = items
        if paint is not None:
            self._paint = paint
        self.styles.overflow_x = "auto" if bar and width > self.size.width else "hidden"
        self.virtual_size = Size(max(width, self.size.width), len(items))
        before = self.place
        wanted = len(items) - 1 if follow else self.place if place is None else place
        self.place = max(0, min(wanted, len(items) - 1))
        if follow:
            self.moved = False
            self.scroll_to(y=self.max_scroll_y, animate=False)
        elif place is not None and place != before:
            self._keep_in_sight()
        self.refresh()

    def get_line_filters(self) -> Sequence[LineFilter]:
        """All filters but one: no style here uses the terminal's own colours."""
        filters = super().get_line_filters()
        return [each for each in filters if not isinstance(each, ANSIToTruecolor)]

    def render_lines(self, crop: Region) -> list[Strip]:
        """Render the visible lines.

        Without borders and padding, Textual's own handling of these is bypassed, since it costs
        several times as much as the lines.
        """
        dark = theme.is_dark(self.app.theme)
        scrolls = self.virtual_size.width > self.size.width
        brush = Brush(self.rich_style, dark, self.scroll_offset.x, self.size.width, scrolls)
        if brush != self._brush:
            self._brush, self._drawn = brush, {}
        if self.styles.gutter:
            return super().render_lines(crop)
        before, self._drawn = self._drawn, {}
        filters, background = self.get_line_filters(), self.background_colors[1]
        strips = []
        for y in crop.line_range:
            line = self._line(y)
            strip = before.get(line) or brush.strip(*line)
            self._drawn[line] = strip
            for each in filters:
                strip = strip.apply_filter(each, background)
            strips.append(strip.crop(*crop.column_span))
        return strips

    def render_line(self, y: int) -> Strip:
        """Render a line within borders or padding."""
        return self._brush.strip(*self._line(y))

    def _line(self, y: int) -> _Drawn:
        place = self.scroll_offset.y + y
        if not 0 <= place < len(self._items):
            return (), None
        chosen = None
        if self._cursor and place == self.place:
            chosen = _CURSOR if self.has_focus else _CURSOR_ELSEWHERE
        return tuple(self._paint(self._items[place], self.size.width)), chosen

    def on_resize(self) -> None:
        """Keep the selected line visible."""
        if self._cursor:
            self._keep_in_sight()

    def action_move(self, step: int) -> None:
        """Select another line; without a cursor, scroll."""
        if not self._cursor:
            self.scroll_relative(y=step, animate=False)
            return
        self._choose(self.place + step)

    def action_page(self, step: int) -> None:
        """Move by a page."""
        self.action_move(step * max(1, self.size.height - 1))

    def action_end(self, step: int) -> None:
        """Move to the first or last line."""
        self.action_move(step * len(self._items))

    def on_click(self, event: events.Click) -> None:
        """Select a line by a click; open it by a double click."""
        if not self._cursor:
            return
        place = self.scroll_offset.y + event.y
        if place < len(self._items):
            self._choose(place)
            if event.chain > 1:
                self.post_message(self.Chosen(self))

    def on_mouse_scroll_up(self) -> None:
        """Scrolling with the wheel stops following the end."""
        if self._cursor:
            self.moved = True
            self.post_message(self.Moved(self))

    def _choose(self, place: int) -> None:
        self.moved = True
        self.place = max(0, min(place, len(self._items) - 1))
        self._keep_in_sight()
        self.refresh()
        self.post_message(self.Moved(self))

    def _keep_in_sight(self) -> None:
        top, height = self.scroll_offset.y, max(1, self.size.height)
        if self.place < top:
            self.scroll_to(y=self.place, animate=False, immediate=True)
        elif self.place >= top + height:
            self.scroll_to(y=self.place - height + 1, animate=False, immediate=True)


def widest(lines: Sequence[Line]) -> int:
    """The width of the widest line in cells."""
    return max((sum(cell_len(visible(text)) for text, _ in line) for line in lines), default=0)
