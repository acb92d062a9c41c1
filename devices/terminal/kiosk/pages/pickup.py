"""The page where a pickup point is chosen; the store's default is preselected."""

from collections.abc import Iterable

from textual.widget import Widget

from bus.text.safe import visible
from devices.terminal.kiosk.choices import Choices
from devices.terminal.kiosk.pages.base import KioskPage


class PickupPage(KioskPage):
    """Choose a pickup point."""

    FIRST = "#points"

    def title(self) -> str:
        """The title."""
        return self.say("Where do you want to collect?")

    def body(self) -> Iterable[Widget]:
        """The pickup points."""
        yield Choices("points")

    def buttons(self) -> Iterable[tuple[str, str]]:
        """Back, or go on."""
        yield "back", self.say("Back")
        yield "next", self.say("Go on")

    def draw(self) -> None:
        """Show the pickup points with the chosen one marked."""
        points = self.controller.points
        if points is None:
            return
        self.session.point = self.session.point or points.default
        rows = [
            (each.id, f"{'●' if each.id == self.session.point else '○'} {visible(each.name)}")
            for each in points.points
        ]
        self.query_one("#points", Choices).show(self.airy(rows), self.session.point)

    def looked_at(self, name: str) -> None:
        """Choose the highlighted pickup point."""
        if name != self.session.point:
            self.session.point = name
            self.redraw()

    def picked(self, name: str) -> None:
        """Choose a pickup point and go on."""
        self.session.point = name
        self.press_next()

    def press_next(self) -> None:
        """Go to the page where the cart is paid."""
        self.post_message(self.Go("pay"))
