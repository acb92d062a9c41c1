"""Test cases for assignments: which jobs a sorter accepts, and what it reports on aborted ones."""

from typing import Any

from bus.contract.sorter import JOB_STATE
from testing.certify.job_suite import JobSuite, accepts, counted
from testing.certify.observing_relay import ObservedMessage

_TAKEN = ("conveying", "packing", "done")
"""Steps of a job at which everything has left its location."""


class AssignmentCases(JobSuite):
    """Jobs that come late, twice, under old assignments or while another is under way; aborts."""

    async def _late_job(self) -> None:
        """An abort comes before its job."""
        job = self._job()
        abort = self._abort(job)
        answer = await self.store.answered(abort)
        stopped = answer is not None and not answer.is_problem and answer.data.get("job") == job
        sentence = "It did not answer the abort of a job that it never saw with that job."
        if not self.verdicts.check("S10", stopped, sentence, abort.message, answer):
            self.verdicts.skip("it does not know aborts of jobs that it never saw", "S11")
            return
        assert answer is not None
        sentence = "It says that it has taken something of a job that it never saw."
        self.verdicts.check("S10", answer.data.get("taken") == [], sentence, abort.message, answer)
        late = self._pick(job)
        found = await self._must_answer(late)
        begun = accepts(found)
        self.verdicts.check("S10", not begun, "It took a job after its abort.", late.message, found)
        if begun:
            await self._packs(job)
        newer = self._pick(job, 2)
        taken = await self._must_answer(newer)
        sentence = "It did not take an aborted job under a newer assignment."
        if self.verdicts.check("S11", accepts(taken), sentence, newer.message, taken):
            await self._packs(job, 2)

    async def _old_assignment(self) -> None:
        job = self._job()
        if not await self._taken(self._pick(job, 3)):
            self.verdicts.skip("it took no job", "S12")
            return
        await self._packs(job, 3)
        await self._must_answer(self._copy())
        old = self._pick(job, 2)
        self._excused.add((job, 2))
        answer = await self._must_answer(old)
        taken = accepts(answer)
        sentence = "It took a job under an older assignment."
        self.verdicts.check("S12", not taken, sentence, old.message, answer)

    async def _aborted(self) -> None:
        job = self._job()
        if not await self._taken(self._pick(job)):
            self.verdicts.skip("it took no job", "S13")
            return
        abort = self._abort(job)
        answer = await self.store.answered(abort)
        packed = self._packed(job)()
        if packed and (answer is None or packed[0].at < answer.at):
            self.verdicts.skip("it had packed the job before it could be aborted", "S13")
            return
        stopped = answer is not None and not answer.is_problem and answer.data.get("job") == job
        sentence = "It did not answer the abort of its job with that job."
        if self.verdicts.check("S13", stopped, sentence, abort.message, answer):
            later = await self.store.until(self._packed(job), self.timeouts.settle) or []
            self.verdicts.check(
                "S13", not later, "It reported an aborted job as packed.", answer, *later[:1]
            )

    async def _busy(self) -> None:
        """A second job during the first: it refuses it, or does both."""
        first, second = self._job(), self._job()
        if not await self._taken(self._pick(first)):
            self.verdicts.skip("it took no job", "S17")
            return
        request = self._pick(second)
        answer = await self._must_answer(request)
        is_said = isinstance(answer.data.get("accepted"), bool)
        sentence = "It did not say whether it accepts a job while it is at another."
        self.verdicts.check("S2", is_said, sentence, request.message, answer)
        await self._packs(first)
        if accepts(answer):
            await self._packs(second)  # else it is found out in the end
            return
        self._excused.add((second, 1))
        copy = self.store.again(request)
        again = await self._must_answer(copy)
        sentence = "It accepted a copy of what it had refused."
        if not self.verdicts.check(
            "S3", not accepts(again), sentence, request.message, answer, again
        ):
            await self._packs(second)
            return
        later = self._pick(second, 2)
        taken = await self._must_answer(later)
        sentence = "It did not take a job that it had refused under a newer assignment, when free."
        if self.verdicts.check("S17", accepts(taken), sentence, later.message, taken):
            await self._packs(second, 2)

    async def _aborted_late(self) -> None:
        """An abort after something has left its location, by its state or because it is packed."""
        job = self._job()
        if not await self._taken(self._pick(job)):
            self.verdicts.skip("it took no job", "S16")
            return
        left = await self.store.until(lambda: self._left(job))
        if not left:
            self.verdicts.skip("it neither shows how far it is nor says packed", "S16")
            return
        abort = self._abort(job)
        answer = await self._must_answer(abort)
        taken, all_of_it = counted(answer.data.get("taken")), counted(self._data(job)["picks"])
        enough = all(taken.get(sku, 0) >= quantity for sku, quantity in left.items())
        true = enough and all(quantity <= all_of_it.get(sku, 0) for sku, quantity in taken.items())
        sentence = f"It had taken at least {left}, of {all_of_it}, and said {taken}."
        shown = [*self._states_of(job), *self._packed(job)()][-1:]
        self.verdicts.check("S16", true, sentence, *shown, abort.message, answer)
        again = await self._must_answer(self.store.again(abort))
        same = again.data.get("taken") == answer.data.get("taken")
        sentence = "It answered the same abort in another way."
        self.verdicts.check("S16", same, sentence, abort.message, answer, again)

    def _states_of(self, job: str) -> list[ObservedMessage]:
        return [
            each for each in self.store.received
            if each.is_about("state", JOB_STATE.name) and each.data.get("job") == job
        ]  # fmt: skip

    def _left(self, job: str) -> dict[Any, int]:
        """What has left its location at least, by what it has reported on a job."""
        picks = self._data(job)["picks"]
        if self._packed(job)():
            return counted(picks)
        done = 0
        for state in self._states_of(job):
            step, pick = state.data.get("step"), state.data.get("pick")
            if step in _TAKEN:
                done = len(picks)
            elif isinstance(pick, int):
                done = max(done, pick + (step == "picking"))
        return counted(picks[:done])
