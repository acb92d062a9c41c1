"""The orders of this kiosk that are under way, and how far each has come."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from bus.contract.settlement import OrderState, OrderSummary
from bus.contract.sorter import JobState
from bus.text.sentence import Sentence, marked

OPEN: tuple[OrderState, ...] = ("settled", "short", "ready", "reminded")
"""The states in which a customer waits or is waited for."""
WAITING: tuple[OrderState, ...] = ("ready", "reminded")
"""The states in which the parcel lies at its pickup point."""
_STEPS = {
    "assigned": (10, marked("a sorter has the order")),
    "travelling": (20, marked("the sorter is on its way to the shelf")),
    "picking": (30, marked("the goods are taken from the shelf")),
    "short": (50, marked("the rest is looked for on another shelf")),
    "conveying": (70, marked("the goods are on the conveyor")),
    "packing": (85, marked("the goods are packed")),
    "done": (95, marked("packed")),
}
_PICKING = 35
"""Percent of the way that all picks make together."""


@dataclass(frozen=True, slots=True)
class UnderWay:
    """An order that is not collected yet."""

    order: str
    state: OrderState
    point: str
    job: JobState | None = None

    @property
    def percent(self) -> int:
        """How far it has come: 100 when it can be collected."""
        if self.state in WAITING:
            return 100
        if self.job is None or self.job.step not in _STEPS:
            return 5
        percent = _STEPS[self.job.step][0]
        if self.job.step == "picking" and self.job.picks:
            percent += _PICKING * min(self.job.pick, self.job.picks) // self.job.picks
        return percent

    @property
    def words(self) -> Sentence:
        """What is happening to it."""
        if self.state in WAITING:
            return Sentence("ready to collect")
        if self.job is None or self.job.step not in _STEPS:
            return Sentence("paid; waits for a sorter")
        return Sentence(_STEPS[self.job.step][1])


class OrderBook:
    """Learns from the store's answers, from `order-changed` and from what sorters say.

    Args:
        terminal: whose orders they are.
    """

    def __init__(self, terminal: str) -> None:
        self._terminal = terminal
        self._orders: dict[str, UnderWay] = {}
        self._jobs: dict[str, JobState] = {}

    def all(self) -> list[UnderWay]:
        """The orders under way: those to collect first, then newest first."""
        newest = reversed(self._orders.values())
        return sorted(newest, key=lambda each: each.state not in WAITING)

    def fill(self, summaries: Iterable[OrderSummary]) -> None:
        """These are open, and no others."""
        self._orders = {}
        for summary in sorted(summaries, key=lambda each: each.since):
            self.changed(summary)

    def changed(self, summary: OrderSummary) -> bool:
        """An order came into a state; whether it is one of ours."""
        if summary.terminal != self._terminal:
            return False
        if summary.state not in OPEN:
            self._orders.pop(summary.order, None)
            return True
        job = next((job for job in self._jobs.values() if job.order == summary.order), None)
        known = self._orders.get(summary.order)
        if known is None:
            known = UnderWay(summary.order, summary.state, summary.pickup_point, job)
        self._orders[summary.order] = replace(known, state=summary.state)
        return True

    def job(self, sorter: str, job: JobState) -> None:
        """What a sorter is doing."""
        before = self._jobs.get(sorter)
        self._jobs[sorter] = job
        for order in {job.order, before.order if before else None} & self._orders.keys():
            assert order is not None
            if job.order == order and job.step != "aborted":
                self._orders[order] = replace(self._orders[order], job=job)
            elif job.step == "aborted":
                self._orders[order] = replace(self._orders[order], job=None)
