"""What to say to a customer whose code is no label of this shop.

The sentence is for people; `reason` beside it lets a terminal say it in another language.
"""

import re

from bus.errors import UnknownLabel

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
"""As many digits as a pickup code has."""


def not_a_product(text: str) -> UnknownLabel:
    """The refusal of a text that is neither a URL nor any number of GS1."""
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
