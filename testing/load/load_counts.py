"""What arrivals came to, by kind; every latency is kept, so that no percentile is an estimate."""

from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class KindTally:
    """Of one kind of arrival."""

    sent: int = 0
    answered: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    """By the problem's code; `broken-reply` where a reply broke the contract."""
    no_answer: int = 0
    """Nothing came before the deadline: whether it was carried out is unknown."""
    not_sent: int = 0
    """Too many others were waiting when it was due."""
    seconds: "array[float]" = field(default_factory=lambda: array("d"))
    """Of each that was answered, from when it was due."""

    @property
    def under_way(self) -> int:
        """Sent, and not over."""
        return self.sent - self.answered - self.refused.total() - self.no_answer

    def __add__(self, other: "KindTally") -> "KindTally":
        """Both together."""
        return KindTally(
            self.sent + other.sent,
            self.answered + other.answered,
            self.refused + other.refused,
            self.no_answer + other.no_answer,
            self.not_sent + other.not_sent,
            self.seconds + other.seconds,
        )


class Tally:
    """Of all kinds.

    Args:
        kinds: those that can arrive.
    """

    def __init__(self, kinds: Sequence[str]) -> None:
        self.kinds = {kind: KindTally() for kind in kinds}
        self.lateness = 0.0
        """Seconds that the generator itself sent an arrival late, at the most. It is counted in
        the arrival's latency."""
        self.seconds = 0.0
        """From when the first arrival was due until the last was over."""

    @property
    def together(self) -> KindTally:
        """All kinds as one."""
        return sum(self.kinds.values(), KindTally())

    @property
    def under_way(self) -> int:
        """Sent, and not over."""
        return sum(kind.under_way for kind in self.kinds.values())

    @property
    def all_answered(self) -> bool:
        """Whether nothing was refused, without answer in its time, or not sent."""
        return not any(
            kind.refused or kind.no_answer or kind.not_sent for kind in self.kinds.values()
        )
