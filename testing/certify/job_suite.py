"""The base of the sorter suite: gives jobs, leaves their reports open, and answers them."""

from collections.abc import Callable
from typing import Any

from testing.certify.device_driver import DeviceDriver
from testing.certify.fake_store import FakeStore, SentRequest
from testing.certify.fixtures import SKU
from testing.certify.observing_relay import ObservedMessage
from testing.certify.suite import BARRIER, Suite
from testing.certify.verdicts import Verdicts

CALLER = "warehouse"
_REPORTS = ("packed", "short-pick", "fault")


class JobSuite(Suite):
    """Gives jobs to a sorter, and keeps track of them."""

    def __init__(self, store: FakeStore[Any], verdicts: Verdicts, driver: DeviceDriver) -> None:
        super().__init__(store, verdicts, driver)
        self._held: set[str] = set()
        self._restarted_at = float("inf")
        self._good: SentRequest
        """The first job: every sorter answers a copy of it at any time."""
        self._count = 0
        self._given: dict[str, SentRequest] = {}
        """The jobs that it has to carry out if it accepts them, by their request's id."""
        self._excused: set[tuple[str, int]] = set()
        """The jobs and assignments that need not be packed: aborted ones, and invalid ones."""
        store.holds = lambda each: (
            any(each.is_about("req", name) for name in _REPORTS)
            and each.data.get("job") in self._held
        )

    def _job(self, *, hold: bool = False) -> str:
        self._count += 1
        job = f"j-{self.store.environment.boot}-{self._count}"
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
    ) -> SentRequest:  # fmt: skip
        data = self._data(job, assignment, location)
        request = self.store.request(CALLER, "pick", data, **more)
        self._given[str(request.message.id)] = request
        return request

    def _abort(self, job: str, assignment: int = 1) -> SentRequest:
        self._excused.add((job, assignment))
        return self.store.request(CALLER, "abort", {"job": job, "assignment": assignment})

    def _packed(self, job: str, name: str = "packed") -> Callable[[], list[ObservedMessage]]:
        return lambda: self.store.requests(name, lambda each: each.data.get("job") == job)

    async def _taken(self, request: SentRequest) -> ObservedMessage | None:
        """The reply to a pick, if it accepts the job."""
        answer = await self._must_answer(request)
        return answer if accepts(answer) else None

    def _copies(self, report: ObservedMessage) -> Callable[[], list[ObservedMessage]]:
        assert report.address is not None
        name = report.address.name
        return lambda: self.store.requests(name, lambda each: each.id == report.id)

    async def barrier(self) -> None:
        """Return when a copy of the first job is answered: that is done at once."""
        await self.store.answered(self._copy(), BARRIER)

    async def _packs(self, job: str, assignment: int | None = None) -> ObservedMessage | None:
        """Its first `packed` of a job; of this assignment, if one is given."""
        found = await self.store.until(
            lambda: [
                each for each in self._packed(job)()
                if assignment in (None, each.data.get("assignment"))
            ]
        )  # fmt: skip
        return found[0] if found else None

    async def _held_job(self, *rules: str) -> tuple[str, ObservedMessage] | None:
        """A job and its unanswered `packed`; None if the sorter does not pack it."""
        job = self._job(hold=True)
        if await self._taken(self._pick(job)) and (packed := await self._packs(job)):
            return job, packed
        self.verdicts.skip("it took no job, or did not pack it", *rules)
        return None

    def _release(self, job: str, **more: Any) -> ObservedMessage:
        """Answer its `packed` as the warehouse does."""
        self._held.discard(job)
        return self.store.reply(self._packed(job)()[-1], {"job": job, **more})

    def _copy(self) -> SentRequest:
        return self.store.again(self._good)

    def _look_for_dropped(self) -> None:
        """Check that it packed every job that it accepted: it had enough time for each."""
        if any(self.verdicts.is_broken(rule) for rule in ("S2", "S4", "S14", "C11")):
            return  # that is why
        for request in self._given.values():
            job, assignment = request.message.data["job"], request.message.data["assignment"]
            accepted = [each for each in self.store.answers(request) if accepts(each)]
            if not accepted or (job, assignment) in self._excused:
                continue
            done = [
                each for each in self._packed(job)() if each.data.get("assignment") == assignment
            ]
            sentence = f"It accepted {job} and never packed it."
            self.verdicts.check("S17", done, sentence, request.message, accepted[0])


def counted(lines: Any) -> dict[Any, int]:
    """The quantity of each SKU."""
    counted: dict[Any, int] = {}
    for line in lines if isinstance(lines, list) else []:
        if isinstance(line, dict) and isinstance(line.get("quantity"), int):
            counted[line.get("sku")] = counted.get(line.get("sku"), 0) + line["quantity"]
    return counted


def accepts(answer: ObservedMessage) -> bool:
    """Whether a reply accepts the job."""
    return not answer.is_problem and answer.data.get("accepted") is True
