"""Tries a sorter: certify is the warehouse that gives it jobs, twice, late, in a wrong order."""

import time
from collections.abc import Awaitable, Callable
from typing import Any

from bus.contract.sorter import JOB_STATE
from cli.certify.book import Book
from cli.certify.hands import Hands
from cli.certify.shelf import SKU, UNKNOWN
from cli.certify.stage import Stage, Told, is_problem
from cli.certify.trial import FUTURE, MORE, PAST, GoneError, Trial, with_unknown
from cli.certify.wire import Message

_REPEATING = ("S6", "S7", "S8", "S9")
_CALLER = "warehouse"


class SorterTrial(Trial):
    """One run through all that can happen to a sorter."""

    def __init__(self, stage: Stage, book: Book, hands: Hands) -> None:
        super().__init__(stage, book, hands)
        self._held: set[str] = set()
        self._restarted_at = float("inf")
        self._good: Told
        """The first job: a copy of it is answered by every sorter at any time."""
        self._count = 0
        stage.holds = lambda each: (
            each.is_about("req", "packed") and each.data.get("job") in self._held
        )

    async def run(self) -> None:
        """Try everything; what cannot be tried is left out."""
        scenes: tuple[Callable[[], Awaitable[object]], ...] = (
            self._says_what_it_is, self._wrong_answers, self._problem_for_the_moment,
            self._final_problem, self._unknown_fields, self._clocks, self._late_job,
            self._old_assignment, self._aborted, self._invalid, self._broker_lost,
            self._restarts, self._malformed,
        )  # fmt: skip
        needs_names = (self._late_job, self._old_assignment, self._aborted)
        try:
            if await self._first_job():
                for scene in scenes:
                    if self.stage.is_vague and scene in needs_names:
                        self.book.skip("its answers name no request", "S10", "S11", "S12", "S13")
                    else:
                        await scene()
        except GoneError:
            rules = [f"S{number}" for number in range(1, 16)] + ["C1", "C11", "C12", "C13", "C17"]
            self.book.skip("the device does not answer any more", *rules)
        await self._look_back()

    # -- jobs ---------------------------------------------------------------------------------

    def _job(self, *, hold: bool = False) -> str:
        self._count += 1
        job = f"j-{self.stage.identity.boot}-{self._count}"
        if hold:
            self._held.add(job)
        return job

    def _data(self, job: str, assignment: int = 1) -> dict[str, Any]:
        picks = [
            {"sku": SKU, "location": "A-01-1", "quantity": 2},
            {"sku": f"{SKU}-B", "location": "A-02-1", "quantity": 1},
        ]
        return {
            "job": job, "assignment": assignment, "order": f"o-{job}", "picks": picks,
            "pickup_point": "north",
        }  # fmt: skip

    def _pick(self, job: str, assignment: int = 1, **more: Any) -> Told:
        return self.stage.request(_CALLER, "pick", self._data(job, assignment), **more)

    def _packed(self, job: str) -> Callable[[], list[Message]]:
        return lambda: self.stage.requests("packed", lambda each: each.data.get("job") == job)

    async def _taken(self, told: Told) -> Message | None:
        """The answer, once it takes the job; it may be at another one for a moment."""
        answer = await self._must_answer(told)
        return answer if _accepts(answer) else None

    def _copies(self, packed: Message) -> Callable[[], list[Message]]:
        return lambda: self.stage.requests("packed", lambda each: each.id == packed.id)

    async def barrier(self) -> None:
        """A copy of a job that is known is answered at once."""
        await self.stage.answered(self._copy())

    async def _packs(self, job: str) -> Message | None:
        """Its first `packed` of a job."""
        found = await self.stage.until(self._packed(job))
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

    # -- scenes -------------------------------------------------------------------------------

    async def _first_job(self) -> bool:
        """A job, held until it was repeated; whether the others can be tried at all."""
        job = self._job(hold=True)
        self._good = told = self._pick(job)
        answer = await self.stage.answered(told)
        named = answer is not None and answer.data.get("job") == job
        is_said = named and isinstance(answer.data.get("accepted"), bool) if answer else False
        sentence = f"It did not answer a pick within {self.times.patience:g} s with its job."
        if not self.book.check("S2", is_said, sentence, told.message, answer):
            return answer is not None and await self._go_on(job, answer)
        assert answer is not None
        if not _accepts(answer):
            self.book.skip("it took no job", *(f"S{number}" for number in range(3, 16)))
            return False
        return await self._go_on(job, answer)

    async def _go_on(self, job: str, answer: Message) -> bool:
        packed = await self._packs(job)
        if packed is None:
            sentence = f"It did not say packed within {self.times.patience:g} s."
            self.book.broke("S4", sentence, self._good.message, answer)
            self._held.clear()
            self.book.skip("it does not say packed", "S5", *_REPEATING, "S14")
            return True
        self._check_packed(job, packed)
        repeats = await self.copies("S5", self._copies(packed))
        if not repeats:
            self.book.skip("it does not repeat", *_REPEATING, "S14")
        reply = self._release(job)
        if repeats:
            await self.stops("S6", self._copies(packed), "the answer", reply)
        for _ in range(2):
            copy = self._copy()
            again = await self._must_answer(copy)
            same = again.data.get("accepted") == answer.data.get("accepted")
            self.book.check("S3", same, "It answered the same pick in another way.", answer, again)
        return True

    def _check_packed(self, job: str, packed: Message) -> None:
        data, wanted = packed.data, self._data(job)
        lines = data.get("lines")
        counted: dict[Any, int] = {}
        for line in lines if isinstance(lines, list) else []:
            if isinstance(line, dict) and isinstance(line.get("quantity"), int):
                counted[line.get("sku")] = counted.get(line.get("sku"), 0) + line["quantity"]
        right = {pick["sku"]: pick["quantity"] for pick in wanted["picks"]}
        wrong = [name for name in ("job", "assignment", "order") if data.get(name) != wanted[name]]
        wrong += [] if data.get("parcel") else ["parcel"]
        wrong += [] if counted == right else ["lines"]
        sentence = f"What it said does not fit its job: {', '.join(wrong)}."
        self.book.check("S4", not wrong, sentence, self._good.message, packed)

    async def _says_what_it_is(self) -> None:
        await self.ping(_CALLER)
        if self.has_response_topics:
            job = self._job()
            told = self._pick(job, response_topic=self.elsewhere(_CALLER))
            answer = await self.at_once(told)
            if answer is not None and _accepts(answer):
                await self._packs(job)

    async def _wrong_answers(self) -> None:
        if self.book.is_kept("S5") and (held := await self._held_job("S7")):
            job, packed = held
            shown = self.no_answers(packed, {"job": job})
            await self.still_repeats(
                "S7", self._copies(packed), "what is no answer to it", shown[-1]
            )
            self._release(job)

    async def _problem_for_the_moment(self) -> None:
        if self.book.is_kept("S5") and (held := await self._held_job("S8")):
            job, packed = held
            problem = self.stage.refuse(packed, 503, "unavailable", retryable=True)
            await self.still_repeats("S8", self._copies(packed), "a retryable problem", problem)
            self._release(job)

    async def _final_problem(self) -> None:
        if self.book.is_broken("S6"):
            self.book.skip("it does not stop at all", "S9")
        elif self.book.is_kept("S5") and (held := await self._held_job("S9")):
            job, packed = held
            problem = self.stage.refuse(packed, 409, "wrong-state", retryable=False)
            await self.stops("S9", self._copies(packed), "a problem that is final", problem)
            self._held.discard(job)

    async def _unknown_fields(self) -> None:
        job = self._job(hold=True)
        data = with_unknown(self._data(job))
        told = self.stage.request(_CALLER, "pick", data, more=MORE)
        answer = await self.stage.answered(told)
        accepted = answer is not None and _accepts(answer)
        self.book.check(
            "C10", accepted, "It did not take a job with unknown fields.", told.message, answer
        )
        if accepted and (packed := await self._packs(job)):
            reply = self.stage.reply(self._packed(job)()[-1], {"job": job, **UNKNOWN}, more=MORE)
            if self.book.is_kept("S5") and self.book.is_kept("S6"):
                what = "an answer with unknown fields"
                await self.stops("C10", self._copies(packed), what, reply)
            self._release(job)

    async def _clocks(self) -> None:
        for when in (PAST, FUTURE):
            job = self._job()
            told = self._pick(job, more={"time": when})
            answer = await self.stage.answered(told)
            accepted = answer is not None and _accepts(answer)
            sentence = "It did not take a job for the time of its message."
            if self.book.check("C14", accepted, sentence, told.message, answer):
                await self._packs(job)
        if self.stage.is_vague:
            self.book.skip("its answers name no request", "C15")
            return
        job = self._job()
        told = self._pick(job, more={"expirytime": PAST})
        await self._must_answer(self._copy())
        found = await self.at_once(told)
        begun = found is not None and _accepts(found)
        self.book.check("C15", not begun, "It took an expired job.", told.message, found)
        if begun:
            await self._packs(job)

    async def _late_job(self) -> None:
        """An abort comes before its job."""
        job = self._job()
        abort, answer = await self.stage.ask(_CALLER, "abort", {"job": job, "assignment": 1})
        stopped = answer is not None and not is_problem(answer) and answer.data.get("job") == job
        sentence = "It did not answer the abort of a job that it never saw with that job."
        if not self.book.check("S10", stopped, sentence, abort.message, answer):
            self.book.skip("it does not know aborts of jobs that it never saw", "S11")
            return
        late = self._pick(job)
        found = await self._must_answer(late)
        begun = _accepts(found)
        self.book.check("S10", not begun, "It took a job after its abort.", late.message, found)
        if begun:
            await self._packs(job)
        newer = self._pick(job, 2)
        taken = await self._must_answer(newer)
        sentence = "It did not take an aborted job under a newer assignment."
        if self.book.check("S11", _accepts(taken), sentence, newer.message, taken):
            await self._packs(job)

    async def _old_assignment(self) -> None:
        job = self._job()
        if not await self._taken(self._pick(job, 3)):
            self.book.skip("it took no job", "S12")
            return
        await self._packs(job)
        await self._must_answer(self._copy())
        old = self._pick(job, 2)
        answer = await self._must_answer(old)
        taken = _accepts(answer)
        sentence = "It took a job under an older assignment."
        self.book.check("S12", not taken, sentence, old.message, answer)

    async def _aborted(self) -> None:
        job = self._job()
        if not await self._taken(self._pick(job)):
            self.book.skip("it took no job", "S13")
            return
        abort, answer = await self.stage.ask(_CALLER, "abort", {"job": job, "assignment": 1})
        packed = self._packed(job)()
        if packed and (answer is None or packed[0].at < answer.at):
            self.book.skip("it had packed the job before it could be aborted", "S13")
            return
        stopped = answer is not None and not is_problem(answer) and answer.data.get("job") == job
        sentence = "It did not answer the abort of its job with that job."
        if self.book.check("S13", stopped, sentence, abort.message, answer):
            later = await self.stage.until(self._packed(job), self.times.settle) or []
            self.book.check(
                "S13", not later, "It reported an aborted job as packed.", answer, *later[:1]
            )

    async def _invalid(self) -> None:
        bad = self._data(self._job())
        few = {**bad, "picks": [{**bad["picks"][0], "quantity": 0}]}
        cases = [
            few, {**self._data(self._job()), "picks": []},
            {**self._data(self._job()), "assignment": "one"},
            {name: value for name, value in self._data(self._job()).items() if name != "order"},
        ]  # fmt: skip

        def carried_out(told: Told, answer: Message | None) -> bool:
            job = told.message.data["job"]
            return bool(self._packed(job)()) or (answer is not None and _accepts(answer))

        await self.invalid(_CALLER, "pick", cases, self._copy, carried_out)
        for data in cases:
            if any(
                _accepts(answer)
                for told in self.stage.told.values()
                if told.message.data == data
                for answer in self.stage.answers(told)
            ):
                await self.pause()  # it is at a job that it should not have

    async def _broker_lost(self) -> None:
        held = await self._held_job()
        back = await self.lose_broker()
        if not back:
            self._held.clear()
            raise GoneError
        answer = await self.stage.answered(self._copy())
        self.book.check("C1", answer, "It came back but answers no more.", self._good.message)
        if answer is None:
            raise GoneError
        if held is not None:
            if self.book.is_kept("S5"):
                _, packed = held
                await self.still_repeats("C1", self._copies(packed), "the broker was lost", packed)
            self._release(held[0])

    async def _restarts(self) -> None:
        if not self.hands.can_restart:
            self.book.skip("nobody restarted it (--start, --restart-command)", "S14")
            return
        if not self.book.is_kept("S5") or not (held := await self._held_job("S14")):
            return
        job, packed = held
        self._restarted_at = time.monotonic()
        if not await self.restart():
            self.book.broke("S14", "It did not come back after a restart.")
            raise GoneError
        await self.still_repeats("S14", self._copies(packed), "a restart", packed)
        await self._must_answer(self._copy())
        self._release(job)
        half = self._job()
        if await self._taken(self._pick(half)):
            if not await self.restart():
                self.book.broke("S14", "It did not come back after a restart.")
                raise GoneError
            done = await self._packs(half)
            sentence = "It did not go on with a job after a restart."
            self.book.check("S14", done, sentence)
            await self._must_answer(self._copy())

    async def _malformed(self) -> None:
        await self.malformed(_CALLER, "pick", self._data(self._job()), self._copy)

    async def _look_back(self) -> None:
        """What shows only when all is over: jobs that were packed twice."""
        await self.pause()
        packed: dict[tuple[str, Any], dict[str, Message]] = {}
        for each in self.stage.requests("packed"):
            key = (str(each.data.get("job")), each.data.get("assignment"))
            packed.setdefault(key, {}).setdefault(str(each.id), each)
        for (job, _), several in packed.items():
            before = [each for each in several.values() if each.at < self._restarted_at]
            if len(several) > 1:
                rule = "S3" if len(before) > 1 else "S14"
                self.book.broke(rule, f"It packed {job} {len(several)} times.", *several.values())
        shown = [
            each for each in self.stage.heard
            if each.is_about("state", JOB_STATE.name) and each.incoming.retain
            and each.data.get("job") in packed_jobs(packed)
        ]  # fmt: skip
        self.book.check("S15", shown, "It never showed one of its jobs in the state `job`.")


def packed_jobs(packed: dict[tuple[str, Any], dict[str, Message]]) -> set[str]:
    """The jobs that were reported."""
    return {job for job, _ in packed}


def _accepts(answer: Message) -> bool:
    return not is_problem(answer) and answer.data.get("accepted") is True
