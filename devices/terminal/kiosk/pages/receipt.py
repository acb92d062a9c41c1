"""It is paid: the receipt and the pickup code."""

from collections.abc import Iterable

from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Digits, Label

from devices.terminal.kiosk.pages.base import KioskPage
from devices.terminal.kiosk.words import point_name, receipt_lines


class ReceiptPage(KioskPage):
    """What the customer takes along."""

    FIRST = "#next"
    IS_KEPT = False

    def title(self) -> str:
        """It is done."""
        return self.say("✔ Paid. Thank you.")

    def body(self) -> Iterable[Widget]:
        """Where and by which code to collect; what was paid."""
        receipt = self.guest.receipt
        if receipt is None:
            return
        point = point_name(receipt.pickup_point, self.attendant.points)
        yield Label(
            self.say(
                "Collect at {point} with the code {code}", point=point, code=receipt.pickup_code
            ),
            id="where",
            markup=False,
        )
        yield Digits(receipt.pickup_code, id="big-code")
        lines = receipt_lines(receipt, self.guest.bought, self.say, min(self.columns, 70))
        yield VerticalScroll(Label("\n".join(lines), markup=False), id="receipt")

    def buttons(self) -> Iterable[tuple[str, str]]:
        """Done, or look at how far it is."""
        yield "orders", self.say("Orders")
        yield "next", self.say("Done")

    def press_next(self) -> None:
        """Leave nothing behind."""
        self.post_message(self.Leave())

    def press_back(self) -> None:
        """Who has paid has nothing to go back to."""
        self.post_message(self.Leave())

    def press_orders(self) -> None:
        """How far it is."""
        self.post_message(self.Go("orders"))
