"""The result of an audit: how much was checked, what does not hold, and what is waited for."""

from collections import Counter
from dataclasses import dataclass

INVARIANTS = {
    "I1": "every accepted purchase survives",
    "I2": "one capture per order; the money kept is the price of what was delivered",
    "I3": "stock adds up, is never negative, and the bins agree with the catalog",
    "I4": "when quiet, every order is final or waits for its customer, and none is overdue",
    "I5": "one parcel per paid order, with the right lines, and none otherwise",
    "I6": "reminders: delivered, shown once, at the right terminal, never before packed",
    "I7": "the same id and body gets the same reply, another body has no effect",
    "I8": "the ledger sums to zero",
    "I9": "only legal transitions",
    "I10": "outboxes drain",
    "I11": "the databases are whole",
}

OPEN_ITEMS = {
    "put-back": "Goods to put back. Put them on a shelf and book each in with its parcel:"
    " storebus request console-1 warehouse receive sku=... location=... quantity=... parcel=...",
    "remind": "Customers that were not reminded yet. Switch the terminal on; an order whose"
    " terminal is gone for good can be handed over by its pickup code all the same",
    "sort": "Orders to be brought. Switch the sorter on",
    "pay": "Payments whose outcome is not known. The provider is asked again as soon as the store"
    " runs; if it never says, ask it for the order by hand",
    "resolve": "Refunds that the payment provider refused. Pay each by hand, or have it tried"
    " again: storebus resolve",
    "collect": "Parcels that wait for their customers. Nothing to do: each goes back by itself when"
    " its time is over",
    "go-on": "Messages that were under way when the store was closed. Start it: they go on",
}
"""What a closed store may wait for, by kind, and what a person does about it."""


@dataclass(frozen=True, slots=True)
class OpenItem:
    """Something unfinished that breaks no promise: a person acts, or it continues by itself."""

    kind: str
    """One of `OPEN_ITEMS`."""
    who: str
    """Where it waits: a terminal, a sorter, a pickup point, a node."""
    text: str
    """The order, or the parcel with its goods."""
    unfinished: bool = True
    """Whether it keeps an order from its end or from its customer."""

    def __str__(self) -> str:
        return f"{self.kind}: {self.who}: {self.text}"


@dataclass(frozen=True, slots=True)
class Finding:
    """A promise that does not hold."""

    invariant: str
    text: str
    """A sentence that names the order, parcel or file."""

    def __str__(self) -> str:
        return f"{self.invariant}: {self.text}"


class AuditResult:
    """Counts the checks and collects the findings."""

    def __init__(self) -> None:
        self.checked: Counter[str] = Counter()
        """How many things were checked, by invariant."""
        self.findings: list[Finding] = []
        self.open_items: list[OpenItem] = []
        """What a closed store has not finished, although no promise is broken."""
        self.notes: list[str] = []
        """What could not be checked, and why."""

    def check(self, invariant: str, holds: object, text: str) -> None:
        """Count one check; `text` says what is wrong if it does not hold."""
        self.checked[invariant] += 1
        if not holds:
            self.findings.append(Finding(invariant, text))

    @property
    def unfinished(self) -> list[OpenItem]:
        """What a store that has come to rest with all its devices must not have."""
        return [each for each in self.open_items if each.unfinished]
