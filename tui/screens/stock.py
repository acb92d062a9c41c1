"""The stock screen."""

from collections.abc import Iterable
from operator import attrgetter
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.widget import Widget

from bus.text.sentence import marked
from tui.model.stock import StyleView
from tui.model.target import Target
from tui.rendering.canvas import Line
from tui.rendering.stock import TABLE, bins, floor_plan, row
from tui.screens.base import ConsoleScreen
from tui.widgets.line_list import LineList


class StockScreen(ConsoleScreen):
    """Styles, bins, and the floor plan."""

    TAB = "stock"
    HELP_TEXT: ClassVar[str] = marked(
        "Each style as the catalog and the warehouse told of it: ▼ is almost sold out, ≠ says that"
        " books and shelves differ. Beside it the bins behind the chosen style, and the map: ▣ a"
        " sorter at its aisle, ▶ on the way to the pickup point ◇; ◆ is the store's default. Enter"
        " shows a style with the orders that hold it."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", marked("Open")),
        Binding("plus", "app.act('receive')", marked("Receive goods"), key_display="+"),
        Binding("C", "app.act('count')", marked("Count")),
        Binding("dollar_sign", "app.act('price')", marked("Change price"), key_display="$"),
        Binding("R", "app.act('retire')", marked("Retire")),
        Binding("S", "app.act('reinstate')", marked("Sell again")),
        Binding("W", "app.act('resume')", marked("Sorter is well")),
    ]

    def body(self) -> Iterable[Widget]:
        """The table, the bins of the selected style, and the floor plan."""
        yield LineList(cursor=False, id="heading")
        with Container(id="panes"):
            yield LineList(id="stock")
            with Container(id="floor"):
                yield LineList(cursor=False, id="bins")
                yield LineList(cursor=False, id="map")
        yield LineList(cursor=False, id="note")

    def on_mount(self) -> None:
        """Focus the table."""
        self.query_one("#stock").focus()

    @property
    def style(self) -> StyleView | None:
        """The selected style."""
        item = self.query_one("#stock", LineList).item
        return item if isinstance(item, StyleView) else None

    def show(self) -> None:
        """Draw the screen, and query the bins of the selected style."""
        table, shelf, room = (
            self.query_one(f"#{name}", LineList) for name in ("stock", "bins", "map")
        )
        canvas = self.context.canvas(table.size.width, table.size.height)
        self.query_one("#heading", LineList).show([TABLE.heading(canvas)])
        styles = list(self.context.model.stock)
        place = table.stays(styles, attrgetter("sku"))
        table.show(styles, lambda style, _: row(style, canvas), place=place)
        note: Line = [(self._("{count} styles", count=len(styles)), "")]
        if forgotten := self.context.model.stock.dropped:
            note.append((self._("  {count} are not shown", count=forgotten), "warn"))
        self.query_one("#note", LineList).show([note])
        chosen = self.style
        if self.context.feed is not None and self.is_current:
            self.context.feed.look(style=chosen.sku if chosen else None)
        shelf.show(bins(chosen, self.context.canvas(shelf.size.width, shelf.size.height)))
        room.show(
            floor_plan(self.context.model, self.context.canvas(room.size.width, room.size.height))
        )

    def preset(self) -> dict[str, object]:
        """The selected style, and one of its locations."""
        style = self.style
        if style is None:
            return {}
        return {"sku": style.sku, "location": next(iter(sorted(style.bins)), None)}

    @on(LineList.Chosen, "#stock")
    def action_open(self) -> None:
        """Open the selected style."""
        if self.style is not None:
            self.open(Target("style", self.style.sku))

    def on_screen_suspend(self) -> None:
        """Stop querying the style."""
        if self.context.feed is not None:
            self.context.feed.look()
