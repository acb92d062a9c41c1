"""Tries what a sorter does when a job does not go well: too few pieces, a jam."""

from testing.certify.fixtures import SKU
from testing.certify.job_suite import Jobs, counted
from testing.certify.observing_relay import Message

_SHORT_AT = "A-03-1"
"""A location that holds one piece fewer than it should."""


class Faults(Jobs):
    """A location with too few pieces, and a machine that jams, if somebody sees to that."""

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
            found = counted(packed.data.get("lines")) if packed is not None else {}
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
