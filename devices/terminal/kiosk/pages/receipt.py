"""The page after paying: the sales receipt and the pickup code."""

from collections.abc import Iterable

from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Digits, Label

from devices.terminal.kiosk.pages.base import KioskPage
from devices.terminal.kiosk.prose import Prose
from devices.terminal.kiosk.words import call_number, point_name, receipt_lines
from devices.terminal.sales_receipt import sales_receipt, sold_lines


class ReceiptPage(KioskPage):
    """The receipt and the pickup code."""

    FIRST = "#next"
    IS_KEPT = False

    def title(self) -> str:
        """The title."""
        return self.say("✔ Paid. Thank you.")

    def body(self) -> Iterable[Widget]:
        """Pickup point, code, number, and the receipt."""
        receipt = self.session.receipt
        if receipt is None:
            return
        point = point_name(receipt.pickup_point, self.controller.points)
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
        bought = self.session.bought
        lines = sold_lines(
            receipt,
            {sku: item.style for sku, item in bought.items()},
            {sku: item.product for sku, item in bought.items()},
        )
        written = sales_receipt(self.say.language, "", receipt, lines, point)
        text = receipt_lines(written, min(self.columns, 70))
        yield VerticalScroll(Label("\n".join(text), markup=False), id="receipt")

    def buttons(self) -> Iterable[tuple[str, str]]:
        """Done, or open orders."""
        yield "next", self.say("Done")
        yield "orders", self.say("Orders")

    def press_next(self) -> None:
        """End the session."""
        self.post_message(self.Leave())

    def press_back(self) -> None:
        """End the session: there is no page to go back to."""
        self.post_message(self.Leave())

    def press_orders(self) -> None:
        """Go to the open orders."""
        self.post_message(self.Go("orders"))
