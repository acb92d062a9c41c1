"""The open orders of this kiosk and their progress."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from bus.contract.settlement import OrderState, OrderSummary
from bus.contract.sorter import JobState
from bus.text.sentence import Sentence, marked

OPEN: tuple[OrderState, ...] = ("settled", "short", "ready", "reminded")
"""The states in which an order is open."""
WAITING: tuple[OrderState, ...] = ("ready", "reminded")
"""The states in which the parcel is at its pickup point."""
_STEPS = {
    "assigned": (10, marked("a sorter has the order")),
    "travelling": (20, marked("the sorter is on its way to the shelf")),
    "picking": (30, marked("the goods are taken from the shelf")),
    "short": (50, marked("the rest is being looked for on another shelf")),
    "conveying": (70, marked("the goods are on the conveyor")),
    "packing": (85, marked("the goods are packed")),
    "done": (95, marked("packed")),
}
_PICKING = 35
"""The share of all picks together, in percent."""


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """An order that has not been collected yet."""

    order: str
    state: OrderState
    point: str
    job: JobState | None = None

    @property
    def percent(self) -> int:
        """The progress in percent: 100 when it can be collected."""
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
        """What is happening to the order."""
        if self.state in WAITING:
            return Sentence("ready to collect")
        if self.job is None or self.job.step not in _STEPS:
            return Sentence("paid; waiting for a sorter")
        return Sentence(_STEPS[self.job.step][1])


class OpenOrders:
    """Kept up to date by answers of settlement, `order-changed` events and sorters' jobs.

    Args:
        terminal: the terminal that bought them.
    """

    def __init__(self, terminal: str) -> None:
        self._terminal = terminal
        self._orders: dict[str, OpenOrder] = {}
        self._jobs: dict[str, JobState] = {}

    def all(self) -> list[OpenOrder]:
        """The open orders: those to collect first, then the newest first."""
        newest = reversed(self._orders.values())
        return sorted(newest, key=lambda each: each.state not in WAITING)

    def fill(self, summaries: Iterable[OrderSummary]) -> None:
        """Replace all orders by these."""
        self._orders = {}
        for summary in sorted(summaries, key=lambda each: each.since):
            self.changed(summary)

    def changed(self, summary: OrderSummary) -> bool:
        """Take a new state of an order; whether it is one of this terminal."""
        if summary.terminal != self._terminal:
            return False
        if summary.state not in OPEN:
            self._orders.pop(summary.order, None)
            return True
        job = next((job for job in self._jobs.values() if job.order == summary.order), None)
        known = self._orders.get(summary.order)
        if known is None:
            known = OpenOrder(summary.order, summary.state, summary.pickup_point, job)
        self._orders[summary.order] = replace(known, state=summary.state)
        return True

    def job(self, sorter: str, job: JobState) -> None:
        """Take a new state of a sorter's job."""
        before = self._jobs.get(sorter)
        self._jobs[sorter] = job
        for order in {job.order, before.order if before else None} & self._orders.keys():
            assert order is not None
            if job.order == order and job.step != "aborted":
                self._orders[order] = replace(self._orders[order], job=job)
            elif job.step == "aborted":
                self._orders[order] = replace(self._orders[order], job=None)
