"""Outcomes of arrivals, by kind. Every latency is kept, so percentiles are exact."""

from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class KindCounts:
    """Outcomes of one kind of arrival."""

    sent: int = 0
    answered: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    """By the code of the problem; `broken-reply` where a reply broke the contract."""
    no_answer: int = 0
    """No answer before the deadline: whether the request was carried out is unknown."""
    not_sent: int = 0
    """Arrivals that were left out because too many others were waiting."""
    seconds: "array[float]" = field(default_factory=lambda: array("d"))
    """The latency of each answer, from when the arrival was due."""

    @property
    def under_way(self) -> int:
        """How many have been sent and are not over."""
        return self.sent - self.answered - self.refused.total() - self.no_answer

    def __add__(self, other: "KindCounts") -> "KindCounts":
        """The sum of both."""
        return KindCounts(
            self.sent + other.sent,
            self.answered + other.answered,
            self.refused + other.refused,
            self.no_answer + other.no_answer,
            self.not_sent + other.not_sent,
            self.seconds + other.seconds,
        )


class LoadCounts:
    """Outcomes of all kinds.

    Args:
        kinds: the kinds that can arrive.
    """

    def __init__(self, kinds: Sequence[str]) -> None:
        self.kinds = {kind: KindCounts() for kind in kinds}
        self.lateness = 0.0
        """The most seconds by which the generator itself was late. They are part of the arrival's
        latency."""
        self.seconds = 0.0
        """Seconds from when the first arrival was due until the last was over."""

    @property
    def together(self) -> KindCounts:
        """The sum of all kinds."""
        return sum(self.kinds.values(), KindCounts())

    @property
    def under_way(self) -> int:
        """How many have been sent and are not over."""
        return sum(kind.under_way for kind in self.kinds.values())

    @property
    def all_answered(self) -> bool:
        """Whether nothing was refused, unanswered or not sent."""
        return not any(
            kind.refused or kind.no_answer or kind.not_sent for kind in self.kinds.values()
        )
