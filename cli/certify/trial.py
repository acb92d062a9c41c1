"""What the trials of both kinds of device share: broken messages, lost brokers, silence."""

import asyncio
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from bus.contract.every import ABOUT, PING
from bus.contract.values import MAX_PAYLOAD
from cli.certify.book import Book
from cli.certify.hands import Hands
from cli.certify.shelf import UNKNOWN
from cli.certify.stage import Stage, Told, is_problem
from cli.certify.wire import Message

Look = Callable[[], list[Message]]
PAST, FUTURE = "1970-01-01T00:00:00.000Z", "2099-12-31T23:59:59.999Z"
MORE = {"certifyext": "of a later version", "certify2": "another one"}
"""Attributes that no device knows."""
_PING_PATIENCE = 5.0
_PERSON = 10
"""How much longer a person may take than a device."""


class GoneError(Exception):
    """The device does not answer any more: what is left cannot be tried."""


class Trial:
    """Tries one kind of device; what it finds out is written into the book."""

    def __init__(self, stage: Stage, book: Book, hands: Hands) -> None:
        self.stage, self.book, self.hands = stage, book, hands
        self.times = stage.times

    # -- repetitions --------------------------------------------------------------------------

    async def copies(self, rule: str, look: Look) -> bool:
        """It repeats what is not answered: three of the same id."""
        found = await self.stage.until(lambda: look()[2:], self.times.patience)
        heard = look()
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
        """It is silent after an answer, for longer than it was between repetitions."""
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
        after = time.monotonic() + self.times.settle / 4

        def later() -> list[Message]:
            return [each for each in look() if each.at > after]

        return await self.stage.until(later, seconds) or []

    def _long_enough(self, heard: list[Message]) -> float:
        pauses = [later.at - each.at for each, later in pairwise(heard)]
        longest = max(pauses, default=0.0)
        return max(self.times.settle, min(2.5 * longest, self.times.patience))

    async def barrier(self) -> None:
        """Return when the device has read all that was sent to it, if it can be asked for that."""

    @property
    def _so_long(self) -> str:
        return f"within {self.times.patience:g} s"

    def no_answers(self, to: Message, to_another: dict[str, Any]) -> list[Message]:
        """Send what is no answer to where the answer is expected; one is good for another."""
        stranger = {"correlationid": "of-another-request", "id": "certify-stranger"}
        return [
            self.stage.raw_reply(to, b"this is no JSON"),
            self.stage.raw_reply(to, b"[]"),
            self.stage.raw_reply(to, b""),
            self.stage.reply(to, to_another, more=stranger),
        ]

    # -- the device ---------------------------------------------------------------------------

    async def ping(self, caller: str) -> None:
        """It says what it is."""
        for operation in (PING, ABOUT):
            told = self.stage.request(caller, operation.name, {})
            answer = await self.stage.answered(told, min(_PING_PATIENCE, self.times.patience))
            self.book.check(
                "C17", answer is not None and not is_problem(answer),
                f"It did not answer {operation.name}.", told.message, answer,
            )  # fmt: skip

    async def lose_broker(self) -> bool:
        """Cut its connections and refuse new ones for a moment; whether it comes back."""
        wire = self.stage.wire
        before = len(wire.opened)
        wire.go_down()
        await self.pause()
        self.stage.forget_copies()
        await wire.come_back()
        back = await self.stage.until(
            lambda: (len(wire.opened) > before and wire.listening) or None
        )
        return self.book.check("C1", back, f"It did not come back {self._so_long}.")

    async def restart(self) -> bool:
        """Restart it; whether it comes back."""
        before = len(self.stage.wire.opened)
        await self.hands.restart()
        self.stage.forget_copies()
        wire = self.stage.wire
        return bool(
            await self.stage.until(lambda: len(wire.opened) > before or None, self.for_a_person)
        )

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
            self.book.skip("its answers name no request", "C12", "C13")
            return
        for data in cases:
            told = self.stage.request(caller, name, data)
            await self._must_answer(good())
            answer = await self.at_once(told)
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
        for what, payload in _malformed(data):
            lost = self.stage.wire.lost_listeners
            bad = self.stage.raw_request(caller, name, payload)
            answer = await self.stage.answered(good())
            alive = answer is not None and self.stage.wire.lost_listeners == lost
            sentence = "did not answer any more" if answer is None else "lost its connection"
            if not self.book.check("C11", alive, f"It {sentence} after {what}.", bad.message):
                raise GoneError
        self.stage.request(caller, "no-such-operation", {})
        await self._must_answer(good())

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


def with_unknown(data: dict[str, Any]) -> dict[str, Any]:
    """The same with fields that no device knows, also within its lists."""
    return {
        **{
            name: [{**item, **UNKNOWN} if isinstance(item, dict) else item for item in value]
            if isinstance(value, list) else value
            for name, value in data.items()
        },
        **UNKNOWN,
    }  # fmt: skip


def _malformed(data: dict[str, Any]) -> list[tuple[str, bytes]]:
    """What nobody can read, each in a few words."""
    deep = b"[" * 20_000 + b"]" * 20_000
    return [
        ("a text that is no JSON", b"this is no JSON"),
        ("an empty payload", b""),
        ("half of a message", b'{"id":"certify-half","data":{'),
        ("bytes that are no UTF-8", b"\xff\xfe\x00" * 10),
        ("a list", b'["id", "data"]'),
        ("a number", b"42"),
        ("a message without id and data", b"{}"),
        ("a message whose id is a number", b'{"id":7,"data":{}}'),
        ("a message whose data is null", b'{"id":"certify-null","data":null}'),
        ("a message whose data is a list", b'{"id":"certify-list","data":[1]}'),
        ("fields of wrong types", _typed(data)),
        ("another version of CloudEvents", b'{"specversion":"2.0","id":"certify-2","data":{}}'),
        ("a message nested 20,000 deep", b'{"id":"certify-deep","data":' + deep + b"}"),
        ("a payload over 64 KiB",
         b'{"id":"certify-large","data":{"x":"' + b"x" * (MAX_PAYLOAD - 20) + b'"}}'),
    ]  # fmt: skip


def _typed(data: dict[str, Any]) -> bytes:
    fields = ",".join(f'"{name}":{{"certify":[]}}' for name in data)
    return f'{{"id":"certify-types","data":{{{fields}}}}}'.encode()
