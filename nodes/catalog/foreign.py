"""The refusals of codes that are no label of this shop.

The sentence is for people; `reason` beside it lets a terminal say it in another language.
"""

import re

from bus.contract.refusals import UnknownLabel

_KINDS = (
    (r"WIFI:", "wifi", "This code joins a phone to a Wi-Fi network; it is no product's label."),
    (
        r"BEGIN:VCARD|MECARD:|mailto:|MATMSG:|tel:|smsto?:|geo:|BEGIN:VEVENT",
        "not-a-product",
        "This code is a contact, a message or a date; it is no product's label.",
    ),
    (
        r"bitcoin:|otpauth:|upi:|SPC\b|BCD\b|000201",
        "not-a-product",
        "This code is for paying or signing in; it is no product's label.",
    ),
)
"""How a code begins, the reason for programs, and the sentence for people."""
_PICKUP_CODE = 6
"""The digits of a pickup code."""


_ADDRESS = re.compile(r"https?(?!://)([^\sa-ln-z0-9])([^\s\w])\2\w", re.IGNORECASE)
"""An address whose `://` another keyboard layout has turned into `;//`, `Ö--`, `M!!` and so on."""
_HTTP = ("реез", "ηττπ", "יאאפ", "اففح", "้ะะย", "ㅗㅅㅅㅔ", "dyyl")
"""`http` on a Russian, Greek, Hebrew, Arabic, Thai, Korean and Dvorak keyboard."""
_DIGITS = ("à&é\"'(-è_ç§!", "é+ěščřžýáí", "é+ľščťžýáí", "!@#$%^&*()", '=!"§$%&/()', '=!"·$%&/()')
"""What keys of digits write on a French, Czech and Slovak keyboard without, on an American, German
and Spanish one with the shift key."""
_SHORTEST, _LONGEST = 8, 14
"""The digits of the shortest and the longest GTIN."""


def refuse_other_keyboard(text: str) -> None:
    """Refuse what a scanner typed for another keyboard layout: what it meant is never guessed.

    Raises:
        UnknownLabel: the text looks like that.
    """
    digits = _SHORTEST <= len(text) <= _LONGEST and any(set(text) <= set(row) for row in _DIGITS)
    if digits or _ADDRESS.match(text) or text.lower().startswith(_HTTP):
        raise UnknownLabel(
            "The scanner types for another keyboard layout than this computer has: it wrote"
            f" {text[:12]} ... Set both to the same layout.",
            reason="keyboard",
        )


def not_a_product(text: str) -> UnknownLabel:
    """The refusal of a text that is neither a URL nor a code of GS1."""
    for start, reason, sentence in _KINDS:
        if re.match(start, text, re.IGNORECASE):
            return UnknownLabel(sentence, reason=reason)
    return UnknownLabel(
        "A label carries a web address or a GTIN; this is neither.", reason="not-a-product"
    )


def not_a_gtin(digits: str, why: str) -> UnknownLabel:
    """The refusal of a number that is no GTIN."""
    if len(digits) == _PICKUP_CODE:
        return UnknownLabel(
            "This number is no product's: six digits are a pickup code, for collecting an order.",
            reason="pickup-code",
        )
    return UnknownLabel(f"This number is no product's: {why}.", reason="number")


def unregistered(host: str, gtin: str | None, *, ours: bool) -> UnknownLabel:
    """The refusal of a code that is well formed and leads to no product.

    Args:
        host: of the URL; empty if it is none.
        gtin: of the label, if it carries one.
        ours: whether labels of this shop have that host.
    """
    start = "No product is registered under this code"
    if not host:
        return UnknownLabel(f"{start}: this shop does not sell it.", reason="foreign")
    if not ours:
        what = "label" if gtin else "address"
        return UnknownLabel(
            f"{start}: the {what} is of {host[:60]}, not of this shop.", reason="foreign"
        )
    if gtin is None:
        return UnknownLabel(
            f"{start}: it is a page of this shop, but no product's.", reason="not-a-product"
        )
    return UnknownLabel(
        f"{start} any more: the label is outdated; ask the staff.", reason="outdated"
    )
