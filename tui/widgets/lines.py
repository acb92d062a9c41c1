"""A list of lines of which only those in sight are drawn: what every screen is painted with."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Protocol

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from bus.safe import visible
from tui import look
from tui.picture.paper import Line

_CURSOR = Style(reverse=True, bold=True)
_CHAR = 4
"""The most characters drawn for each cell of a line's width, whatever they are."""


class Items(Protocol):
    """What can be shown: anything that has a length and places."""

    def __len__(self) -> int:
        """How many there are."""

    def __getitem__(self, place: int, /) -> Any:
        """One of them."""


class Lines(ScrollView, can_focus=True):
    """Lines that are painted when they come in sight.

    Args:
        cursor: whether one of the lines is the chosen one.
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
        """Another line is the chosen one, by the operator's hand."""

        def __init__(self, lines: "Lines") -> None:
            super().__init__()
            self.lines = lines

        @property
        def control(self) -> "Lines":
            """The list it happened in."""
            return self.lines

    class Chosen(Moved):
        """A line was clicked twice: the operator wants to see more of it."""

    def __init__(self, *, cursor: bool = True, **options: Any) -> None:
        super().__init__(**options)
        self._cursor = cursor
        self.place = 0
        """Which line is the chosen one."""
        self._items: Items = ()
        self._paint: Callable[[Any, int], Line] = lambda item, _: item

    @property
    def items(self) -> Items:
        """What is shown, a line each."""
        return self._items

    @property
    def item(self) -> Any:
        """What stands in the chosen line, or None."""
        return self._items[self.place] if 0 <= self.place < len(self._items) else None

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
        """Show other items, or the same as they are now.

        Args:
            items: a line each; only those in sight are looked at.
            paint: makes the line of an item in a width; the items are lines if None.
            place: which is the chosen one; as before if None.
            follow: choose the last, and keep it in sight.
            width: of the lines, in cells, where they may be wider than the widget.
            bar: whether they can then be scrolled by hand.
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
            self.scroll_end(animate=False, x_axis=False)
        elif place is not None and place != before:
            self._keep_in_sight()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """A line as it is drawn."""
        left, top = self.scroll_offset
        width = self.size.width
        base = self.rich_style
        if not 0 <= top + y < len(self._items):
            return Strip.blank(width, base)
        dark = look.is_dark(self.app.theme)
        line = self._paint(self._items[top + y], self.size.width)
        segments = [
            Segment(visible(text[: _CHAR * (left + width)]), base + look.style(name, dark=dark))
            for text, name in line
        ]
        strip = Strip(segments).crop_extend(left, left + width, base)
        if self._cursor and top + y == self.place:
            strip = strip.apply_style(_CURSOR if self.has_focus else Style(underline=True))
        return strip

    def on_resize(self) -> None:
        """What was in sight stays in sight."""
        if self._cursor:
            self._keep_in_sight()

    def action_move(self, step: int) -> None:
        """Choose another line, or scroll where none is chosen."""
        if not self._cursor:
            self.scroll_relative(y=step, animate=False)
            return
        self._choose(self.place + step)

    def action_page(self, step: int) -> None:
        """Go on by what fits."""
        self.action_move(step * max(1, self.size.height - 1))

    def action_end(self, step: int) -> None:
        """Go to the first or last line."""
        self.action_move(step * len(self._items))

    def on_click(self, event: events.Click) -> None:
        """A line is chosen by a click, and opened by a second."""
        if not self._cursor:
            return
        place = self.scroll_offset.y + event.y
        if place < len(self._items):
            self._choose(place)
            if event.chain > 1:
                self.post_message(self.Chosen(self))

    def on_mouse_scroll_up(self) -> None:
        """Whoever turns the wheel wants to look at something, and not to follow."""
        if self._cursor:
            self.post_message(self.Moved(self))

    def _choose(self, place: int) -> None:
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
    """Cells that the widest of some lines takes."""
    return max((sum(cell_len(visible(text)) for text, _ in line) for line in lines), default=0)
