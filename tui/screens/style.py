"""The screen of one style: its stock, its bins, and its orders."""

from collections.abc import Iterable
from operator import attrgetter
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget

from bus.text.sentence import marked
from tui.context import ConsoleContext
from tui.model.stock import StyleView
from tui.model.target import Target
from tui.model.tracked_order import TrackedOrder
from tui.rendering.orders import row
from tui.rendering.stock import whole
from tui.screens.base import ConsoleScreen
from tui.widgets.line_list import LineList


class StyleScreen(ConsoleScreen):
    """A style, and the orders with it."""

    TAB = "stock"
    HELP_TEXT: ClassVar[str] = marked(
        "What the catalog and the warehouse say of a style, the bins it lies in, and the orders"
        " with it, those that moved last on top. Enter shows the way of an order."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", marked("Back")),
        Binding("enter", "open", marked("Open")),
        Binding("plus", "app.act('receive')", marked("Receive goods"), key_display="+"),
        Binding("C", "app.act('count')", marked("Count")),
        Binding("dollar_sign", "app.act('price')", marked("Change price"), key_display="$"),
    ]

    def __init__(self, context: ConsoleContext, sku: str) -> None:
        super().__init__(context)
        self._sku = sku

    @property
    def style(self) -> StyleView:
        """The style on the screen."""
        return self.context.model.stock.get(self._sku) or StyleView(self._sku)

    def body(self) -> Iterable[Widget]:
        """One list."""
        yield LineList(id="style")

    def on_mount(self) -> None:
        """Focus the list."""
        self.query_one("#style").focus()

    def on_unmount(self) -> None:
        """Stop querying the style."""
        if self.context.feed is not None:
            self.context.feed.look()

    def show(self) -> None:
        """Draw the style, and query its bins."""
        lines, model = self.query_one("#style", LineList), self.context.model
        if self.context.feed is not None and self.is_current:
            self.context.feed.look(style=self._sku)
        canvas = self.context.canvas(lines.size.width, lines.size.height)
        tracked_orders = sorted(
            (tracked for tracked in model.orders if self._sku in tracked.skus),
            key=attrgetter("active"), reverse=True,
        )  # fmt: skip
        count = canvas._("{count} orders with it", count=len(tracked_orders))
        rows: list[object] = [*whole(self.style, canvas), [], [(count, "dim")], *tracked_orders]
        lines.show(
            rows,
            lambda each, _: (
                row(each, model.diagnose(each), canvas) if isinstance(each, TrackedOrder) else each
            ),
            place=lines.stays(
                rows, lambda each: each.order if isinstance(each, TrackedOrder) else ""
            ),
        )

    def preset(self) -> dict[str, object]:
        """The style, and one of its locations."""
        return {"sku": self._sku, "location": next(iter(sorted(self.style.bins)), None)}

    def action_back(self) -> None:
        """Go back."""
        self.app.pop_screen()

    @on(LineList.Chosen, "#style")
    def action_open(self) -> None:
        """Open the selected order."""
        item = self.query_one("#style", LineList).item
        if isinstance(item, TrackedOrder):
            self.open(Target("order", item.order))
