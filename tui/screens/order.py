"""The screen of one order: its messages between the nodes, and what it waits for."""

from collections.abc import Iterable
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget

from bus.text.sentence import marked
from tui.context import ConsoleContext
from tui.model.swimlane import Arrow, swim_lane
from tui.model.tracked_order import TrackedOrder
from tui.rendering.orders import arrow, columns, history, summary, swim_lane_heading
from tui.screens.base import ConsoleScreen
from tui.widgets.line_list import LineList


class OrderScreen(ConsoleScreen):
    """The swimlane diagram of an order."""

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

    def __init__(self, context: ConsoleContext, order: str) -> None:
        super().__init__(context)
        self._order = order

    @property
    def order(self) -> TrackedOrder:
        """The order on the screen."""
        model = self.context.model
        return model.orders.get(self._order) or TrackedOrder(self._order)

    def body(self) -> Iterable[Widget]:
        """Summary, names of the nodes, messages."""
        yield LineList(cursor=False, id="summary")
        yield LineList(cursor=False, id="heading")
        yield LineList(id="lane")

    def on_mount(self) -> None:
        """Focus the diagram, and query the order."""
        self.query_one("#lane").focus()
        if self.context.feed is not None:
            self.context.feed.look(order=self._order)

    def on_unmount(self) -> None:
        """Stop querying the order."""
        if self.context.feed is not None:
            self.context.feed.look()

    def show(self) -> None:
        """Draw the order."""
        tracked, lines = self.order, self.query_one("#lane", LineList)
        canvas = self.context.canvas(lines.size.width, lines.size.height)
        reason = self.context.model.diagnose(tracked)
        told = self.query_one("#summary", LineList)
        said = summary(tracked, reason, self.context.canvas(self.size.width, self.size.height))
        told.styles.height = len(said)
        told.show(said)
        drawn = swim_lane(tracked)
        stuck = reason.hop if reason else None
        left, cells = columns(drawn, canvas)
        width = left + cells * len(drawn.columns)
        heading = self.query_one("#heading", LineList)
        heading.show([swim_lane_heading(drawn, canvas)], width=width, bar=False)
        heading.scroll_to(x=lines.scroll_x, animate=False, force=True)
        rows: list[object] = list(drawn.arrows)
        if tracked.dropped:
            forgotten = canvas._("{count} messages before are forgotten", count=tracked.dropped)
            rows.insert(0, [(forgotten, "dim")])
        if not drawn.arrows:
            rows.append([(canvas._("nothing was heard of it since the console started"), "dim")])
        rows += history(tracked, canvas)
        lines.show(
            rows,
            lambda row, _: arrow(row, drawn, canvas, stuck) if isinstance(row, Arrow) else row,
            width=width,
        )

    def preset(self) -> dict[str, object]:
        """This order."""
        return {"order": self._order}

    def action_back(self) -> None:
        """Go back."""
        self.app.pop_screen()

    @on(LineList.Chosen, "#lane")
    def action_message(self) -> None:
        """Show a message in full, if it is still kept."""
        row = self.query_one("#lane", LineList).item
        if isinstance(row, Arrow):
            self.show_message(row.hop.number)
