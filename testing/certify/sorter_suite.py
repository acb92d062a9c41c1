"""The suite for sorters: a warehouse that gives jobs twice, late and in the wrong order."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from bus.contract.sorter import JOB_STATE
from testing.certify.assignment_cases import AssignmentCases
from testing.certify.edge_cases import MORE, with_unknown
from testing.certify.fake_store import SentRequest
from testing.certify.fault_cases import FaultCases
from testing.certify.fixtures import UNKNOWN
from testing.certify.job_suite import CALLER, accepts, counted
from testing.certify.observing_relay import ObservedMessage
from testing.certify.rules import RULES_BY_ID
from testing.certify.suite import FUTURE, PAST, DeviceGoneError

_REPEATING = ("S6", "S7", "S8", "S9", "C20")


class SorterSuite(AssignmentCases, FaultCases):
    """All test cases for a sorter."""

    async def run(self) -> None:
        """Run every test case that can be run."""
        test_cases: tuple[Callable[[], Awaitable[object]], ...] = (
            self._says_what_it_is, self._wrong_answers, self._problem_for_the_moment,
            self._final_problem, self._unknown_fields, self._clocks, self._busy, self._late_job,
            self._old_assignment, self._aborted, self._aborted_late, self._short_pick, self._fault,
            self._invalid, self._broker_lost, self._restarts, self._malformed,
        )  # fmt: skip
        needs_names = (
            self._late_job, self._old_assignment, self._aborted, self._aborted_late, self._busy,
        )  # fmt: skip
        try:
            if await self._first_job():
                for case in test_cases:
                    if self.store.is_vague and case in needs_names:
                        rules = ("S10", "S11", "S12", "S13", "S16", "S17")
                        self.verdicts.skip("its answers name no request", *rules)
                    else:
                        await case()
        except DeviceGoneError:
            self.verdicts.skip("the device does not answer any more", *RULES_BY_ID)
        await self._look_back()

    # -- test cases -------------------------------------------------------------------------------

    async def _first_job(self) -> bool:
        """A job whose report is answered after repetitions; return whether others can be tried."""
        job = self._job(hold=True)
        self._good = request = self._pick(job)
        answer = await self.store.answered(request)
        named = answer is not None and answer.data.get("job") == job
        is_said = named and isinstance(answer.data.get("accepted"), bool) if answer else False
        sentence = f"It did not answer a pick within {self.timeouts.patience:g} s with its job."
        if not self.verdicts.check("S2", is_said, sentence, request.message, answer):
            return answer is not None and await self._go_on(job, answer)
        assert answer is not None
        if not accepts(answer):
            self.verdicts.skip("it took no job", *RULES_BY_ID)
            return False
        return await self._go_on(job, answer)

    async def _go_on(self, job: str, answer: ObservedMessage) -> bool:
        packed = await self._packs(job)
        if packed is None:
            sentence = f"It did not say packed within {self.timeouts.patience:g} s."
            self.verdicts.broke("S4", sentence, self._good.message, answer)
            self._held.clear()
            self.verdicts.skip("it does not say packed", "S5", *_REPEATING, "S14")
            return True
        self._check_packed(job, packed)
        repeats = await self.copies("S5", self._copies(packed))
        if not repeats:
            self.verdicts.skip("it does not repeat", *_REPEATING, "S14")
        reply = self._release(job)
        if repeats:
            await self.stops("S6", self._copies(packed), "the answer", reply)
        for _ in range(2):
            copy = self._copy()
            again = await self._must_answer(copy)
            same = again.data.get("accepted") == answer.data.get("accepted")
            self.verdicts.check(
                "S3", same, "It answered the same pick in another way.", answer, again
            )
        return True

    def _check_packed(self, job: str, packed: ObservedMessage) -> None:
        data, wanted = packed.data, self._data(job)
        found, right = counted(data.get("lines")), counted(wanted["picks"])
        wrong = [name for name in ("job", "assignment", "order") if data.get(name) != wanted[name]]
        wrong += [] if data.get("parcel") else ["parcel"]
        wrong += [] if found == right else ["lines"]
        sentence = f"What it said does not fit its job: {', '.join(wrong)}."
        self.verdicts.check("S4", not wrong, sentence, self._good.message, packed)

    async def _says_what_it_is(self) -> None:
        await self.ping(CALLER)
        if self.has_response_topics:
            job = self._job()
            request = self._pick(job, response_topic=self.elsewhere(CALLER))
            answer = await self.at_once(request)
            if answer is not None and accepts(answer):
                await self._packs(job)

    async def _wrong_answers(self) -> None:
        if self.verdicts.is_kept("S5") and (held := await self._held_job("S7")):
            job, packed = held
            shown = self.send_wrong_answers(packed, {"job": job})
            await self.still_repeats(
                "S7", self._copies(packed), "what is no answer to it", shown[-1]
            )
            self._release(job)

    async def _problem_for_the_moment(self) -> None:
        if self.verdicts.is_kept("S5") and (held := await self._held_job("S8")):
            job, packed = held
            problem = self.store.refuse(packed, 503, "unavailable", retryable=True)
            await self.still_repeats("S8", self._copies(packed), "a retryable problem", problem)
            self._release(job)

    async def _final_problem(self) -> None:
        if self.verdicts.is_broken("S6"):
            self.verdicts.skip("it does not stop at all", "S9")
        elif self.verdicts.is_kept("S5") and (held := await self._held_job("S9")):
            job, packed = held
            problem = self.store.refuse(packed, 409, "wrong-state", retryable=False)
            await self.stops("S9", self._copies(packed), "a problem that is final", problem)
            self._held.discard(job)

    async def _unknown_fields(self) -> None:
        job = self._job(hold=True)
        data = with_unknown(self._data(job))
        request = self.store.request(CALLER, "pick", data, more=MORE)
        answer = await self.store.answered(request)
        accepted = answer is not None and accepts(answer)
        self.verdicts.check(
            "C10", accepted, "It did not take a job with unknown fields.", request.message, answer
        )
        if accepted and (packed := await self._packs(job)):
            reply = self.store.reply(self._packed(job)()[-1], {"job": job, **UNKNOWN}, more=MORE)
            if self.verdicts.is_kept("S5") and self.verdicts.is_kept("S6"):
                what = "an answer with unknown fields"
                await self.stops("C10", self._copies(packed), what, reply)
            self._release(job)

    async def _clocks(self) -> None:
        for when in (PAST, FUTURE):
            job = self._job()
            request = self._pick(job, more={"time": when})
            answer = await self.store.answered(request)
            accepted = answer is not None and accepts(answer)
            sentence = "It did not take a job for the time of its message."
            if self.verdicts.check("C14", accepted, sentence, request.message, answer):
                await self._packs(job)
        if self.store.is_vague:
            self.verdicts.skip("its answers name no request", "C15")
            return
        job = self._job()
        request = self._pick(job, more={"expirytime": PAST})
        await self._must_answer(self._copy())
        found = await self.at_once(request)
        begun = found is not None and accepts(found)
        self.verdicts.check("C15", not begun, "It took an expired job.", request.message, found)
        if begun:
            await self._packs(job)

    async def _invalid(self) -> None:
        bad = self._data(self._job())
        few = {**bad, "picks": [{**bad["picks"][0], "quantity": 0}]}
        cases = [
            few, {**self._data(self._job()), "picks": []},
            {**self._data(self._job()), "assignment": "one"},
            {name: value for name, value in self._data(self._job()).items() if name != "order"},
        ]  # fmt: skip

        def carried_out(request: SentRequest, answer: ObservedMessage | None) -> bool:
            job = request.message.data["job"]
            return bool(self._packed(job)()) or (answer is not None and accepts(answer))

        await self.invalid(CALLER, "pick", cases, self._copy, carried_out)
        data = self._data(self._job())
        await self.not_commanded("pick", data, self._copy, carried_out)
        cases.append(data)
        for data in cases:
            if any(
                accepts(answer)
                for request in self.store.sent.values()
                if request.message.data == data
                for answer in self.store.answers(request)
            ):
                await self.pause()  # it is at a job that it should not have

    async def _broker_lost(self) -> None:
        held = await self._held_job()
        try:
            await self.lose_broker(
                CALLER, "pick", self._data(self._job()), self._copy,
                lambda _, answer: answer is not None and accepts(answer),
            )  # fmt: skip
        except DeviceGoneError:
            self._held.clear()
            raise
        if held is None:
            return
        job, packed = held
        repeats = self.verdicts.is_kept("S5") and await self.still_repeats(
            "C1", self._copies(packed), "the broker was lost", packed
        )
        reply = self._release(job)
        if repeats and self.verdicts.is_kept("S6"):
            await self.stops("C1", self._copies(packed), "the answer after a lost broker", reply)

    async def _restarts(self) -> None:
        if not self.driver.can_restart:
            self.verdicts.skip("nobody restarted it (--start, --restart-command)", "S14")
            return
        if not self.verdicts.is_kept("S5") or not (held := await self._held_job("S14")):
            return
        job, packed = held
        self._restarted_at = asyncio.get_running_loop().time()
        if not await self.restart():
            self.verdicts.broke("S14", "It did not come back after a restart.")
            raise DeviceGoneError
        await self.still_repeats("S14", self._copies(packed), "a restart", packed)
        await self._must_answer(self._copy())
        reply = self._release(job)
        if self.verdicts.is_kept("S6"):
            await self.stops("S14", self._copies(packed), "the answer after a restart", reply)
        await self._restart_at_once()

    async def _restart_at_once(self) -> None:
        """A restart right after a reply: an accepted job and an abort must not be lost."""
        half, gone = self._job(), self._job()
        request = self._pick(half)
        if not (taken := await self._taken(request)):
            return
        abort = self._abort(gone)
        answer = await self._must_answer(abort)
        if not await self.restart():
            self.verdicts.broke("S14", "It did not come back after a restart.")
            raise DeviceGoneError
        done = await self._packs(half)
        sentence = "It did not go on with a job after a restart."
        self.verdicts.check("S14", done, sentence, request.message, taken)
        await self._must_answer(self._copy())
        if self.store.is_vague or self.verdicts.is_broken("S10"):
            return
        late = self._pick(gone)
        found = await self._must_answer(late)
        sentence = "It took a job that was aborted before a restart."
        self.verdicts.check("S14", not accepts(found), sentence, abort.message, answer, found)
        if accepts(found):
            await self._packs(gone)

    async def _malformed(self) -> None:
        await self.malformed(CALLER, "pick", self._data(self._job()), self._copy)

    async def _look_back(self) -> None:
        """Check what is known only at the end: jobs that were packed twice, or never."""
        await self.pause()
        self._look_for_dropped()
        packed: dict[tuple[str, Any], dict[str, ObservedMessage]] = {}
        for each in self.store.requests("packed"):
            key = (str(each.data.get("job")), each.data.get("assignment"))
            packed.setdefault(key, {}).setdefault(str(each.id), each)
        for (job, _), several in packed.items():
            before = [each for each in several.values() if each.at < self._restarted_at]
            if len(several) > 1:
                rule = "S3" if len(before) > 1 else "S14"
                self.verdicts.broke(
                    rule, f"It packed {job} {len(several)} times.", *several.values()
                )
        shown = [
            each for each in self.store.received
            if each.is_about("state", JOB_STATE.name) and each.incoming.retain
            and each.data.get("job") in packed_jobs(packed)
        ]  # fmt: skip
        self.verdicts.check("S15", shown, "It never showed one of its jobs in the state `job`.")


def packed_jobs(packed: dict[tuple[str, Any], dict[str, ObservedMessage]]) -> set[str]:
    """The jobs that were reported as packed."""
    return {job for job, _ in packed}
