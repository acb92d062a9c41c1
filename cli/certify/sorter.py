"""Tries a sorter: certify is the warehouse that gives it jobs, twice, late, in a wrong order."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from bus.contract.sorter import JOB_STATE
from cli.certify.book import Book
from cli.certify.hands import Hands
from cli.certify.rules import RULES_BY_ID
from cli.certify.shelf import SKU, UNKNOWN
from cli.certify.stage import Stage, Told, is_problem
from cli.certify.trial import BARRIER, FUTURE, MORE, PAST, GoneError, Trial, with_unknown
from cli.certify.wire import Message

_REPEATING = ("S6", "S7", "S8", "S9", "C20")
_CALLER = "warehouse"
_REPORTS = ("packed", "short-pick", "fault")
_SHORT_AT = "A-03-1"
"""A location that holds one piece fewer than it should."""
_TAKEN = ("conveying", "packing", "done")
"""Steps of a job for which everything has left its location."""


class SorterTrial(Trial):
    """One run through all that can happen to a sorter."""

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

    async def run(self) -> None:
        """Try everything; what cannot be tried is left out."""
        scenes: tuple[Callable[[], Awaitable[object]], ...] = (
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
                for scene in scenes:
                    if self.stage.is_vague and scene in needs_names:
                        rules = ("S10", "S11", "S12", "S13", "S16", "S17")
                        self.book.skip("its answers name no request", *rules)
                    else:
                        await scene()
        except GoneError:
            self.book.skip("the device does not answer any more", *RULES_BY_ID)
        await self._look_back()

    # -- jobs ---------------------------------------------------------------------------------

    def _job(self, *, hold: bool = False) -> str:
        self._count += 1
        job = f"j-{self.stage.identity.boot}-{self._count}"
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
        told = self.stage.request(_CALLER, "pick", data, **more)
        self._given[str(told.message.id)] = told
        return told

    def _abort(self, job: str, assignment: int = 1) -> Told:
        self._excused.add((job, assignment))
        return self.stage.request(_CALLER, "abort", {"job": job, "assignment": assignment})

    def _packed(self, job: str, name: str = "packed") -> Callable[[], list[Message]]:
        return lambda: self.stage.requests(name, lambda each: each.data.get("job") == job)

    async def _taken(self, told: Told) -> Message | None:
        """The answer, once it takes the job; it may be at another one for a moment."""
        answer = await self._must_answer(told)
        return answer if _accepts(answer) else None

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
            self.book.skip("it took no job", *RULES_BY_ID)
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
        counted, right = _counted(data.get("lines")), _counted(wanted["picks"])
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
        abort = self._abort(job)
        answer = await self.stage.answered(abort)
        stopped = answer is not None and not is_problem(answer) and answer.data.get("job") == job
        sentence = "It did not answer the abort of a job that it never saw with that job."
        if not self.book.check("S10", stopped, sentence, abort.message, answer):
            self.book.skip("it does not know aborts of jobs that it never saw", "S11")
            return
        assert answer is not None
        sentence = "It says that it has taken something of a job that it never saw."
        self.book.check("S10", answer.data.get("taken") == [], sentence, abort.message, answer)
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
            await self._packs(job, 2)

    async def _old_assignment(self) -> None:
        job = self._job()
        if not await self._taken(self._pick(job, 3)):
            self.book.skip("it took no job", "S12")
            return
        await self._packs(job, 3)
        await self._must_answer(self._copy())
        old = self._pick(job, 2)
        self._excused.add((job, 2))
        answer = await self._must_answer(old)
        taken = _accepts(answer)
        sentence = "It took a job under an older assignment."
        self.book.check("S12", not taken, sentence, old.message, answer)

    async def _aborted(self) -> None:
        job = self._job()
        if not await self._taken(self._pick(job)):
            self.book.skip("it took no job", "S13")
            return
        abort = self._abort(job)
        answer = await self.stage.answered(abort)
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

    async def _busy(self) -> None:
        """A second job while it is at one: it refuses it, or does it as well."""
        first, second = self._job(), self._job()
        if not await self._taken(self._pick(first)):
            self.book.skip("it took no job", "S17")
            return
        told = self._pick(second)
        answer = await self._must_answer(told)
        is_said = isinstance(answer.data.get("accepted"), bool)
        sentence = "It did not say whether it accepts a job while it is at another."
        self.book.check("S2", is_said, sentence, told.message, answer)
        await self._packs(first)
        if _accepts(answer):
            await self._packs(second)  # else it is found out in the end
            return
        self._excused.add((second, 1))
        copy = self.stage.again(told)
        again = await self._must_answer(copy)
        sentence = "It accepted a copy of what it had refused."
        if not self.book.check("S3", not _accepts(again), sentence, told.message, answer, again):
            await self._packs(second)
            return
        later = self._pick(second, 2)
        taken = await self._must_answer(later)
        sentence = "It did not take a job that it had refused under a newer assignment, when free."
        if self.book.check("S17", _accepts(taken), sentence, later.message, taken):
            await self._packs(second, 2)

    async def _aborted_late(self) -> None:
        """An abort when something has left its location: as its state says, or all, if packed."""
        job = self._job()
        if not await self._taken(self._pick(job)):
            self.book.skip("it took no job", "S16")
            return
        left = await self.stage.until(lambda: self._left(job))
        if not left:
            self.book.skip("it neither shows how far it is nor says packed", "S16")
            return
        abort = self._abort(job)
        answer = await self._must_answer(abort)
        taken, all_of_it = _counted(answer.data.get("taken")), _counted(self._data(job)["picks"])
        enough = all(taken.get(sku, 0) >= quantity for sku, quantity in left.items())
        true = enough and all(quantity <= all_of_it.get(sku, 0) for sku, quantity in taken.items())
        sentence = f"It had taken at least {left}, of {all_of_it}, and said {taken}."
        shown = [*self._states_of(job), *self._packed(job)()][-1:]
        self.book.check("S16", true, sentence, *shown, abort.message, answer)
        again = await self._must_answer(self.stage.again(abort))
        same = again.data.get("taken") == answer.data.get("taken")
        sentence = "It answered the same abort in another way."
        self.book.check("S16", same, sentence, abort.message, answer, again)

    def _states_of(self, job: str) -> list[Message]:
        return [
            each for each in self.stage.heard
            if each.is_about("state", JOB_STATE.name) and each.data.get("job") == job
        ]  # fmt: skip

    def _left(self, job: str) -> dict[Any, int]:
        """What has left its location, at least, by what it has said of a job."""
        picks = self._data(job)["picks"]
        if self._packed(job)():
            return _counted(picks)
        done = 0
        for state in self._states_of(job):
            step, pick = state.data.get("step"), state.data.get("pick")
            if step in _TAKEN:
                done = len(picks)
            elif isinstance(pick, int):
                done = max(done, pick + (step == "picking"))
        return _counted(picks[:done])

    async def _short_pick(self) -> None:
        """Too few pieces at a location: once the rest is elsewhere, once it is nowhere."""
        for rest in ([{"sku": SKU, "location": "A-04-1", "quantity": 1}], []):
            if not await self.hands.take_away(SKU, _SHORT_AT):
                self.book.skip("nobody took a piece away (--short-command)", "S18")
                return
            job = self._job(hold=True)
            if not await self._taken(self._pick(job, location=_SHORT_AT)):
                self.book.skip("it took no job", "S18")
                return
            said = self._packed(job, "short-pick")
            reports = await self.stage.until(lambda: said() or self._packed(job)())  # noqa: B023
            report = next(iter(said()), None)
            sentence = "It did not say that a location held too little."
            if not self.book.check("S18", report, sentence, *(reports or [])[:1]):
                self._held.discard(job)
                return
            assert report is not None
            wanted = {"job": job, "assignment": 1, "sku": SKU, "location": _SHORT_AT, "found": 1}
            true = all(report.data.get(name) == value for name, value in wanted.items())
            self.book.check("S18", true, f"It did not say {wanted}.", report)
            await self._check_repeats("S18", report)
            early = self._packed(job)()
            sentence = "It did not wait for the answer to its short-pick."
            self.book.check("S18", not early, sentence, report, *early[:1])
            answer = self.stage.reply(report, {"job": job, "picks": rest})
            packed = await self._packs(job)
            right = {SKU: 1 + len(rest), f"{SKU}-B": 1}
            found = _counted(packed.data.get("lines")) if packed is not None else {}
            sentence = f"It packed {found}, not {right}."
            if not self.book.is_broken("S4"):
                self.book.check("S18", found == right, sentence, answer, packed)
            if packed is not None:
                self._release(job)

    async def _check_repeats(self, rule: str, report: Message) -> None:
        """A report is repeated; who repeats nothing has been told so."""
        if self.book.is_kept("S5"):
            again = await self.stage.until(lambda: self._copies(report)()[1:])
            self.book.check(rule, again, f"It was not repeated {self._so_long}.", report)

    async def _fault(self) -> None:
        """It cannot go on: the job is another's then."""
        if not await self.hands.jam():
            self.book.skip("nobody made it jam (--fault-command)", "S19")
            return
        job = self._job(hold=True)
        if not await self._taken(self._pick(job)):
            self.book.skip("it took no job", "S19")
            return
        self._excused.add((job, 1))
        said = self._packed(job, "fault")
        await self.stage.until(lambda: said() or self._packed(job)())
        report = next(iter(said()), None)
        sentence = f"It did not report a fault {self._so_long}."
        if not self.book.check("S19", report, sentence, *self._packed(job)()[:1]):
            self._held.discard(job)
            return
        assert report is not None
        true = (report.data.get("job"), report.data.get("assignment")) == (job, 1)
        self.book.check("S19", true, "Its fault names another job or assignment.", report)
        await self._check_repeats("S19", report)
        reply = self.stage.reply(report, {"job": job})
        await self._must_answer(self._abort(job))
        later = await self.stage.until(self._packed(job), self.times.settle) or []
        sentence = "It packed a job that it had reported as impossible."
        self.book.check("S19", not later, sentence, report, reply, *later[:1])
        self._held.discard(job)

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
        data = self._data(self._job())
        await self.not_commanded("pick", data, self._copy, carried_out)
        cases.append(data)
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
        try:
            await self.lose_broker(
                _CALLER, "pick", self._data(self._job()), self._copy,
                lambda _, answer: answer is not None and _accepts(answer),
            )  # fmt: skip
        except GoneError:
            self._held.clear()
            raise
        if held is None:
            return
        job, packed = held
        repeats = self.book.is_kept("S5") and await self.still_repeats(
            "C1", self._copies(packed), "the broker was lost", packed
        )
        reply = self._release(job)
        if repeats and self.book.is_kept("S6"):
            await self.stops("C1", self._copies(packed), "the answer after a lost broker", reply)

    async def _restarts(self) -> None:
        if not self.hands.can_restart:
            self.book.skip("nobody restarted it (--start, --restart-command)", "S14")
            return
        if not self.book.is_kept("S5") or not (held := await self._held_job("S14")):
            return
        job, packed = held
        self._restarted_at = asyncio.get_running_loop().time()
        if not await self.restart():
            self.book.broke("S14", "It did not come back after a restart.")
            raise GoneError
        await self.still_repeats("S14", self._copies(packed), "a restart", packed)
        await self._must_answer(self._copy())
        reply = self._release(job)
        if self.book.is_kept("S6"):
            await self.stops("S14", self._copies(packed), "the answer after a restart", reply)
        await self._restart_at_once()

    async def _restart_at_once(self) -> None:
        """What it answers it has written down before: a job that it took, and an abort."""
        half, gone = self._job(), self._job()
        told = self._pick(half)
        if not (taken := await self._taken(told)):
            return
        abort = self._abort(gone)
        answer = await self._must_answer(abort)
        if not await self.restart():
            self.book.broke("S14", "It did not come back after a restart.")
            raise GoneError
        done = await self._packs(half)
        sentence = "It did not go on with a job after a restart."
        self.book.check("S14", done, sentence, told.message, taken)
        await self._must_answer(self._copy())
        if self.stage.is_vague or self.book.is_broken("S10"):
            return
        late = self._pick(gone)
        found = await self._must_answer(late)
        sentence = "It took a job that was aborted before a restart."
        self.book.check("S14", not _accepts(found), sentence, abort.message, answer, found)
        if _accepts(found):
            await self._packs(gone)

    async def _malformed(self) -> None:
        await self.malformed(_CALLER, "pick", self._data(self._job()), self._copy)

    def _look_for_dropped(self) -> None:
        """Jobs that it accepted and was left to do; it had time enough for each."""
        if any(self.book.is_broken(rule) for rule in ("S2", "S4", "S14", "C11")):
            return  # that is why
        for told in self._given.values():
            job, assignment = told.message.data["job"], told.message.data["assignment"]
            accepted = [each for each in self.stage.answers(told) if _accepts(each)]
            if not accepted or (job, assignment) in self._excused:
                continue
            done = [
                each for each in self._packed(job)() if each.data.get("assignment") == assignment
            ]
            sentence = f"It accepted {job} and never packed it."
            self.book.check("S17", done, sentence, told.message, accepted[0])

    async def _look_back(self) -> None:
        """What shows only when all is over: jobs that were packed twice, or never."""
        await self.pause()
        self._look_for_dropped()
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


def _counted(lines: Any) -> dict[Any, int]:
    """How many there are of each SKU."""
    counted: dict[Any, int] = {}
    for line in lines if isinstance(lines, list) else []:
        if isinstance(line, dict) and isinstance(line.get("quantity"), int):
            counted[line.get("sku")] = counted.get(line.get("sku"), 0) + line["quantity"]
    return counted


def packed_jobs(packed: dict[tuple[str, Any], dict[str, Message]]) -> set[str]:
    """The jobs that were reported."""
    return {job for job, _ in packed}


def _accepts(answer: Message) -> bool:
    return not is_problem(answer) and answer.data.get("accepted") is True
