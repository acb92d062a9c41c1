"""Statistics of many requests: how often each outcome came, and how long the answers took."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from rich.table import Table

from bus.text.safe import short
from testing.kit.percentiles import nearest_rank

ANSWERED = "answered"
BROKEN = "broken reply"


@dataclass(slots=True)
class RequestStatistics:
    """Outcomes and latencies."""

    outcomes: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    """Of all that were answered, including those with a problem."""

    def add(self, outcome: str, seconds: float | None) -> None:
        """Count a request that is over; `seconds` is None if it was not answered."""
        self.outcomes[outcome] += 1
        if seconds is not None:
            self.seconds.append(seconds)

    @property
    def refused(self) -> bool:
        """Whether any had another outcome than a reply that is no problem."""
        return set(self.outcomes) != {ANSWERED}

    @property
    def broken(self) -> bool:
        """Whether a reply broke the contract."""
        return BROKEN in self.outcomes

    def milliseconds(self, percent: int) -> float | None:
        """The latency that `percent` of the answers did not exceed (nearest rank)."""
        if not self.seconds:
            return None
        return round(nearest_rank(sorted(self.seconds), percent) * 1000, 3)

    def as_json(self) -> dict[str, Any]:
        """Counts of outcomes; latencies in milliseconds."""
        percentiles = {f"p{percent}": self.milliseconds(percent) for percent in (50, 99)}
        return {
            "asked": self.outcomes.total(),
            "outcomes": dict(self.outcomes.most_common()),
            "latency_ms": percentiles | {"max": self.milliseconds(100)},
        }

    def as_table(self) -> Table:
        """The statistics as a table for people."""
        table = Table("outcome", "count", box=None, header_style="bold", pad_edge=False)
        for outcome, count in self.outcomes.most_common():
            table.add_row(short(outcome, 60).replace("[", r"\["), str(count))
        for name, percent in (("p50", 50), ("p99", 99), ("max", 100)):
            latency = self.milliseconds(percent)
            table.add_row(f"latency {name}", "-" if latency is None else f"{latency:.1f} ms")
        return table


async def paced(times: int, rate: float | None) -> AsyncIterator[int]:
    """Numbers from 0 at a fixed rate per second, however they are used; at once without a rate."""
    clock = asyncio.get_running_loop().time
    begun = clock()
    for number in range(times):
        if rate is not None:
            await asyncio.sleep(max(0.0, begun + number / rate - clock()))
        yield number
