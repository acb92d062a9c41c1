"""Whose account money is meant for: the name shows that the number is right. Pure."""

import unicodedata

from bus.contract.errors import Conflict, InvalidField


def refuse_other_name(account: str, given: str | None, known: str | None) -> None:
    """Look whether a deposit is meant for this account: with a wrong digit it is somebody else's.

    Args:
        account: its number.
        given: the customer's name as it was given; empty or None if it was left out.
        known: the account's own; None if there is no such account.

    Raises:
        Conflict: it is another customer's.
        InvalidField: it is new and has no name.
    """
    if known is None and given is None:
        raise InvalidField(f"{account} is new and has no name.", field="name")
    if known is not None and given and _folded(given) != _folded(known):
        raise Conflict(f"{account} is {known}, not {given}.", name=known)


def _folded(name: str) -> str:
    """As names are compared: of any case, width and spacing."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
