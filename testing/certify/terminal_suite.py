"""Tries a terminal: certify is the store in which a customer buys at it, again and again.

A terminal may be a program that lives for one purchase: whatever is tried on it is tried while
a purchase of its is under way.
"""

import asyncio
from collections.abc import Callable
from typing import Any

from bus.contract.every import PING
from testing.certify.deadlines import deadline_of, judge_deadlines
from testing.certify.device_driver import Hands
from testing.certify.edge_cases import MORE, with_unknown
from testing.certify.fake_store import Stage, Told, is_problem
from testing.certify.fixtures import LABEL, PRICE, UNKNOWN, receipt
from testing.certify.observing_relay import Message
from testing.certify.rules import RULES_BY_ID
from testing.certify.suite import BARRIER, FUTURE, PAST, GoneError, Trial
from testing.certify.verdicts import Book

_CALLER = "settlement"
_REPEATING = ("T5", "T6", "T7", "T8", "T14", "T15")
_GONE = 1.0
"""Seconds after the deadline by which the customer has certainly left."""
_MUCH_LONGER = 1.5
"""How many times its patience certify waits for that."""


class TerminalTrial(Trial):
    """One run through all that can happen to a terminal."""

    def __init__(self, stage: Stage[Any], book: Book, hands: Hands) -> None:
        super().__init__(stage, book, hands)
        self._seen: set[str] = set()
        """The purchases that a scene has taken up."""
        self._good: Told | None = None
        """The first reminder: a copy of it is answered by every terminal at any time."""
        self._reminded: list[Told] = []
        self._doors: dict[str, str] = {}
        """By id of a reminder, what its pickup point is called there, and nowhere else."""
        self._late: Message | None = None
        """A purchase whose receipt came after its deadline."""
        self._receipt: Message
        """That receipt."""
        self._at_restart: Told | None = None
        """The reminder right after which it was restarted."""
        self._holds_lookups = False
        stage.holds = lambda each: (
            each.is_about("req", "purchase")
            or (self._holds_lookups and each.is_about("req", "lookup"))
        )

    async def run(self) -> None:
        """Try everything; what cannot be tried is left out."""
        try:
            if await self._first_purchase():
                for scene in (
                    self._wrong_answers, self._broker_lost, self._refused, self._restarts,
                    self._malformed,
                ):  # fmt: skip
                    await scene()
                    await self.hands.bought()
        except GoneError:
            await self.hands.bought()
            self.book.skip("the device does not answer any more", *RULES_BY_ID)
        judge_deadlines(self.stage, self.book)
        await self._look_back()

    # -- purchases ----------------------------------------------------------------------------

    async def _purchase(self) -> Message | None:
        """Let a customer buy; the first message of a purchase that was not seen before."""
        await self.hands.buy()
        return await self._begun()

    async def _begun(self) -> Message | None:
        found = await self.stage.until(self._new, self.for_a_person)
        if not found:
            return None
        self._seen.add(str(found[0].id))
        return found[0]

    def _new(self) -> list[Message]:
        return self.stage.requests("purchase", lambda each: each.id not in self._seen)

    async def _purchase_after_silence(self) -> Message | None:
        """The same, where the catalog does not answer at first."""
        before = len(self.stage.heard)
        self._holds_lookups = True

        def asked() -> list[Message]:
            return [each for each in self.stage.heard[before:] if each.is_about("req", "lookup")]

        await self.hands.buy()
        await self.stage.until(lambda: asked() or self._new(), self.for_a_person)
        if first := asked()[:1]:
            again = await self.stage.until(
                lambda: [each for each in asked() if each.id == first[0].id][1:]
            )
            self.book.check("T16", again, f"It did not repeat a lookup {self._so_long}.", *first)
        else:
            self.book.skip("nothing was scanned", "T16")
        self._holds_lookups = False
        for each in {each.id: each for each in asked()}.values():
            self.stage.answer_ordinarily(each)
        return await self._begun()

    def _sent(self, purchase: Message) -> Callable[[], list[Message]]:
        return lambda: self.stage.requests("purchase", lambda each: each.id == purchase.id)

    def _settle(self, purchase: Message, **more: Any) -> tuple[dict[str, Any], Message]:
        """Answer that it is paid: the receipt, and the message."""
        data = receipt(purchase.data, self.stage.environment)
        return data, self.stage.reply(
            purchase, with_unknown(data) if more else data, more=more or None
        )

    def _reminder(self, bought: dict[str, Any], **more: Any) -> Told:
        """Say that the parcel of a receipt can be collected."""
        door = f"North door {self.stage.environment.digits(8)}"
        data = {
            "order": bought["order"], "pickup_point": bought["pickup_point"],
            "pickup_point_name": door, "pickup_code": bought["pickup_code"],
        }  # fmt: skip
        if "certifyext" in more:
            data |= UNKNOWN
        told = self.stage.request(_CALLER, "remind", data, more=more)
        self._doors[str(told.message.id)] = door
        return told

    async def _remind(self, bought: dict[str, Any], rule: str, sentence: str, **more: Any) -> Told:
        """Remind, and hold the rule against what comes of it."""
        told = self._reminder(bought, **more)
        answer = await self.stage.answered(told)
        if self.book.check(rule, _shown(answer), sentence, told.message, answer):
            self._reminded.append(told)
        return told

    def _copy(self) -> Told:
        """A reminder that a terminal answers at any time: one that it has shown."""
        assert self._good is not None
        if not self.book.is_broken("T9"):
            return self.stage.again(self._good)
        data = self._good.message.data  # it does not answer copies: another one of the same order
        return self._reminder(data)

    async def barrier(self) -> None:
        """A copy of a reminder is answered at once; before the first one, a ping mostly is."""
        if self._good is not None:
            await self.stage.answered(self._copy(), BARRIER)
        else:
            ping = self.stage.request(_CALLER, PING.name, {})
            await self.stage.answered(ping, BARRIER)

    # -- scenes -------------------------------------------------------------------------------

    async def _first_purchase(self) -> bool:
        """A purchase, held until it was repeated, and its reminder twice."""
        purchase = await self._purchase()
        if purchase is None:
            self.book.skip(f"no purchase came within {self.for_a_person:g} s", *RULES_BY_ID)
            await self.hands.bought()
            return False
        self._check_prices(purchase)
        await self.ping(_CALLER)
        repeats = await self.copies("T4", self._sent(purchase))
        if not repeats:
            self.book.skip("it does not repeat", *_REPEATING, "T11", "C20")
        bought, reply = self._settle(self._sent(purchase)()[-1])
        if repeats:
            await self.stops("T5", self._sent(purchase), "the answer", reply)
        self._good = told = await self._remind(
            bought, "T9", "It did not answer a reminder with shown: true."
        )
        if self.stage.wire.listening:
            await self.at_once(self.stage.again(told))  # judged when it is up for sure
        if self.stage.wire.listening and self.has_response_topics:
            other = self.stage.raw_request(
                _CALLER, "remind", told.outgoing.payload, self.elsewhere(_CALLER)
            )
            await self.at_once(other)
        await self.hands.bought()
        return self.book.is_kept("T9") or await self._no_reminders()

    async def _no_reminders(self) -> bool:
        rules = [f"C{number}" for number in (10, 11, 12, 13, 14, 15, 18, 20, 21, 22)]
        self.book.skip("it answers no reminder", *rules)
        return False

    def _check_prices(self, purchase: Message) -> None:
        scanned = self.stage.requests("lookup")
        codes = [each.data.get("code") for each in scanned]
        if scanned:
            self.book.check("T2", LABEL in codes, f"It asked for {codes[0]!r}.", *scanned[:1])
        else:
            self.book.skip("nothing was scanned", "T2")
        lines = purchase.data.get("lines")
        pieces = sum(
            line["quantity"] for line in (lines if isinstance(lines, list) else [])
            if isinstance(line, dict) and isinstance(line.get("quantity"), int)
        )  # fmt: skip
        wanted = {**PRICE, "amount": pieces * int(str(PRICE["amount"]))}
        expected = purchase.data.get("expected_total")
        self.book.check(
            "T3", expected == wanted, f"It expected {expected}, not {wanted}.", purchase
        )

    async def _wrong_answers(self) -> None:
        """What is no answer, and a problem for the moment; meanwhile other reminders."""
        assert self._good is not None
        purchase = await self._purchase_after_silence()
        if purchase is None:
            raise GoneError
        if self.book.is_kept("T4"):
            other = receipt(purchase.data, self.stage.environment)
            shown = self.no_answers(purchase, other)
            because = "what is no answer to it"
            if await self.still_repeats("T6", self._sent(purchase), because, shown[-1]):
                problem = self.stage.refuse(purchase, 503, "unavailable", retryable=True)
                await self.still_repeats("T7", self._sent(purchase), "a retryable problem", problem)
        copy = self.stage.again(self._good)
        again = await self.stage.answered(copy)
        sentence = "It did not answer a copy of a reminder with shown: true."
        self.book.check("T9", _shown(again), sentence, copy.message, again)
        await self._invalid()
        goes_on = all(self.book.is_kept(rule) for rule in ("T4", "T6", "T7"))
        if goes_on and await self._customer_left(purchase):
            self._late = purchase
        bought, self._receipt = self._settle(self._sent(purchase)()[-1])
        sentence = "It did not show a reminder for the time of its message."
        await self._remind(bought, "C14", sentence, time=PAST)

    async def _customer_left(self, purchase: Message) -> bool:
        """Let its deadline pass; whether it goes on asking what has become of the purchase."""
        deadline = deadline_of(self.stage, purchase)
        if deadline is None:
            self.book.skip("it gives no deadline", "T12", "T14", "T15")
            return False
        left = deadline + _GONE - asyncio.get_running_loop().time()
        if left > _MUCH_LONGER * self.times.patience:
            reason = f"its customer waits {left:.0f} s more, which is much longer than --patience"
            self.book.skip(reason, "T14")
            return False
        await asyncio.sleep(left)
        late = await self.stage.until(
            lambda: [each for each in self._sent(purchase)() if each.at > deadline + _GONE]
        )
        sentence = f"It did not go on asking {self._so_long} of its deadline."
        return self.book.check("T14", late, sentence, purchase)

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
        if self.stage.is_vague:
            self.book.skip("its answers name no request", "C15")
            return
        expired = self.stage.request(
            _CALLER, "remind", {**good, "pickup_point_name": "Expired"}, more={"expirytime": PAST}
        )
        await self._must_answer(self._copy())
        answer = await self.at_once(expired)
        self.book.check(
            "C15", not _shown(answer), "It showed an expired reminder.", expired.message, answer
        )

    async def _broker_lost(self) -> None:
        """The connection is lost while it waits; the answer has unknown fields."""
        purchase = await self._purchase()
        if purchase is None:
            raise GoneError
        assert self._good is not None
        retained = {**self._good.message.data, "pickup_point_name": "Retained"}
        await self.lose_broker(
            _CALLER, "remind", retained, self._copy, lambda _, answer: _shown(answer)
        )
        if self.book.is_kept("T4"):
            await self.still_repeats("C1", self._sent(purchase), "the broker was lost", purchase)
        bought, reply = self._settle(self._sent(purchase)()[-1], **MORE)
        if self.book.is_kept("T5"):
            what = "an answer with unknown fields"
            await self.stops("C10", self._sent(purchase), what, reply)
        sentence = "It did not show a reminder with unknown fields."
        await self._remind(bought, "C10", sentence, **MORE)

    async def _refused(self) -> None:
        if not self.book.is_kept("T5"):
            self.book.skip("it does not stop at all", "T8")
            return
        purchase = await self._purchase()
        if purchase is None:
            raise GoneError
        problem = self.stage.refuse(purchase, 402, "payment-declined", retryable=False)
        await self.stops("T8", self._sent(purchase), "a problem that is final", problem)

    async def _restarts(self) -> None:
        if not self.hands.can_restart:
            self.book.skip("nobody restarted it (--start, --restart-command)", "T11")
            return
        purchase = await self._purchase() if self.book.is_kept("T4") else None
        if purchase is None:
            return
        if not await self.restart():
            self.book.broke("T11", "It did not come back after a restart.")
            raise GoneError
        await self.still_repeats("T11", self._sent(purchase), "a restart", purchase)
        known = self._good
        assert known is not None
        before = await self._times_shown(str(known.message.id))
        await self._must_answer(
            self.stage.again(known) if self.book.is_kept("T9") else self._copy()
        )
        await self.pause()
        after = await self._times_shown(str(known.message.id))
        if before == 1:  # else it does so without a restart, too
            sentence = "It showed a reminder again after a restart."
            self.book.check("T11", before == after, sentence, known.message)
        _, reply = self._settle(self._sent(purchase)()[-1])
        if self.book.is_kept("T5"):
            await self.stops("T11", self._sent(purchase), "the answer after a restart", reply)
        sentence = "It did not show a later reminder of the same order."
        late = self._at_restart = await self._remind(known.message.data, "T10", sentence)
        # At once, so that what is answered before it is written down is not there.
        if not await self.restart():
            self.book.broke("T11", "It did not come back after a restart.")
            raise GoneError
        await self._must_answer(self.stage.again(late) if self.book.is_kept("T9") else self._copy())

    async def _malformed(self) -> None:
        purchase = await self._purchase()
        if purchase is None:
            raise GoneError
        data = self._copy().message.data
        await self.malformed(_CALLER, "remind", data, self._copy)
        bought, _ = self._settle(self._sent(purchase)()[-1])
        sentence = "It did not show a reminder for the time of its message."
        await self._remind(bought, "C14", sentence, time=FUTURE)

    async def _times_shown(self, reminder: str) -> int | None:
        return await self.hands.times_shown(self._doors[reminder])

    async def _look_back(self) -> None:
        """How often each reminder was shown, and who still asks, now that all is over."""
        await self.pause()
        if self._late is not None and self.book.is_kept("T5"):
            after = self._receipt.at + self.times.settle
            still = [each for each in self._sent(self._late)() if each.at > after]
            sentence = "It did not take the receipt that came after its deadline."
            self.book.check("T14", not still, sentence, self._receipt, *still[:1])
        reminded = self._reminded[:1] if self.hands.is_patient else self._reminded
        for told in sorted(reminded, key=lambda each: each is self._at_restart):
            times = await self._times_shown(str(told.message.id))
            if times is None:
                self.book.skip("nobody saw what it shows", "T10")
                continue
            sentence = f"It showed a reminder {times} times."
            if self.book.is_broken("T11") and times > 1:
                continue  # that is what a restart has done
            by_restart = told is self._at_restart and times > 1 and not self.book.is_broken("T10")
            self.book.check("T11" if by_restart else "T10", times == 1, sentence, told.message)


def _shown(answer: Message | None) -> bool:
    return answer is not None and not is_problem(answer) and answer.data.get("shown") is True
