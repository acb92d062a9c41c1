"""The store screen, which comes first."""

from collections.abc import Iterable
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget

from bus.text.sentence import marked
from tui.rendering.store import store_diagram
from tui.screens.base import ConsoleScreen
from tui.widgets.diagram import DiagramView


class StoreScreen(ConsoleScreen):
    """The diagram of the store."""

    TAB = "store"
    HELP_TEXT: ClassVar[str] = marked(
        "The nodes in the flow of an order: who is there, how many messages each says, now and in"
        " each minute of the last hour, how quickly it answers (half of the answers within p50, all"
        " but one in a hundred within p99), and how many commands it has not done yet. Below: lost"
        " terminals, the sorters' jobs, alarms, trends. The arrow keys choose a box or a line, and"
        " Enter opens it: a node, a list of nodes, an order, and for the broker its topics."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", marked("Open")),
    ]

    def body(self) -> Iterable[Widget]:
        """The diagram."""
        yield DiagramView(id="store")

    def on_mount(self) -> None:
        """Focus the diagram."""
        self.query_one("#store").focus()

    def show(self) -> None:
        """Draw the diagram."""
        hotspots = self.query_one("#store", DiagramView)
        canvas = self.context.canvas(hotspots.size.width, hotspots.size.height)
        broker = self.context.feed.broker if self.context.feed else ""
        hotspots.draw_with(
            lambda chosen: store_diagram(
                self.context.model, canvas, chosen, up=self.context.up, broker=broker
            )
        )

    def action_open(self) -> None:
        """Open the selected hotspot; select the first if none is."""
        hotspots = self.query_one("#store", DiagramView)
        if hotspots.chosen is None:
            hotspots.action_beside(0, 0)
        else:
            self.open(hotspots.chosen)

    @on(DiagramView.Opened)
    def opened(self, event: DiagramView.Opened) -> None:
        """Something was clicked twice."""
        self.open(event.target)
