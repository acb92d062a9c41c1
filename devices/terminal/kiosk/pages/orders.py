"""The page of open orders with their progress."""

from collections.abc import Iterable

from textual.widget import Widget
from textual.widgets import Label

from devices.terminal.kiosk.choices import Choices
from devices.terminal.kiosk.pages.base import KioskPage
from devices.terminal.kiosk.words import order_lines


class OrdersPage(KioskPage):
    """Anybody may look: no names, and only the pickup codes of this session."""

    FIRST = "#underway"

    def title(self) -> str:
        """The title."""
        return self.say("Open orders")

    def body(self) -> Iterable[Widget]:
        """A row for each order."""
        yield Choices("underway")
        yield Label(self.say("There are none."), id="none")

    def buttons(self) -> Iterable[tuple[str, str]]:
        """Back, or collect."""
        yield "back", self.say("Back")
        yield "next", self.say("Collect")

    def draw(self) -> None:
        """Show the orders and their progress."""
        orders, points = self.controller.orders.all(), self.controller.points
        codes = self.session.codes
        rows = [
            (
                each.order,
                order_lines(each, codes.get(each.order), points, self.say, self.columns) + "\n",
            )
            for each in orders
        ]
        self.query_one("#underway", Choices).show(rows)
        self.query_one("#underway").display = bool(rows)
        self.query_one("#none").display = not rows

    def press_next(self) -> None:
        """Go to the page where parcels are collected."""
        self.post_message(self.Go("collect"))
