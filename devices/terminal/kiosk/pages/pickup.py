"""Where to collect; the store's default is chosen already."""

from collections.abc import Iterable

from textual.widget import Widget

from bus.text.safe import visible
from devices.terminal.kiosk.choices import Choices
from devices.terminal.kiosk.pages.base import KioskPage


class PickupPage(KioskPage):
    """Choose a pickup point."""

    FIRST = "#points"

    def title(self) -> str:
        """What to choose."""
        return self.say("Where do you want to collect?")

    def body(self) -> Iterable[Widget]:
        """All pickup points."""
        yield Choices("points")

    def buttons(self) -> Iterable[tuple[str, str]]:
        """Back or on."""
        yield "back", self.say("Back")
        yield "next", self.say("Go on")

    def draw(self) -> None:
        """The points, and which is chosen."""
        points = self.attendant.points
        if points is None:
            return
        self.guest.point = self.guest.point or points.default
        rows = [
            (each.id, f"{'●' if each.id == self.guest.point else '○'} {visible(each.name)}")
            for each in points.points
        ]
        self.query_one("#points", Choices).show(self.airy(rows), self.guest.point)

    def looked_at(self, name: str) -> None:
        """Another point."""
        if name != self.guest.point:
            self.guest.point = name
            self.redraw()

    def picked(self, name: str) -> None:
        """This one."""
        self.guest.point = name
        self.press_next()

    def press_next(self) -> None:
        """Pay."""
        self.post_message(self.Go("pay"))
