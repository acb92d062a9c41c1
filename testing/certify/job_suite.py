"""What a sorter's trial does with jobs: it gives them, holds their reports back, and answers."""

from collections.abc import Callable
from typing import Any

from testing.certify.device_driver import Hands
from testing.certify.fake_store import Stage, Told, is_problem
from testing.certify.fixtures import SKU
from testing.certify.observing_relay import Message
from testing.certify.suite import BARRIER, Trial
from testing.certify.verdicts import Book

CALLER = "warehouse"
_REPORTS = ("packed", "short-pick", "fault")


class Jobs(Trial):
    """Gives jobs to a sorter, and keeps account of them."""

    def __init__(self, stage: Stage[Any], book: Book, hands: Hands) -> None:
        super().__init__(stage, book, hands)
        self._held: set[str] = set()
        self._restarted_at = float("inf")
        self._good: Told
        """The first job: a copy of it is answered by every sorter at any time."""
        self._count = 0
        self._given: dict[str, Told] = {}
        """The jobs that it ought to carry out if it accepts them, by their request's id."""
        self._excused: set[tuple[str, int]] = set()
        """The jobs and assignments that need not be packed: aborted, or not to be done."""
        stage.holds = lambda each: (
            any(each.is_about("req", name) for name in _REPORTS)
            and each.data.get("job") in self._held
        )

    def _job(self, *, hold: bool = False) -> str:
        self._count += 1
        job = f"j-{self.stage.environment.boot}-{self._count}"
        if hold:
            self._held.add(job)
        return job

    def _data(
        self, job: str, assignment: int = 1, location: str = "A-01-1"
    ) -> dict[str, Any]:  # fmt: skip
        picks = [
            {"sku": SKU, "location": location, "quantity": 2},
            {"sku": f"{SKU}-B", "location": "A-02-1", "quantity": 1},
        ]
        return {
            "job": job, "assignment": assignment, "order": f"o-{job}", "picks": picks,
            "pickup_point": "north",
        }  # fmt: skip

    def _pick(
        self, job: str, assignment: int = 1, location: str = "A-01-1", **more: Any
    ) -> Told:  # fmt: skip
        data = self._data(job, assignment, location)
        told = self.stage.request(CALLER, "pick", data, **more)
        self._given[str(told.message.id)] = told
        return told

    def _abort(self, job: str, assignment: int = 1) -> Told:
        self._excused.add((job, assignment))
        return self.stage.request(CALLER, "abort", {"job": job, "assignment": assignment})

    def _packed(self, job: str, name: str = "packed") -> Callable[[], list[Message]]:
        return lambda: self.stage.requests(name, lambda each: each.data.get("job") == job)

    async def _taken(self, told: Told) -> Message | None:
        """The answer, once it takes the job; it may be at another one for a moment."""
        answer = await self._must_answer(told)
        return answer if accepts(answer) else None

    def _copies(self, report: Message) -> Callable[[], list[Message]]:
        assert report.address is not None
        name = report.address.name
        return lambda: self.stage.requests(name, lambda each: each.id == report.id)

    async def barrier(self) -> None:
        """A copy of a job that is known is answered at once."""
        await self.stage.answered(self._copy(), BARRIER)

    async def _packs(self, job: str, assignment: int | None = None) -> Message | None:
        """Its first `packed` of a job, under this assignment if it may have several."""
        found = await self.stage.until(
            lambda: [
                each for each in self._packed(job)()
                if assignment in (None, each.data.get("assignment"))
            ]
        )  # fmt: skip
        return found[0] if found else None

    async def _held_job(self, *rules: str) -> tuple[str, Message] | None:
        """A job whose `packed` is not answered yet; None if it does not come to that."""
        job = self._job(hold=True)
        if await self._taken(self._pick(job)) and (packed := await self._packs(job)):
            return job, packed
        self.book.skip("it took no job, or did not pack it", *rules)
        return None

    def _release(self, job: str, **more: Any) -> Message:
        """Answer its `packed` as the warehouse does."""
        self._held.discard(job)
        return self.stage.reply(self._packed(job)()[-1], {"job": job, **more})

    def _copy(self) -> Told:
        return self.stage.again(self._good)

    def _look_for_dropped(self) -> None:
        """Jobs that it accepted and was left to do; it had time enough for each."""
        if any(self.book.is_broken(rule) for rule in ("S2", "S4", "S14", "C11")):
            return  # that is why
        for told in self._given.values():
            job, assignment = told.message.data["job"], told.message.data["assignment"]
            accepted = [each for each in self.stage.answers(told) if accepts(each)]
            if not accepted or (job, assignment) in self._excused:
                continue
            done = [
                each for each in self._packed(job)() if each.data.get("assignment") == assignment
            ]
            sentence = f"It accepted {job} and never packed it."
            self.book.check("S17", done, sentence, told.message, accepted[0])


def counted(lines: Any) -> dict[Any, int]:
    """How many there are of each SKU."""
    counted: dict[Any, int] = {}
    for line in lines if isinstance(lines, list) else []:
        if isinstance(line, dict) and isinstance(line.get("quantity"), int):
            counted[line.get("sku")] = counted.get(line.get("sku"), 0) + line["quantity"]
    return counted


def accepts(answer: Message) -> bool:
    """Whether it takes the job."""
    return not is_problem(answer) and answer.data.get("accepted") is True
