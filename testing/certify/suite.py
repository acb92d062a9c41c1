"""What the suites of both kinds of device share: malformed messages, lost brokers, retries."""

import asyncio
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from pydantic_core import to_json

from bus.contract.every import ABOUT, PING, PRESENCE
from testing.certify.device_driver import DeviceDriver
from testing.certify.edge_cases import malformed
from testing.certify.fake_store import FakeStore, SentRequest
from testing.certify.observing_relay import ObservedMessage
from testing.certify.rules import SORTER
from testing.certify.verdicts import Verdicts

Look = Callable[[], list[ObservedMessage]]
PAST, FUTURE = "1970-01-01T00:00:00.000Z", "2099-12-31T23:59:59.999Z"
_PING_PATIENCE = _PRESENCE_PATIENCE = 5.0
BARRIER = 3.0
"""Seconds after which the device counts as having read everything, even if it does not say so."""
STRANGER = "tester-1"
"""A node that may neither give jobs, nor send reminders, nor answer for the store."""
_PERSON = 10
"""How many times as long as a device a person may take."""


class DeviceGoneError(Exception):
    """The device does not answer any more, so the rest cannot be tried."""


class Suite:
    """Tests one kind of device, and notes in `verdicts` what it finds out."""

    def __init__(self, store: FakeStore[Any], verdicts: Verdicts, driver: DeviceDriver) -> None:
        self.store, self.verdicts, self.driver = store, verdicts, driver
        self.timeouts = store.timeouts
        self._presence_rule = "S1" if store.kind == SORTER else "T1"
        self._pauses: list[float] = []
        """Seconds between the first copies of the first request that was not answered."""

    # -- repetitions --------------------------------------------------------------------------

    async def copies(self, rule: str, look: Look) -> bool:
        """Check that it repeats an unanswered request: three copies with the same id."""
        found = await self.store.until(lambda: look()[2:], self.timeouts.patience)
        received = look()
        self._pauses = [later.at - each.at for each, later in pairwise(received)]
        return self.verdicts.check(
            rule, found, f"It was not repeated {self._within}: it was sent {len(received)} time(s)"
            " without an answer.", *received[:1],
        )  # fmt: skip

    async def still_repeats(
        self, rule: str, look: Look, because: str, *shown: ObservedMessage
    ) -> bool:
        """Check that it goes on repeating after something that is no answer."""
        later = await self._later(look, self.timeouts.patience)
        return self.verdicts.check(
            rule, later, f"It was not repeated {self._within} after {because}.",
            *look()[-1:], *shown,
        )  # fmt: skip

    async def stops(self, rule: str, look: Look, because: str, *shown: ObservedMessage) -> bool:
        """Check that it is silent after an answer, for longer than between repetitions.

        An answer may be lost. What the device sends once more is answered again, as by a store.
        """
        later = await self._later(look, self._long_enough(look()))
        if later:
            later = await self._later(look, self._long_enough(look()))
        return self.verdicts.check(
            rule, not later, f"It was sent again after {because}.", *shown, *later[:1]
        )

    async def _later(self, look: Look, seconds: float) -> list[ObservedMessage]:
        """The copies that come after those already on their way.

        A device answers in order: what it sent before it read our answer arrives before its reply
        to the next request.
        """
        await self.barrier()
        after = self._now() + self.timeouts.settle / 4

        def later() -> list[ObservedMessage]:
            return [each for each in look() if each.at > after]

        return await self.store.until(later, seconds) or []

    def _long_enough(self, received: list[ObservedMessage]) -> float:
        """Seconds longer than its next pause: pauses double, and vary by a quarter."""
        pauses = [later.at - each.at for each, later in pairwise(received)]
        longest = max(pauses, default=0.0)
        usual = self._pauses[len(pauses) : len(pauses) + 1] or [0.0]
        wait = max(2.5 * longest, 1.7 * usual[0])
        return max(self.timeouts.settle, min(wait, self.timeouts.patience))

    async def barrier(self) -> None:
        """Return when the device has read everything sent to it, as far as it can be asked."""

    @property
    def _within(self) -> str:
        return f"within {self.timeouts.patience:g} s"

    def send_wrong_answers(
        self, to: ObservedMessage, right: dict[str, Any]
    ) -> list[ObservedMessage]:
        """Send replies to another request, from another node, and some that cannot be read."""
        stranger = {"correlationid": "of-another-request", "id": "certify-stranger"}
        elsewhere = to_json({"id": "certify-elsewhere", "correlationid": to.id, "data": right})
        return [
            self.store.raw_reply(to, b"this is no JSON"),
            self.store.raw_reply(to, b"[]"),
            self.store.raw_reply(to, b""),
            self.store.raw_reply(to, elsewhere, STRANGER),
            self.store.reply(to, right, more=stranger, final=False),
        ]

    # -- the device ---------------------------------------------------------------------------

    async def ping(self, caller: str) -> None:
        """Check that it says what it is."""
        asked = [self.store.request(caller, operation.name, {}) for operation in (PING, ABOUT)]
        until = self._now() + min(_PING_PATIENCE, self.timeouts.patience)
        for request in asked:
            answer = await self.store.answered(
                request, max(self.timeouts.ask_again, until - self._now())
            )
            good = answer is not None and not answer.is_problem
            sentence = f"It did not answer {request.name}."
            if not self.verdicts.check("C17", good, sentence, request.message, answer):
                continue
            assert answer is not None
            shown = {each.data.get("boot") for each in self._online()}
            true = answer.data.get("node") == self.store.device
            true = true and (not shown or answer.data.get("boot") in shown)
            sentence = f"Its {request.name} says another node or boot than its presence."
            self.verdicts.check("C17", true, sentence, request.message, answer)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _online(self) -> list[ObservedMessage]:
        topic = self.store.topics.state(self.store.device, PRESENCE.name)
        return [
            each for each in self.store.received
            if each.incoming.topic == topic and each.data.get("status") == "online"
        ]  # fmt: skip

    async def _lose_broker(self, meanwhile: Callable[[], None]) -> bool:
        """Cut its connections and refuse new ones for a moment; return whether it comes back."""
        relay, online = self.store.relay, self._online()
        before = len(relay.opened)
        relay.go_down()
        meanwhile()
        await self.pause()
        await relay.come_back()
        back = await self.store.until(
            lambda: (len(relay.opened) > before and relay.listening) or None
        )
        if not self.verdicts.check("C1", back, f"It did not come back {self._within}."):
            return False
        if online:
            again = await self._online_again(len(online))
            if again is not None:
                same = again.data.get("boot") == online[-1].data.get("boot")
                sentence = "It showed another boot after a lost connection, without a restart."
                self.verdicts.check(self._presence_rule, same, sentence, online[-1], again)
        return True

    async def restart(self) -> bool:
        """Restart it; return whether it comes back."""
        relay, online = self.store.relay, self._online()
        before = len(relay.opened)
        await self.driver.restart()
        back = await self.store.until(lambda: len(relay.opened) > before or None, self.for_a_person)
        if back and online and (again := await self._online_again(len(online))) is not None:
            other = again.data.get("boot") not in {each.data.get("boot") for each in online}
            sentence = "It showed the boot of an earlier start after a restart."
            self.verdicts.check(self._presence_rule, other, sentence, online[-1], again)
        return bool(back)

    async def _online_again(self, before: int) -> ObservedMessage | None:
        """Check that it publishes its presence again: everybody has been told that it is lost."""
        seconds = min(_PRESENCE_PATIENCE, self.timeouts.patience)
        found = await self.store.until(lambda: self._online()[before:], seconds)
        sentence = f"It did not show `online` again within {seconds:g} s of a new connection."
        self.verdicts.check(self._presence_rule, found, sentence)
        return found[0] if found else None

    @property
    def for_a_person(self) -> float:
        """Seconds to wait for what a person may have to do."""
        return self.timeouts.patience * (_PERSON if self.driver.is_person else 1)

    # -- bad messages -------------------------------------------------------------------------

    async def invalid(
        self, caller: str, name: str, cases: list[dict[str, Any]], good: Callable[[], SentRequest],
        carried_out: Callable[[SentRequest, ObservedMessage | None], bool],
    ) -> None:  # fmt: skip
        """Send requests with invalid fields, each followed by a good one."""
        if self.store.is_vague:
            self.verdicts.skip("its answers name no request", "C12", "C13", "C18")
            return
        sent = []
        for data in cases:
            sent.append(self.store.request(caller, name, data))
            await self._must_answer(good())
        await self.store.until(
            lambda: all(self.store.answers(request) for request in sent), self.timeouts.settle
        )
        for request in sent:
            answer = next(iter(self.store.answers(request)), None)
            done = carried_out(request, answer)
            self.verdicts.check(
                "C12", not done, f"It carried out an invalid {name}.", request.message, answer
            )
            if not done:
                status = answer.data.get("status") if answer is not None else None
                self.verdicts.check(
                    "C13", isinstance(status, int) and 400 <= status < 500,  # noqa: PLR2004
                    f"It answered an invalid {name} with no problem of 4xx.", request.message,
                    answer,
                )  # fmt: skip

    async def malformed(self, caller: str, name: str, data: dict[str, Any],
                        good: Callable[[], SentRequest]) -> None:  # fmt: skip
        """Send malformed messages, each followed by a good one.

        Raises:
            GoneError: it did not survive one of them.
        """
        for what, payload in malformed(data):
            lost = self.store.relay.lost_listeners
            bad = self.store.raw_request(caller, name, payload)
            answer = await self.store.answered(good())
            alive = answer is not None and self.store.relay.lost_listeners == lost
            sentence = "did not answer any more" if answer is None else "lost its connection"
            if not self.verdicts.check("C11", alive, f"It {sentence} after {what}.", bad.message):
                raise DeviceGoneError
        unknown = self.store.request(caller, "no-such-operation", {})
        await self._must_answer(good())
        if self.store.is_vague:
            self.verdicts.skip("its answers name no request", "C21")
            return
        refused = await self.at_once(unknown)
        self.verdicts.check(
            "C21", refused is not None and refused.data.get("status") == 404,  # noqa: PLR2004
            "It did not answer an operation that it does not have with 404.",
            unknown.message, refused,
        )  # fmt: skip

    async def not_commanded(
        self, name: str, data: dict[str, Any], good: Callable[[], SentRequest],
        carried_out: Callable[[SentRequest, ObservedMessage | None], bool],
    ) -> None:  # fmt: skip
        """Check that it does not carry out a command of a node that may not give it."""
        if self.store.is_vague:
            return
        request = self.store.request(STRANGER, name, data)
        await self._must_answer(good())
        answer = await self.at_once(request)
        sentence = f"It carried out a {name} of {STRANGER}."
        self.verdicts.check(
            "C18", not carried_out(request, answer), sentence, request.message, answer
        )

    async def lose_broker(
        self, caller: str, name: str, data: dict[str, Any], good: Callable[[], SentRequest],
        carried_out: Callable[[SentRequest, ObservedMessage | None], bool],
    ) -> None:  # fmt: skip
        """Cut it off for a moment, and leave a retained request for when it comes back.

        Raises:
            GoneError: it does not come back, or answers no more.
        """
        retained: list[SentRequest] = []

        def leave() -> None:
            retained.append(self.store.request(caller, name, data, retain=True))

        try:
            if not await self._lose_broker(leave):
                raise DeviceGoneError
            (request,) = retained
            again = good()
            answer = await self.store.answered(again)
            self.verdicts.check("C1", answer, "It came back but answers no more.", again.message)
            if answer is None:
                raise DeviceGoneError
            if self.store.is_vague:
                self.verdicts.skip("its answers name no request", "C22")
            else:
                found = await self.at_once(request)
                sentence = f"It carried out a retained {name}."
                done = carried_out(request, found)
                self.verdicts.check("C22", not done, sentence, request.message, found)
        finally:
            for each in retained:
                self.store.clear_request(each)
        alive = await self.store.answered(good())
        sentence = "It did not answer any more after an empty payload."
        if not self.verdicts.check("C11", alive, sentence, request.message):
            raise DeviceGoneError

    @property
    def has_response_topics(self) -> bool:
        """Whether the device sees the Response Topic of a request."""
        return self.store.properties and any(each.v5 for each in self.store.relay.opened)

    def elsewhere(self, caller: str) -> str:
        """A topic on which the device must not answer."""
        return self.store.topics.reply(caller, self.store.device, "certify-elsewhere")

    async def at_once(self, request: SentRequest) -> ObservedMessage | None:
        """The answer, if one comes without another copy of the request."""
        found = await self.store.until(lambda: self.store.answers(request), self.timeouts.settle)
        return found[0] if found else None

    async def _must_answer(self, request: SentRequest) -> ObservedMessage:
        answer = await self.store.answered(request)
        if answer is None:
            raise DeviceGoneError
        return answer

    async def pause(self) -> None:
        """Let what is on its way arrive."""
        await asyncio.sleep(self.timeouts.settle)
