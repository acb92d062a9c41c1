"""The first screen: is the store well?"""

from collections.abc import Iterable
from typing import ClassVar

from textual.widget import Widget

from bus.sentence import marked
from tui.picture.store import picture
from tui.screens.base import ConsoleScreen
from tui.widgets.lines import Lines


class StoreScreen(ConsoleScreen):
    """The flow of orders with its nodes."""

    TAB = "store"
    HELP_TEXT: ClassVar[str] = marked(
        "The nodes in the flow of an order: who is there, how many messages each says, how quickly"
        " it answers (half of the answers within p50, all but one in a hundred within p99), and"
        " how many commands it has not done yet. Below: lost terminals, the sorters' jobs, alarms."
    )

    def body(self) -> Iterable[Widget]:
        """One picture."""
        yield Lines(cursor=False, id="store")

    def show(self) -> None:
        """Draw the picture."""
        lines = self.query_one("#store", Lines)
        paper = self.desk.paper(lines.size.width, lines.size.height)
        broker = self.desk.feed.broker if self.desk.feed else ""
        lines.show(picture(self.desk.model, paper, up=self.desk.up, broker=broker))
