"""What an audit says: how many things it looked at, and what does not hold."""

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


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not hold."""

    invariant: str
    text: str
    """A sentence that names what it is about."""

    def __str__(self) -> str:
        return f"{self.invariant}: {self.text}"


class Tally:
    """Counts what is looked at and keeps what does not hold."""

    def __init__(self) -> None:
        self.checked: Counter[str] = Counter()
        """Per invariant, how many things were looked at."""
        self.findings: list[Finding] = []
        self.notes: list[str] = []
        """What could not be looked at, and why."""

    def check(self, invariant: str, holds: object, text: str) -> None:
        """Look at one thing; `text` says what is wrong if it does not hold."""
        self.checked[invariant] += 1
        if not holds:
            self.findings.append(Finding(invariant, text))
