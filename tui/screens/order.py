"""One order: every message of it between the nodes, and the step it is stuck in."""

from collections.abc import Iterable
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget

from bus.text.sentence import marked
from tui.context import Desk
from tui.model.swimlane import Arrow, lane
from tui.model.tracked_order import Track
from tui.rendering.orders import arrow, columns, history, lane_heading, summary
from tui.screens.base import ConsoleScreen
from tui.widgets.line_list import Lines


class OrderScreen(ConsoleScreen):
    """The swim-lane of an order."""

    TAB = "orders"
    HELP_TEXT: ClassVar[str] = marked(
        "A column for each node, a line for each message: → requests, dashed replies, the time"
        " since the message before on the left, the answer time on the arrow. ×3 was heard three"
        " times, ✖ is a problem, … has no answer yet. On top stands what the order waits for and"
        " what to do about it; the message it is stuck behind is marked. Enter shows a message in"
        " full."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", marked("Back")),
        Binding("enter", "message", marked("Message")),
        Binding("X", "app.act('cancel')", marked("Cancel order")),
        Binding("O", "app.act('reassign')", marked("Another sorter")),
        Binding("C", "app.act('collect')", marked("Collect by code")),
        Binding("R", "app.act('resolve')", marked("Refund was refused")),
    ]

    def __init__(self, desk: Desk, order: str) -> None:
        super().__init__(desk)
        self._order = order

    @property
    def order(self) -> Track:
        """The order that is looked at."""
        model = self.desk.model
        return model.orders.get(self._order) or Track(self._order)

    def body(self) -> Iterable[Widget]:
        """What it is, the nodes, the messages."""
        yield Lines(cursor=False, id="summary")
        yield Lines(cursor=False, id="heading")
        yield Lines(id="lane")

    def on_mount(self) -> None:
        """The lane has the keys; settlement is asked."""
        self.query_one("#lane").focus()
        if self.desk.feed is not None:
            self.desk.feed.look(order=self._order)

    def on_unmount(self) -> None:
        """Nobody looks any more."""
        if self.desk.feed is not None:
            self.desk.feed.look()

    def show(self) -> None:
        """Draw the lane as it is now."""
        track, lines = self.order, self.query_one("#lane", Lines)
        paper = self.desk.paper(lines.size.width, lines.size.height)
        reason = self.desk.model.why(track)
        told = self.query_one("#summary", Lines)
        said = summary(track, reason, self.desk.paper(self.size.width, self.size.height))
        told.styles.height = len(said)
        told.show(said)
        picture = lane(track)
        stuck = reason.hop if reason else None
        left, cells = columns(picture, paper)
        width = left + cells * len(picture.columns)
        heading = self.query_one("#heading", Lines)
        heading.show([lane_heading(picture, paper)], width=width, bar=False)
        heading.scroll_to(x=lines.scroll_x, animate=False, force=True)
        rows: list[object] = list(picture.arrows)
        if track.dropped:
            forgotten = paper._("{count} messages before are forgotten", count=track.dropped)
            rows.insert(0, [(forgotten, "dim")])
        if not picture.arrows:
            rows.append([(paper._("nothing was heard of it since the console began"), "dim")])
        rows += history(track, paper)
        lines.show(
            rows,
            lambda row, _: arrow(row, picture, paper, stuck) if isinstance(row, Arrow) else row,
            width=width,
        )

    def preset(self) -> dict[str, object]:
        """This order."""
        return {"order": self._order}

    def action_back(self) -> None:
        """To the table."""
        self.app.pop_screen()

    @on(Lines.Chosen, "#lane")
    def action_message(self) -> None:
        """Show a message in full, if it is still kept."""
        row = self.query_one("#lane", Lines).item
        if isinstance(row, Arrow):
            self.show_message(row.hop.number)
