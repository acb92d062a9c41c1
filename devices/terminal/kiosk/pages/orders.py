"""The orders under way, each with a bar of how far it has come."""

from collections.abc import Iterable

from textual.widget import Widget
from textual.widgets import Label

from devices.terminal.kiosk.choices import Choices
from devices.terminal.kiosk.pages.base import KioskPage
from devices.terminal.kiosk.words import order_lines


class OrdersPage(KioskPage):
    """No names, and no codes but those of who stands here and has bought: anybody may look."""

    FIRST = "#underway"

    def title(self) -> str:
        """What it shows."""
        return self.say("Orders under way")

    def body(self) -> Iterable[Widget]:
        """One entry for each order."""
        yield Choices("underway")
        yield Label(self.say("There are none."), id="none")

    def buttons(self) -> Iterable[tuple[str, str]]:
        """Back or collect."""
        yield "back", self.say("Back")
        yield "next", self.say("Collect")

    def draw(self) -> None:
        """How far each is now."""
        orders, points = self.attendant.orders.all(), self.attendant.points
        codes = self.guest.codes
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
        """Collect a parcel."""
        self.post_message(self.Go("collect"))
