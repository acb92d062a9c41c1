"""The orders screen."""

from collections.abc import Iterable
from operator import attrgetter
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget

from bus.text.sentence import marked
from tui.context import ConsoleContext
from tui.model.swimlane import Arrow, swim_lane
from tui.model.target import Target
from tui.model.tracked_order import STATES, TrackedOrder
from tui.rendering.canvas import Line
from tui.rendering.orders import TABLE, arrow, reason_lines, row, summary, swim_lane_heading
from tui.rendering.words import ORDER
from tui.screens.base import ConsoleScreen
from tui.widgets.line_list import LineList

_CHOICES = ("all", "open", "waiting", *STATES)


class OrdersScreen(ConsoleScreen):
    """The orders, those active last on top."""

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

    def __init__(self, context: ConsoleContext) -> None:
        super().__init__(context)
        self._choice = 0

    def body(self) -> Iterable[Widget]:
        """A table."""
        yield LineList(cursor=False, id="heading")
        yield LineList(id="orders")
        yield LineList(cursor=False, id="chosen")
        yield LineList(cursor=False, id="note")

    def on_mount(self) -> None:
        """Focus the table."""
        self.query_one("#orders").focus()

    def show(self) -> None:
        """Draw the table; the selected order stays selected wherever it moves."""
        table = self.query_one("#orders", LineList)
        canvas = self.context.canvas(table.size.width, table.size.height)
        self.query_one("#heading", LineList).show([TABLE.heading(canvas)])
        tracked_orders = self._orders()
        model = self.context.model
        table.show(
            tracked_orders,
            lambda tracked, _: row(tracked, model.diagnose(tracked), canvas),
            place=table.stays(tracked_orders, attrgetter("order")),
        )
        self.query_one("#note", LineList).show([self._note(len(tracked_orders))])
        self._show_chosen()

    def _show_chosen(self) -> None:
        """What the selected order waits for; on a tall terminal also its swimlane diagram."""
        sheet, tracked = self.query_one("#chosen", LineList), self.order
        if tracked is None:
            sheet.show([])
            return
        reason = self.context.model.diagnose(tracked)
        canvas = self.context.canvas(self.size.width, self.size.height)
        if not self.has_class("-tall"):
            sheet.show(reason_lines(tracked, reason, canvas))
            return
        way, stuck = swim_lane(tracked), reason.hop if reason else None
        sheet.show(
            [*summary(tracked, reason, canvas), [], swim_lane_heading(way, canvas), *way.arrows],
            lambda row, _: arrow(row, way, canvas, stuck) if isinstance(row, Arrow) else row,
        )

    @on(LineList.Moved, "#orders")
    def look_at_another(self) -> None:
        """Another order is selected."""
        self._show_chosen()

    def _orders(self) -> list[TrackedOrder]:
        choice, model = _CHOICES[self._choice], self.context.model
        chosen = [tracked for tracked in model.orders if self._passes(tracked, choice)]
        return sorted(chosen, key=lambda tracked: -tracked.active)

    def _passes(self, tracked: TrackedOrder, choice: str) -> bool:
        if choice == "all":
            return True
        if choice == "open":
            return not tracked.final
        if choice == "waiting":
            reason = self.context.model.diagnose(tracked)
            return reason is not None and not reason.normal
        return tracked.state == choice

    def _note(self, count: int) -> Line:
        choice = _CHOICES[self._choice]
        names = {"all": self._("all"), "open": self._("open"), "waiting": self._("something wrong")}
        name = names.get(choice) or self._(ORDER[choice][2])
        line: Line = [(self._("{count} orders", count=count) + "  ", ""), (name, "key")]
        if self.context.model.orders.dropped:
            forgotten = self.context.model.orders.dropped
            line.append((self._("  {count} older ones forgotten", count=forgotten), "dim"))
        return line

    @property
    def order(self) -> TrackedOrder | None:
        """The selected order."""
        item = self.query_one("#orders", LineList).item
        return item if isinstance(item, TrackedOrder) else None

    def preset(self) -> dict[str, object]:
        """The selected order."""
        return {"order": self.order.order} if self.order else {}

    @on(LineList.Chosen, "#orders")
    def action_open(self) -> None:
        """Open the selected order."""
        if self.order is not None:
            self.open(Target("order", self.order.order))

    def action_state(self, step: int) -> None:
        """Switch to the next state filter."""
        self._choice = (self._choice + step) % len(_CHOICES)
        self.draw()
