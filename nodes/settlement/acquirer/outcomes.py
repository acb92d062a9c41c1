"""The outcomes of calls to the payment provider; values only, so that pure code may use them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Captured:
    """The money was taken, exactly once, however often the call was repeated."""

    reference: str
    """The provider's name for the payment; goes on the receipt."""


@dataclass(frozen=True, slots=True)
class Declined:
    """Nothing was taken or ever will be under this key, even if a late request arrives."""

    reason: str
    """The provider's words, fit to show to a person."""
    refused: bool = False
    """Whether the provider refused, and not the card: it does not make this charge at all."""


@dataclass(frozen=True, slots=True)
class NeverSeen:
    """The provider does not know the key *yet*: a request under way may still arrive.

    Whoever needs it to stay so asks for `void`.
    """


@dataclass(frozen=True, slots=True)
class Refunded:
    """The money went back, exactly once, however often the call was repeated."""

    reference: str
    """The provider's name for the refund."""


@dataclass(frozen=True, slots=True)
class RefusedRefund:
    """No money went back."""

    reason: str
    """The provider's words, fit to show to a person."""


@dataclass(frozen=True, slots=True)
class Misconfigured:
    """The provider does not let us in: nothing was decided about this payment.

    Somebody has to mend the settings, here or there; then ask again with the same key.
    """

    reason: str
    """The provider's words, fit to show to a person."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may have happened or not: ask again with the same key, never assume a refusal."""

    detail: str
    """Why it is unknown, for operators; holds no secret."""
