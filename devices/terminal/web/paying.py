"""Reads the payment from the form of the cart. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from bus.contract.settlement import AccountPayment, CardPayment
from bus.contract.values import looks_like_card_number

_LONGEST = 64


@dataclass(frozen=True, slots=True)
class Given:
    """The fields of the form, shown again if they cannot be used."""

    method: str = "account"
    account: str = ""
    card: str = ""


NOTHING = Given()


def _(text: str) -> str:
    return text


_ACCOUNT = _("Enter the number of your account, such as C-1001.")
_CARD = _("Enter the payment token of your bank.")
_EITHER = _("Enter the number of your account, or the payment token of your bank.")
_BOTH = _("You entered an account and a card. Choose one of them and leave the other one empty.")
_NO_CARDS = _("This store takes no cards. Pay from an account.")
CARD_NUMBER = _("Never enter a card number here; enter the payment token of your bank.")


def given_in(form: Mapping[str, str]) -> Given:
    """The payment fields of a form."""
    account, card = (form.get(name, "").strip()[:_LONGEST] for name in ("account", "card"))
    return Given("card" if form.get("method") == "card" else "account", account, card)


def payment_of(  # noqa: PLR0911 - one for each way to fill it in
    given: Given, *, cards: bool
) -> AccountPayment | CardPayment | str:
    """The payment by the field that was filled in; the selection decides only if both were.

    The account is preselected, so with a card filled in as well it says nothing.

    Returns:
        The payment, or a sentence that says why it cannot be used.
    """
    if looks_like_card_number(given.card) or looks_like_card_number(given.account):
        return CARD_NUMBER
    if not (given.account or given.card):
        return _EITHER if cards else _ACCOUNT
    if given.card and not cards:
        return _NO_CARDS
    if given.account and given.card and given.method != "card":
        return _BOTH
    try:
        if given.card:
            return CardPayment(method="card", token=given.card)
        return AccountPayment(method="account", account=given.account.upper())
    except ValidationError:
        return _CARD if given.card else _ACCOUNT
