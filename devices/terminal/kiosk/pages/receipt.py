"""It is paid: the receipt and the pickup code."""

from collections.abc import Iterable

from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Digits, Label

from devices.terminal.kiosk.pages.base import KioskPage
from devices.terminal.kiosk.prose import Prose
from devices.terminal.kiosk.words import call_number, point_name, receipt_lines
from devices.terminal.sales_receipt import paper, sold_lines


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
        where = self.say(
            "Collect at {point} with the code {code}", point=point, code=receipt.pickup_code
        )
        yield Prose(where, "where", is_centred=True)
        yield Digits(receipt.pickup_code, id="big-code")
        keep = self.say(
            "Keep the code: it is not shown again. Your number is {number}.",
            number=call_number(receipt.order),
        )
        yield Prose(keep, "keep", is_centred=True)
        bought = self.guest.bought
        lines = sold_lines(
            receipt,
            {sku: item.style for sku, item in bought.items()},
            {sku: item.product for sku, item in bought.items()},
        )
        written = paper(self.say.language, "", receipt, lines, point)
        text = receipt_lines(written, min(self.columns, 70))
        yield VerticalScroll(Label("\n".join(text), markup=False), id="receipt")

    def buttons(self) -> Iterable[tuple[str, str]]:
        """Done, not where it was paid; or look at how far it is."""
        yield "next", self.say("Done")
        yield "orders", self.say("Orders")

    def press_next(self) -> None:
        """Leave nothing behind."""
        self.post_message(self.Leave())

    def press_back(self) -> None:
        """Who has paid has nothing to go back to."""
        self.post_message(self.Leave())

    def press_orders(self) -> None:
        """How far it is."""
        self.post_message(self.Go("orders"))
