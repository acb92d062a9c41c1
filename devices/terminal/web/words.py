"""The states of orders and the refusals of the store, as sentences for customers."""

from bus.contract.problem import ProblemData
from bus.contract.settlement import OrderState
from bus.text.texts import Texts
from commerce.price import price_text


def _(text: str) -> str:
    """Mark a text for translation."""
    return text


_STATES: dict[OrderState, str] = {
    "reserving": _("Your goods are being reserved."),
    "charging": _("The payment is under way."),
    "settled": _("Paid. Your goods are being fetched."),
    "short": _("Some of your goods could not be found; the rest is on its way."),
    "ready": _("Your goods are ready."),
    "reminded": _("Your goods are ready."),
    "collected": _("You have collected your goods. Thank you!"),
    "refused": _("Nothing was bought, nothing was charged."),
    "declined": _("The payment was declined; nothing was charged."),
    "cancelling": _("The order is being cancelled; your money goes back."),
    "cancelled": _("The order was cancelled; your money has gone back."),
    "expiring": _("Nobody collected the goods; your money goes back."),
    "expired": _("Nobody collected the goods; your money has gone back."),
}
_PROBLEMS = {
    "unknown-sku": _("One of the articles is no longer sold."),
    "unknown-pickup-point": _("This pickup point is closed; choose another one."),
    "unknown-account": _("There is no such account. Check its number."),
    "payment-declined": _("The payment was declined; nothing was charged."),
    "card-number": _("Never enter a card number here; enter the payment token of your bank."),
    "cancelled": _("The order was cancelled before it was paid; nothing was charged."),
    "expired": _("The store was too slow; nothing was bought, nothing was charged."),
    "unknown-label": _("This store does not sell this article."),
    "retired": _("This article is no longer sold."),
    "invalid-digital-link": _("This label is not valid; please tell the staff."),
    "unknown-pickup-code": _("There is no parcel for this code. Check the six digits."),
    "wrong-state": _("This is no longer possible."),
    "unavailable": _("The store does not answer at the moment. Please try again."),
    "no-answer": _("The store does not answer at the moment. Please try again."),
    "invalid-field": _("This cannot be bought as it was entered; check the numbers."),
}


_LABELS = {
    "wifi": _("This code connects a phone to a Wi-Fi network; it is not a product label."),
    "not-a-product": _("This code is not a product label. Scan the one on the sample."),
    "foreign": _("This store does not sell this article."),
    "outdated": _("This label is outdated. Please ask the staff."),
    "keyboard": _("The scanner is set to another keyboard layout. Please tell the staff."),
    "number": _("This is not a product number. Please check its digits."),
    "elements": _("This label is not valid; please tell the staff."),
    "pickup-code": _("Six digits are a pickup code: choose Collect to use it."),
}
"""By the catalog's reason, why a label is not known."""


def state_in_words(say: Texts, state: OrderState) -> str:
    """The sentence for a state."""
    return say(_STATES[state])


def problem_in_words(say: Texts, problem: ProblemData) -> str:
    """The sentence for a refusal, with what to do about it."""
    extra = problem.model_extra or {}
    if problem.code == "sold-out":
        left = sum((extra.get("available") or {}).values())
        if not left:
            return say(_("Sold out; somebody was faster. Nothing was charged."))
        return say(_("Only {count} left. Nothing was charged."), count=left)
    if problem.code == "price-changed" and isinstance(extra.get("total"), dict):
        total = price_text(extra["total"]["amount"], extra["total"]["currency"])
        return say(_("A price has changed: it is {total} now. Nothing was charged."), total=total)
    bought = problem.code == "retired" and "sku" in extra  # not the label, but what is in the cart
    known = _PROBLEMS.get("unknown-sku" if bought else problem.code)
    if problem.code == "unknown-label":
        known = _LABELS.get(str(extra.get("reason")), known)
    if known is None:
        return say(_("This could not be done. Please ask the staff. ({code})"), code=problem.code)
    return say(known)
