"""What the trials of both kinds of device share: broken messages, lost brokers, silence."""

import asyncio
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from pydantic_core import to_json

from bus.contract.every import ABOUT, PING, PRESENCE
from testing.certify.device_driver import Hands
from testing.certify.edge_cases import malformed
from testing.certify.fake_store import Stage, Told, is_problem
from testing.certify.observing_relay import Message
from testing.certify.rules import SORTER
from testing.certify.verdicts import Book

Look = Callable[[], list[Message]]
PAST, FUTURE = "1970-01-01T00:00:00.000Z", "2099-12-31T23:59:59.999Z"
_PING_PATIENCE = _PRESENCE_PATIENCE = 5.0
BARRIER = 3.0
"""Seconds until what was sent is taken as read, also if the device does not say so."""
STRANGER = "tester-1"
"""Somebody who may neither give jobs, nor remind, nor answer for the store."""
_PERSON = 10
"""How much longer a person may take than a device."""


class GoneError(Exception):
    """The device does not answer any more: what is left cannot be tried."""


class Trial:
    """Tries one kind of device; what it finds out is written into the book."""

    def __init__(self, stage: Stage[Any], book: Book, hands: Hands) -> None:
        self.stage, self.book, self.hands = stage, book, hands
        self.times = stage.times
        self._presence_rule = "S1" if stage.kind == SORTER else "T1"
        self._pauses: list[float] = []
        """Between the first repetitions of the first request that was held."""

    # -- repetitions --------------------------------------------------------------------------

    async def copies(self, rule: str, look: Look) -> bool:
        """It repeats what is not answered: three of the same id."""
        found = await self.stage.until(lambda: look()[2:], self.times.patience)
        heard = look()
        self._pauses = [later.at - each.at for each, later in pairwise(heard)]
        return self.book.check(
            rule, found, f"It was not repeated {self._so_long}: it was sent {len(heard)} time(s)"
            " without an answer.", *heard[:1],
        )  # fmt: skip

    async def still_repeats(self, rule: str, look: Look, because: str, *shown: Message) -> bool:
        """It goes on repeating after something that is no answer."""
        later = await self._later(look, self.times.patience)
        return self.book.check(
            rule, later, f"It was not repeated {self._so_long} after {because}.",
            *look()[-1:], *shown,
        )  # fmt: skip

    async def stops(self, rule: str, look: Look, because: str, *shown: Message) -> bool:
        """It is silent after an answer, for longer than it was between repetitions.

        An answer may be lost, too: what it sends once more is answered again, as by a store.
        """
        later = await self._later(look, self._long_enough(look()))
        if later:
            later = await self._later(look, self._long_enough(look()))
        return self.book.check(
            rule, not later, f"It was sent again after {because}.", *shown, *later[:1]
        )

    async def _later(self, look: Look, seconds: float) -> list[Message]:
        """What comes once that which is on its way has arrived.

        A device answers in order: what it sent before it read our answer arrives before what it
        answers to the next request.
        """
        await self.barrier()
        after = self._now() + self.times.settle / 4

        def later() -> list[Message]:
            return [each for each in look() if each.at > after]

        return await self.stage.until(later, seconds) or []

    def _long_enough(self, heard: list[Message]) -> float:
        """Longer than its next pause: they double, and each is spread by a quarter."""
        pauses = [later.at - each.at for each, later in pairwise(heard)]
        longest = max(pauses, default=0.0)
        usual = self._pauses[len(pauses) : len(pauses) + 1] or [0.0]
        wait = max(2.5 * longest, 1.7 * usual[0])
        return max(self.times.settle, min(wait, self.times.patience))

    async def barrier(self) -> None:
        """Return when the device has read all that was sent to it, if it can be asked for that."""

    @property
    def _so_long(self) -> str:
        return f"within {self.times.patience:g} s"

    def no_answers(self, to: Message, right: dict[str, Any]) -> list[Message]:
        """Send what is no answer: to another request, from somebody else, or not to be read."""
        stranger = {"correlationid": "of-another-request", "id": "certify-stranger"}
        elsewhere = to_json({"id": "certify-elsewhere", "correlationid": to.id, "data": right})
        return [
            self.stage.raw_reply(to, b"this is no JSON"),
            self.stage.raw_reply(to, b"[]"),
            self.stage.raw_reply(to, b""),
            self.stage.raw_reply(to, elsewhere, STRANGER),
            self.stage.reply(to, right, more=stranger, final=False),
        ]

    # -- the device ---------------------------------------------------------------------------

    async def ping(self, caller: str) -> None:
        """It says what it is."""
        asked = [self.stage.request(caller, operation.name, {}) for operation in (PING, ABOUT)]
        until = self._now() + min(_PING_PATIENCE, self.times.patience)
        for told in asked:
            answer = await self.stage.answered(told, max(self.times.ask_again, until - self._now()))
            good = answer is not None and not is_problem(answer)
            sentence = f"It did not answer {told.name}."
            if not self.book.check("C17", good, sentence, told.message, answer):
                continue
            assert answer is not None
            shown = {each.data.get("boot") for each in self._online()}
            true = answer.data.get("node") == self.stage.device
            true = true and (not shown or answer.data.get("boot") in shown)
            sentence = f"Its {told.name} says another node or boot than its presence."
            self.book.check("C17", true, sentence, told.message, answer)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _online(self) -> list[Message]:
        topic = self.stage.topics.state(self.stage.device, PRESENCE.name)
        return [
            each for each in self.stage.heard
            if each.incoming.topic == topic and each.data.get("status") == "online"
        ]  # fmt: skip

    async def _lose_broker(self, meanwhile: Callable[[], None]) -> bool:
        """Cut its connections and refuse new ones for a moment; whether it comes back."""
        wire, online = self.stage.wire, self._online()
        before = len(wire.opened)
        wire.go_down()
        meanwhile()
        await self.pause()
        await wire.come_back()
        back = await self.stage.until(
            lambda: (len(wire.opened) > before and wire.listening) or None
        )
        if not self.book.check("C1", back, f"It did not come back {self._so_long}."):
            return False
        if online:
            again = await self._online_again(len(online))
            if again is not None:
                same = again.data.get("boot") == online[-1].data.get("boot")
                sentence = "It showed another boot after a lost connection, without a restart."
                self.book.check(self._presence_rule, same, sentence, online[-1], again)
        return True

    async def restart(self) -> bool:
        """Restart it; whether it comes back."""
        wire, online = self.stage.wire, self._online()
        before = len(wire.opened)
        await self.hands.restart()
        back = await self.stage.until(lambda: len(wire.opened) > before or None, self.for_a_person)
        if back and online and (again := await self._online_again(len(online))) is not None:
            other = again.data.get("boot") not in {each.data.get("boot") for each in online}
            sentence = "It showed the boot of an earlier start after a restart."
            self.book.check(self._presence_rule, other, sentence, online[-1], again)
        return bool(back)

    async def _online_again(self, before: int) -> Message | None:
        """That it shows its presence anew: everybody has been told that it is lost."""
        seconds = min(_PRESENCE_PATIENCE, self.times.patience)
        found = await self.stage.until(lambda: self._online()[before:], seconds)
        sentence = f"It did not show `online` again within {seconds:g} s of a new connection."
        self.book.check(self._presence_rule, found, sentence)
        return found[0] if found else None

    @property
    def for_a_person(self) -> float:
        """Seconds to wait for what a person may have to do."""
        return self.times.patience * (_PERSON if self.hands.is_patient else 1)

    # -- bad messages -------------------------------------------------------------------------

    async def invalid(
        self, caller: str, name: str, cases: list[dict[str, Any]], good: Callable[[], Told],
        carried_out: Callable[[Told, Message | None], bool],
    ) -> None:  # fmt: skip
        """Send requests with invalid fields, each followed by a good one."""
        if self.stage.is_vague:
            self.book.skip("its answers name no request", "C12", "C13", "C18")
            return
        sent = []
        for data in cases:
            sent.append(self.stage.request(caller, name, data))
            await self._must_answer(good())
        await self.stage.until(
            lambda: all(self.stage.answers(told) for told in sent), self.times.settle
        )
        for told in sent:
            answer = next(iter(self.stage.answers(told)), None)
            done = carried_out(told, answer)
            self.book.check(
                "C12", not done, f"It carried out an invalid {name}.", told.message, answer
            )
            if not done:
                status = answer.data.get("status") if answer is not None else None
                self.book.check(
                    "C13", isinstance(status, int) and 400 <= status < 500,  # noqa: PLR2004
                    f"It answered an invalid {name} with no problem of 4xx.", told.message, answer,
                )  # fmt: skip

    async def malformed(self, caller: str, name: str, data: dict[str, Any],
                        good: Callable[[], Told]) -> None:  # fmt: skip
        """Send what is no message, each followed by a good one.

        Raises:
            GoneError: it did not survive one of them.
        """
        for what, payload in malformed(data):
            lost = self.stage.wire.lost_listeners
            bad = self.stage.raw_request(caller, name, payload)
            answer = await self.stage.answered(good())
            alive = answer is not None and self.stage.wire.lost_listeners == lost
            sentence = "did not answer any more" if answer is None else "lost its connection"
            if not self.book.check("C11", alive, f"It {sentence} after {what}.", bad.message):
                raise GoneError
        unknown = self.stage.request(caller, "no-such-operation", {})
        await self._must_answer(good())
        if self.stage.is_vague:
            self.book.skip("its answers name no request", "C21")
            return
        refused = await self.at_once(unknown)
        self.book.check(
            "C21", refused is not None and refused.data.get("status") == 404,  # noqa: PLR2004
            "It did not answer an operation that it does not have with 404.",
            unknown.message, refused,
        )  # fmt: skip

    async def not_commanded(
        self, name: str, data: dict[str, Any], good: Callable[[], Told],
        carried_out: Callable[[Told, Message | None], bool],
    ) -> None:  # fmt: skip
        """A command of somebody who may not give it is not carried out."""
        if self.stage.is_vague:
            return
        told = self.stage.request(STRANGER, name, data)
        await self._must_answer(good())
        answer = await self.at_once(told)
        sentence = f"It carried out a {name} of {STRANGER}."
        self.book.check("C18", not carried_out(told, answer), sentence, told.message, answer)

    async def lose_broker(
        self, caller: str, name: str, data: dict[str, Any], good: Callable[[], Told],
        carried_out: Callable[[Told, Message | None], bool],
    ) -> None:  # fmt: skip
        """Cut it off for a moment; when it comes back, a retained request lies there.

        Raises:
            GoneError: it does not come back, or answers no more.
        """
        retained: list[Told] = []

        def leave() -> None:
            retained.append(self.stage.request(caller, name, data, retain=True))

        try:
            if not await self._lose_broker(leave):
                raise GoneError
            (told,) = retained
            again = good()
            answer = await self.stage.answered(again)
            self.book.check("C1", answer, "It came back but answers no more.", again.message)
            if answer is None:
                raise GoneError
            if self.stage.is_vague:
                self.book.skip("its answers name no request", "C22")
            else:
                found = await self.at_once(told)
                sentence = f"It carried out a retained {name}."
                done = carried_out(told, found)
                self.book.check("C22", not done, sentence, told.message, found)
        finally:
            for each in retained:
                self.stage.clear(each)
        alive = await self.stage.answered(good())
        sentence = "It did not answer any more after an empty payload."
        if not self.book.check("C11", alive, sentence, told.message):
            raise GoneError

    @property
    def has_response_topics(self) -> bool:
        """Whether the device sees the Response Topic of a request."""
        return self.stage.properties and any(each.v5 for each in self.stage.wire.opened)

    def elsewhere(self, caller: str) -> str:
        """A topic on which nothing is to be answered."""
        return self.stage.topics.reply(caller, self.stage.device, "certify-elsewhere")

    async def at_once(self, told: Told) -> Message | None:
        """The answer, if one comes without being asked for again."""
        found = await self.stage.until(lambda: self.stage.answers(told), self.times.settle)
        return found[0] if found else None

    async def _must_answer(self, told: Told) -> Message:
        answer = await self.stage.answered(told)
        if answer is None:
            raise GoneError
        return answer

    async def pause(self) -> None:
        """Let what is on its way arrive."""
        await asyncio.sleep(self.times.settle)
