"""The first screen: is the store well?"""

from collections.abc import Iterable
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget

from bus.text.sentence import marked
from tui.rendering.store import picture
from tui.screens.base import ConsoleScreen
from tui.widgets.diagram import Spots


class StoreScreen(ConsoleScreen):
    """The flow of orders with its nodes."""

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
        """One picture."""
        yield Spots(id="store")

    def on_mount(self) -> None:
        """The picture has the keys."""
        self.query_one("#store").focus()

    def show(self) -> None:
        """Draw the picture."""
        spots = self.query_one("#store", Spots)
        paper = self.desk.paper(spots.size.width, spots.size.height)
        broker = self.desk.feed.broker if self.desk.feed else ""
        spots.draw_with(
            lambda chosen: picture(self.desk.model, paper, chosen, up=self.desk.up, broker=broker)
        )

    def action_open(self) -> None:
        """Open what is chosen; choose the first where nothing is."""
        spots = self.query_one("#store", Spots)
        if spots.chosen is None:
            spots.action_beside(0, 0)
        else:
            self.open(spots.chosen)

    @on(Spots.Opened)
    def opened(self, event: Spots.Opened) -> None:
        """Something was clicked twice."""
        self.open(event.target)
