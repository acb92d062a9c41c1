"""Test cases for faults: a location with too few pieces, a machine that jams."""

from testing.certify.fixtures import SKU
from testing.certify.job_suite import JobSuite, counted
from testing.certify.observing_relay import ObservedMessage

_SHORT_AT = "A-03-1"
"""A location that holds one piece fewer than it should."""


class FaultCases(JobSuite):
    """A location with too few pieces and a machine that jams, if the driver can cause them."""

    async def _short_pick(self) -> None:
        """Too few pieces at a location: first the rest is elsewhere, then nowhere."""
        for rest in ([{"sku": SKU, "location": "A-04-1", "quantity": 1}], []):
            if not await self.driver.remove_piece(SKU, _SHORT_AT):
                self.verdicts.skip("nobody took a piece away (--short-command)", "S18")
                return
            job = self._job(hold=True)
            if not await self._taken(self._pick(job, location=_SHORT_AT)):
                self.verdicts.skip("it took no job", "S18")
                return
            said = self._packed(job, "short-pick")
            reports = await self.store.until(lambda: said() or self._packed(job)())  # noqa: B023
            report = next(iter(said()), None)
            sentence = "It did not say that a location held too little."
            if not self.verdicts.check("S18", report, sentence, *(reports or [])[:1]):
                self._held.discard(job)
                return
            assert report is not None
            wanted = {"job": job, "assignment": 1, "sku": SKU, "location": _SHORT_AT, "found": 1}
            true = all(report.data.get(name) == value for name, value in wanted.items())
            self.verdicts.check("S18", true, f"It did not say {wanted}.", report)
            await self._check_repeats("S18", report)
            early = self._packed(job)()
            sentence = "It did not wait for the answer to its short-pick."
            self.verdicts.check("S18", not early, sentence, report, *early[:1])
            answer = self.store.reply(report, {"job": job, "picks": rest})
            packed = await self._packs(job)
            right = {SKU: 1 + len(rest), f"{SKU}-B": 1}
            found = counted(packed.data.get("lines")) if packed is not None else {}
            sentence = f"It packed {found}, not {right}."
            if not self.verdicts.is_broken("S4"):
                self.verdicts.check("S18", found == right, sentence, answer, packed)
            if packed is not None:
                self._release(job)

    async def _check_repeats(self, rule: str, report: ObservedMessage) -> None:
        """Check that a report is repeated, if the device repeats anything at all."""
        if self.verdicts.is_kept("S5"):
            again = await self.store.until(lambda: self._copies(report)()[1:])
            self.verdicts.check(rule, again, f"It was not repeated {self._within}.", report)

    async def _fault(self) -> None:
        """A jam: another sorter gets the job."""
        if not await self.driver.jam():
            self.verdicts.skip("nobody made it jam (--fault-command)", "S19")
            return
        job = self._job(hold=True)
        if not await self._taken(self._pick(job)):
            self.verdicts.skip("it took no job", "S19")
            return
        self._excused.add((job, 1))
        said = self._packed(job, "fault")
        await self.store.until(lambda: said() or self._packed(job)())
        report = next(iter(said()), None)
        sentence = f"It did not report a fault {self._within}."
        if not self.verdicts.check("S19", report, sentence, *self._packed(job)()[:1]):
            self._held.discard(job)
            return
        assert report is not None
        true = (report.data.get("job"), report.data.get("assignment")) == (job, 1)
        self.verdicts.check("S19", true, "Its fault names another job or assignment.", report)
        await self._check_repeats("S19", report)
        reply = self.store.reply(report, {"job": job})
        await self._must_answer(self._abort(job))
        later = await self.store.until(self._packed(job), self.timeouts.settle) or []
        sentence = "It packed a job that it had reported as impossible."
        self.verdicts.check("S19", not later, sentence, report, reply, *later[:1])
        self._held.discard(job)
