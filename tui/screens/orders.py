"""All orders by state and age: which of them does not move?"""

from collections.abc import Iterable
from operator import attrgetter
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget

from bus.text.sentence import marked
from tui.context import Desk
from tui.model.swimlane import Arrow, lane
from tui.model.target import Target
from tui.model.tracked_order import STATES, Track
from tui.rendering.canvas import Line
from tui.rendering.orders import TABLE, arrow, lane_heading, row, summary, why_lines
from tui.rendering.words import ORDER
from tui.screens.base import ConsoleScreen
from tui.widgets.line_list import Lines

_CHOICES = ("all", "open", "waiting", *STATES)


class OrdersScreen(ConsoleScreen):
    """The orders, those that moved last on top."""

    TAB = "orders"
    HELP_TEXT: ClassVar[str] = marked(
        "Orders, those that moved last on top, each with its state, how long it has been in it,"
        " and what it waits for. s and S go through the states: all, open, those that wait for"
        " something that is wrong, and each state. Enter shows the way of an order."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "state(1)", marked("State")),
        Binding("S", "state(-1)", marked("State"), show=False),
        Binding("enter", "open", marked("Open")),
        Binding("X", "app.act('cancel')", marked("Cancel order")),
        Binding("O", "app.act('reassign')", marked("Another sorter")),
        Binding("C", "app.act('collect')", marked("Collect by code")),
    ]

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._choice = 0

    def body(self) -> Iterable[Widget]:
        """A table."""
        yield Lines(cursor=False, id="heading")
        yield Lines(id="orders")
        yield Lines(cursor=False, id="chosen")
        yield Lines(cursor=False, id="note")

    def on_mount(self) -> None:
        """The table has the keys."""
        self.query_one("#orders").focus()

    def show(self) -> None:
        """Draw the table; the chosen order stays the chosen one wherever it goes."""
        table = self.query_one("#orders", Lines)
        paper = self.desk.paper(table.size.width, table.size.height)
        self.query_one("#heading", Lines).show([TABLE.heading(paper)])
        tracks = self._tracks()
        table.show(tracks, lambda track, _: row(track, self.desk.model.why(track), paper),
                   place=table.stays(tracks, attrgetter("order")))  # fmt: skip
        self.query_one("#note", Lines).show([self._note(len(tracks))])
        self._show_chosen()

    def _show_chosen(self) -> None:
        """What the chosen order waits for, in all its words; on a tall terminal all its way."""
        sheet, track = self.query_one("#chosen", Lines), self.order
        if track is None:
            sheet.show([])
            return
        reason = self.desk.model.why(track)
        paper = self.desk.paper(self.size.width, self.size.height)
        if not self.has_class("-tall"):
            sheet.show(why_lines(track, reason, paper))
            return
        way, stuck = lane(track), reason.hop if reason else None
        sheet.show(
            [*summary(track, reason, paper), [], lane_heading(way, paper), *way.arrows],
            lambda row, _: arrow(row, way, paper, stuck) if isinstance(row, Arrow) else row,
        )

    @on(Lines.Moved, "#orders")
    def look_at_another(self) -> None:
        """Another is looked at; the table is drawn anew at its time, and not under the hand."""
        self._show_chosen()

    def _tracks(self) -> list[Track]:
        choice, model = _CHOICES[self._choice], self.desk.model
        chosen = [track for track in model.orders if self._passes(track, choice)]
        return sorted(chosen, key=lambda track: -track.active)

    def _passes(self, track: Track, choice: str) -> bool:
        if choice == "all":
            return True
        if choice == "open":
            return not track.final
        if choice == "waiting":
            reason = self.desk.model.why(track)
            return reason is not None and not reason.normal
        return track.state == choice

    def _note(self, count: int) -> Line:
        choice = _CHOICES[self._choice]
        names = {"all": self._("all"), "open": self._("open"), "waiting": self._("something wrong")}
        name = names.get(choice) or self._(ORDER[choice][2])
        line: Line = [(self._("{count} orders", count=count) + "  ", ""), (name, "key")]
        if self.desk.model.orders.dropped:
            forgotten = self.desk.model.orders.dropped
            line.append((self._("  {count} older ones forgotten", count=forgotten), "dim"))
        return line

    @property
    def order(self) -> Track | None:
        """The order that is looked at."""
        item = self.query_one("#orders", Lines).item
        return item if isinstance(item, Track) else None

    def preset(self) -> dict[str, object]:
        """The chosen order."""
        return {"order": self.order.order} if self.order else {}

    @on(Lines.Chosen, "#orders")
    def action_open(self) -> None:
        """Show its way."""
        if self.order is not None:
            self.open(Target("order", self.order.order))

    def action_state(self, step: int) -> None:
        """Go through the states."""
        self._choice = (self._choice + step) % len(_CHOICES)
        self.draw()
