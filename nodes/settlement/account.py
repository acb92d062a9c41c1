"""A customer's account, and what it refuses. Pure."""

import unicodedata
from dataclasses import dataclass, replace

from bus.contract.errors import Conflict, InvalidField
from bus.contract.settlement import Balance
from bus.contract.values import MAX_INTEGER

_MOST_HELD = MAX_INTEGER // 2
"""The most minor units of an account: what was spent may still be refunded."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account as the ledger keeps it."""

    number: str
    """The customer's number, without the ledger's prefix."""
    name: str
    currency: str
    balance: int = 0
    """Minor units."""

    def refuse_other_currency(self, currency: str) -> None:
        """Raise `Conflict` if the account is kept in another currency."""
        if currency != self.currency:
            raise Conflict(f"The account is kept in {self.currency}.", currency=self.currency)

    def moved(self, amount: int) -> "Account":
        """The account with so many minor units more or, if negative, fewer.

        Raises:
            Conflict: an account cannot hold so much.
        """
        if self.balance + amount > _MOST_HELD:
            raise Conflict(
                f"No account holds more than {_MOST_HELD} minor units.", balance=self.balance
            )
        return replace(self, balance=self.balance + amount)

    def adjusted(self, change: int, currency: str) -> "Account":
        """The account after an adjustment.

        Raises:
            Conflict: it is kept in another currency, or cannot hold so much.
            InvalidField: it holds less than is taken out, or the change is 0.
        """
        self.refuse_other_currency(currency)
        if change == 0 or self.balance + change < 0:
            raise InvalidField(
                f"{self.number} holds {self.balance} in minor units of {self.currency}:"
                " as much can be taken out, and the change is not 0.",
                field="change",
            )
        return self.moved(change)

    def shown(self) -> Balance:
        """As the contract shows it."""
        return Balance(account=self.number, balance=self.balance, currency=self.currency)


def refuse_other_name(account: str, given: str | None, known: str | None) -> None:
    """Check that a deposit is meant for this account: a wrong digit makes it somebody else's.

    Args:
        account: the number.
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
    """A name without differences of case, width and spacing, to compare it."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
