"""The suite for terminals: a store in which a customer buys again and again.

A terminal may be a program that runs for one purchase only, so everything is tried while one of
its purchases is under way.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from bus.contract.every import PING
from testing.certify.deadlines import check_deadlines, deadline_of
from testing.certify.device_driver import DeviceDriver
from testing.certify.edge_cases import MORE, with_unknown
from testing.certify.fake_store import FakeStore, SentRequest
from testing.certify.fixtures import LABEL, PRICE, UNKNOWN, receipt
from testing.certify.observing_relay import ObservedMessage
from testing.certify.rules import RULES_BY_ID
from testing.certify.suite import BARRIER, FUTURE, PAST, DeviceGoneError, Suite
from testing.certify.verdicts import Verdicts

_CALLER = "settlement"
_REPEATING = ("T5", "T6", "T7", "T8", "T14", "T15")
_GONE = 1.0
"""Seconds after the deadline at which the customer has certainly left."""
_MUCH_LONGER = 1.5
"""How many times the patience to wait for a deadline."""


class TerminalSuite(Suite):
    """All test cases for a terminal."""

    def __init__(self, store: FakeStore[Any], verdicts: Verdicts, driver: DeviceDriver) -> None:
        super().__init__(store, verdicts, driver)
        self._seen: set[str] = set()
        """The purchases that a test case has used."""
        self._good: SentRequest | None = None
        """The first reminder: every terminal answers a copy of it at any time."""
        self._reminded: list[SentRequest] = []
        self._doors: dict[str, str] = {}
        """By id of a reminder, the name of its pickup point, which no other reminder has."""
        self._late: ObservedMessage | None = None
        """A purchase that was answered after its deadline."""
        self._receipt: ObservedMessage
        """The reply to that purchase."""
        self._at_restart: SentRequest | None = None
        """The reminder after which the terminal was restarted."""
        self._holds_lookups = False
        store.holds = lambda each: (
            each.is_about("req", "purchase")
            or (self._holds_lookups and each.is_about("req", "lookup"))
        )

    async def run(self) -> None:
        """Run every test case that can be run."""
        try:
            if await self._first_purchase():
                for case in (
                    self._wrong_answers, self._broker_lost, self._refused, self._restarts,
                    self._malformed,
                ):  # fmt: skip
                    await case()
                    await self.driver.end_purchase()
        except DeviceGoneError:
            await self.driver.end_purchase()
            self.verdicts.skip("the device does not answer any more", *RULES_BY_ID)
        check_deadlines(self.store, self.verdicts)
        await self._look_back()

    # -- purchases ----------------------------------------------------------------------------

    async def _purchase(self) -> ObservedMessage | None:
        """Let a customer buy; return the first message of the new purchase."""
        await self.driver.buy()
        return await self._begun()

    async def _begun(self) -> ObservedMessage | None:
        found = await self.store.until(self._new, self.for_a_person)
        if not found:
            return None
        self._seen.add(str(found[0].id))
        return found[0]

    def _new(self) -> list[ObservedMessage]:
        return self.store.requests("purchase", lambda each: each.id not in self._seen)

    async def _purchase_after_silence(self) -> ObservedMessage | None:
        """The same with a catalog that does not answer at first."""
        before = len(self.store.received)
        self._holds_lookups = True

        def asked() -> list[ObservedMessage]:
            return [each for each in self.store.received[before:] if each.is_about("req", "lookup")]

        await self.driver.buy()
        await self.store.until(lambda: asked() or self._new(), self.for_a_person)
        if first := asked()[:1]:
            again = await self.store.until(
                lambda: [each for each in asked() if each.id == first[0].id][1:]
            )
            self.verdicts.check("T16", again, f"It did not repeat a lookup {self._within}.", *first)
        else:
            self.verdicts.skip("nothing was scanned", "T16")
        self._holds_lookups = False
        for each in {each.id: each for each in asked()}.values():
            self.store.answer_as_usual(each)
        return await self._begun()

    def _sent(self, purchase: ObservedMessage) -> Callable[[], list[ObservedMessage]]:
        return lambda: self.store.requests("purchase", lambda each: each.id == purchase.id)

    def _settle(
        self, purchase: ObservedMessage, **more: Any
    ) -> tuple[dict[str, Any], ObservedMessage]:
        """Answer that a purchase is paid; return the receipt and the message."""
        data = receipt(purchase.data, self.store.environment)
        return data, self.store.reply(
            purchase, with_unknown(data) if more else data, more=more or None
        )

    def _reminder(self, end_purchase: dict[str, Any], **more: Any) -> SentRequest:
        """Remind the customer of a receipt that the parcel can be collected."""
        door = f"North door {self.store.environment.digits(8)}"
        data = {
            "order": end_purchase["order"], "pickup_point": end_purchase["pickup_point"],
            "pickup_point_name": door, "pickup_code": end_purchase["pickup_code"],
        }  # fmt: skip
        if "certifyext" in more:
            data |= UNKNOWN
        request = self.store.request(_CALLER, "remind", data, more=more)
        self._doors[str(request.message.id)] = door
        return request

    async def _remind(
        self, end_purchase: dict[str, Any], rule: str, sentence: str, **more: Any
    ) -> SentRequest:
        """Send a reminder, and check by a rule that it is shown."""
        request = self._reminder(end_purchase, **more)
        answer = await self.store.answered(request)
        if self.verdicts.check(rule, _shown(answer), sentence, request.message, answer):
            self._reminded.append(request)
        return request

    def _copy(self) -> SentRequest:
        """A reminder that a terminal answers at any time: one that it has already shown."""
        assert self._good is not None
        if not self.verdicts.is_broken("T9"):
            return self.store.again(self._good)
        data = self._good.message.data  # it does not answer copies: another one of the same order
        return self._reminder(data)

    async def barrier(self) -> None:
        """Return when a copy of a reminder, or a ping before the first one, is answered."""
        if self._good is not None:
            await self.store.answered(self._copy(), BARRIER)
        else:
            ping = self.store.request(_CALLER, PING.name, {})
            await self.store.answered(ping, BARRIER)

    # -- test cases -------------------------------------------------------------------------------

    async def _first_purchase(self) -> bool:
        """A purchase that is answered after repetitions, and its reminder twice."""
        purchase = await self._purchase()
        if purchase is None:
            self.verdicts.skip(f"no purchase came within {self.for_a_person:g} s", *RULES_BY_ID)
            await self.driver.end_purchase()
            return False
        self._check_prices(purchase)
        await self.ping(_CALLER)
        repeats = await self.copies("T4", self._sent(purchase))
        if not repeats:
            self.verdicts.skip("it does not repeat", *_REPEATING, "T11", "C20")
        end_purchase, reply = self._settle(self._sent(purchase)()[-1])
        if repeats:
            await self.stops("T5", self._sent(purchase), "the answer", reply)
        self._good = request = await self._remind(
            end_purchase, "T9", "It did not answer a reminder with shown: true."
        )
        if self.store.relay.listening:
            await self.at_once(self.store.again(request))  # judged when it is up for sure
        if self.store.relay.listening and self.has_response_topics:
            other = self.store.raw_request(
                _CALLER, "remind", request.outgoing.payload, self.elsewhere(_CALLER)
            )
            await self.at_once(other)
        await self.driver.end_purchase()
        return self.verdicts.is_kept("T9") or await self._no_reminders()

    async def _no_reminders(self) -> bool:
        rules = [f"C{number}" for number in (10, 11, 12, 13, 14, 15, 18, 20, 21, 22)]
        self.verdicts.skip("it answers no reminder", *rules)
        return False

    def _check_prices(self, purchase: ObservedMessage) -> None:
        scanned = self.store.requests("lookup")
        codes = [each.data.get("code") for each in scanned]
        if scanned:
            self.verdicts.check("T2", LABEL in codes, f"It asked for {codes[0]!r}.", *scanned[:1])
        else:
            self.verdicts.skip("nothing was scanned", "T2")
        lines = purchase.data.get("lines")
        pieces = sum(
            line["quantity"] for line in (lines if isinstance(lines, list) else [])
            if isinstance(line, dict) and isinstance(line.get("quantity"), int)
        )  # fmt: skip
        wanted = {**PRICE, "amount": pieces * int(str(PRICE["amount"]))}
        expected = purchase.data.get("expected_total")
        self.verdicts.check(
            "T3", expected == wanted, f"It expected {expected}, not {wanted}.", purchase
        )

    async def _wrong_answers(self) -> None:
        """Wrong replies and a retryable problem, with other reminders in between."""
        assert self._good is not None
        purchase = await self._purchase_after_silence()
        if purchase is None:
            raise DeviceGoneError
        if self.verdicts.is_kept("T4"):
            other = receipt(purchase.data, self.store.environment)
            shown = self.send_wrong_answers(purchase, other)
            because = "what is no answer to it"
            if await self.still_repeats("T6", self._sent(purchase), because, shown[-1]):
                problem = self.store.refuse(purchase, 503, "unavailable", retryable=True)
                await self.still_repeats("T7", self._sent(purchase), "a retryable problem", problem)
        copy = self.store.again(self._good)
        again = await self.store.answered(copy)
        sentence = "It did not answer a copy of a reminder with shown: true."
        self.verdicts.check("T9", _shown(again), sentence, copy.message, again)
        await self._invalid()
        goes_on = all(self.verdicts.is_kept(rule) for rule in ("T4", "T6", "T7"))
        if goes_on and await self._customer_left(purchase):
            self._late = purchase
        end_purchase, self._receipt = self._settle(self._sent(purchase)()[-1])
        sentence = "It did not show a reminder for the time of its message."
        await self._remind(end_purchase, "C14", sentence, time=PAST)

    async def _customer_left(self, purchase: ObservedMessage) -> bool:
        """Let a deadline pass; return whether it goes on asking for the outcome of the purchase."""
        deadline = deadline_of(self.store, purchase)
        if deadline is None:
            self.verdicts.skip("it gives no deadline", "T12", "T14", "T15")
            return False
        left = deadline + _GONE - asyncio.get_running_loop().time()
        if left > _MUCH_LONGER * self.timeouts.patience:
            reason = f"its customer waits {left:.0f} s more, which is much longer than --patience"
            self.verdicts.skip(reason, "T14")
            return False
        await asyncio.sleep(left)
        late = await self.store.until(
            lambda: [each for each in self._sent(purchase)() if each.at > deadline + _GONE]
        )
        sentence = f"It did not go on asking {self._within} of its deadline."
        return self.verdicts.check("T14", late, sentence, purchase)

    async def _invalid(self) -> None:
        good = self._copy().message.data
        cases = [
            {name: value for name, value in good.items() if name != "pickup_code"},
            {**good, "pickup_code": 7}, {**good, "order": ""},
        ]  # fmt: skip
        await self.invalid(_CALLER, "remind", cases, self._copy, lambda _, answer: _shown(answer))
        await self.not_commanded(
            "remind", {**good, "pickup_point_name": "Stranger"}, self._copy,
            lambda _, answer: _shown(answer),
        )  # fmt: skip
        if self.store.is_vague:
            self.verdicts.skip("its answers name no request", "C15")
            return
        expired = self.store.request(
            _CALLER, "remind", {**good, "pickup_point_name": "Expired"}, more={"expirytime": PAST}
        )
        await self._must_answer(self._copy())
        answer = await self.at_once(expired)
        self.verdicts.check(
            "C15", not _shown(answer), "It showed an expired reminder.", expired.message, answer
        )

    async def _broker_lost(self) -> None:
        """The connection is lost while it waits for a reply with unknown fields."""
        purchase = await self._purchase()
        if purchase is None:
            raise DeviceGoneError
        assert self._good is not None
        retained = {**self._good.message.data, "pickup_point_name": "Retained"}
        await self.lose_broker(
            _CALLER, "remind", retained, self._copy, lambda _, answer: _shown(answer)
        )
        if self.verdicts.is_kept("T4"):
            await self.still_repeats("C1", self._sent(purchase), "the broker was lost", purchase)
        end_purchase, reply = self._settle(self._sent(purchase)()[-1], **MORE)
        if self.verdicts.is_kept("T5"):
            what = "an answer with unknown fields"
            await self.stops("C10", self._sent(purchase), what, reply)
        sentence = "It did not show a reminder with unknown fields."
        await self._remind(end_purchase, "C10", sentence, **MORE)

    async def _refused(self) -> None:
        if not self.verdicts.is_kept("T5"):
            self.verdicts.skip("it does not stop at all", "T8")
            return
        purchase = await self._purchase()
        if purchase is None:
            raise DeviceGoneError
        problem = self.store.refuse(purchase, 402, "payment-declined", retryable=False)
        await self.stops("T8", self._sent(purchase), "a problem that is final", problem)

    async def _restarts(self) -> None:
        if not self.driver.can_restart:
            self.verdicts.skip("nobody restarted it (--start, --restart-command)", "T11")
            return
        purchase = await self._purchase() if self.verdicts.is_kept("T4") else None
        if purchase is None:
            return
        if not await self.restart():
            self.verdicts.broke("T11", "It did not come back after a restart.")
            raise DeviceGoneError
        await self.still_repeats("T11", self._sent(purchase), "a restart", purchase)
        known = self._good
        assert known is not None
        before = await self._times_shown(str(known.message.id))
        await self._must_answer(
            self.store.again(known) if self.verdicts.is_kept("T9") else self._copy()
        )
        await self.pause()
        after = await self._times_shown(str(known.message.id))
        if before == 1:  # else it does so without a restart, too
            sentence = "It showed a reminder again after a restart."
            self.verdicts.check("T11", before == after, sentence, known.message)
        _, reply = self._settle(self._sent(purchase)()[-1])
        if self.verdicts.is_kept("T5"):
            await self.stops("T11", self._sent(purchase), "the answer after a restart", reply)
        sentence = "It did not show a later reminder of the same order."
        late = self._at_restart = await self._remind(known.message.data, "T10", sentence)
        # At once, so that what is answered before it is written down is not there.
        if not await self.restart():
            self.verdicts.broke("T11", "It did not come back after a restart.")
            raise DeviceGoneError
        await self._must_answer(
            self.store.again(late) if self.verdicts.is_kept("T9") else self._copy()
        )

    async def _malformed(self) -> None:
        purchase = await self._purchase()
        if purchase is None:
            raise DeviceGoneError
        data = self._copy().message.data
        await self.malformed(_CALLER, "remind", data, self._copy)
        end_purchase, _ = self._settle(self._sent(purchase)()[-1])
        sentence = "It did not show a reminder for the time of its message."
        await self._remind(end_purchase, "C14", sentence, time=FUTURE)

    async def _times_shown(self, reminder: str) -> int | None:
        return await self.driver.times_shown(self._doors[reminder])

    async def _look_back(self) -> None:
        """Check at the end how often each reminder was shown, and which purchase still repeats."""
        await self.pause()
        if self._late is not None and self.verdicts.is_kept("T5"):
            after = self._receipt.at + self.timeouts.settle
            still = [each for each in self._sent(self._late)() if each.at > after]
            sentence = "It did not take the receipt that came after its deadline."
            self.verdicts.check("T14", not still, sentence, self._receipt, *still[:1])
        reminded = self._reminded[:1] if self.driver.is_person else self._reminded
        for request in sorted(reminded, key=lambda each: each is self._at_restart):
            times = await self._times_shown(str(request.message.id))
            if times is None:
                self.verdicts.skip("nobody saw what it shows", "T10")
                continue
            sentence = f"It showed a reminder {times} times."
            if self.verdicts.is_broken("T11") and times > 1:
                continue  # that is what a restart has done
            by_restart = (
                request is self._at_restart and times > 1 and not self.verdicts.is_broken("T10")
            )
            self.verdicts.check(
                "T11" if by_restart else "T10", times == 1, sentence, request.message
            )


def _shown(answer: ObservedMessage | None) -> bool:
    return answer is not None and not answer.is_problem and answer.data.get("shown") is True
