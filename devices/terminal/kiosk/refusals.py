"""The store's refusals as sentences for customers."""

from bus.contract.problem import ProblemData
from bus.text.sentence import Sentence, marked

_SENTENCES = {
    "unknown-label": marked("This label is not known here. Please ask the staff."),
    "invalid-digital-link": marked("This label is damaged or misprinted. Please ask the staff."),
    "sold-out": marked("There are not enough left; look at the cart."),
    "price-changed": marked("A price has changed; look at the cart."),
    "retired": marked("This is no longer sold."),
    "unknown-sku": marked("An item in the cart is no longer sold; remove it."),
    "unknown-pickup-point": marked("This pickup point is closed; choose another."),
    "unknown-account": marked("There is no such account."),
    "payment-declined": marked("The payment was declined; nothing was charged."),
    "card-number": marked("That looks like a card number. Please use an account or a card token."),
    "cancelled": marked("The order was cancelled; nothing was charged."),
    "expired": marked("That took too long; nothing was charged. Please pay again."),
    "unknown-pickup-code": marked("There is no parcel for this code."),
    "wrong-state": marked("This order cannot be collected yet."),
    "no-answer": marked("The store does not answer. Please try again."),
    "busy": marked("The store is busy. Please try again."),
    "unavailable": marked("The store is not ready for this yet. Please try again."),
    "invalid-field": marked("That is neither an account, such as C-1001, nor a card token."),
}


_LABELS = {
    "wifi": marked("This code connects a phone to a Wi-Fi network; it is not a product label."),
    "not-a-product": marked("This code is not a product label. Scan the one on the sample."),
    "foreign": marked("This label is from another shop; this is not sold here."),
    "outdated": marked("This label is outdated. Please ask the staff."),
    "keyboard": marked("The scanner is set to another keyboard layout. Please tell the staff."),
    "number": marked("This is not a product number. Please check its digits."),
    "pickup-code": marked("Six digits are a pickup code: choose Collect to use it."),
    "elements": marked("This label is damaged or misprinted. Please ask the staff."),
}
"""By the catalog's reason, why a label is not known."""


def refusal(problem: ProblemData) -> Sentence:
    """The sentence for a refusal; for an unknown code, the store's own detail."""
    extra = problem.model_extra or {}
    if problem.code == "too-many-tries":
        return locked(int(extra.get("retryAfter", 60)))
    tries = extra.get("triesLeft")
    if problem.code == "unknown-pickup-code" and isinstance(tries, int):
        return Sentence("There is no parcel for this code. Tries left: {count}", count=tries)
    bought = problem.code == "retired" and "sku" in extra  # not the label, but what is in the cart
    text = _SENTENCES.get("unknown-sku" if bought else problem.code)
    if problem.code == "unknown-label":
        text = _LABELS.get(str(extra.get("reason")), text)
    if text is not None:
        return Sentence(text)
    return Sentence("The store refused: {detail}", detail=problem.detail)


def locked(seconds: int) -> Sentence:
    """Too many pickup codes were wrong: for how long none may be tried."""
    return Sentence("Too many wrong codes. Try again in {seconds} s.", seconds=seconds)


UNKNOWN = Sentence("We do not know yet whether this was paid. Look at Orders before you pay again.")
OFFLINE = Sentence("No connection to the store. Your cart is kept; the kiosk reconnects by itself.")
