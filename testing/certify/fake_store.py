"""The store as a device sees it: certify plays catalog, settlement and warehouse on the broker.

It can answer late, wrongly or not at all. What the device says is heard at the relay.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from pydantic_core import from_json, to_json

from bus.contract import find_operation
from bus.contract.channel import ROLES, role_of
from bus.contract.envelope import Sealed, child_trace
from bus.contract.errors import PROBLEM_TYPE, first_error
from bus.contract.topics import Topics
from bus.contract.values import Model
from bus.contract.warehouse import PICKUP_POINTS_STATE
from bus.link import Connector, Incoming, Outgoing, Subscription
from bus.link.session import Session
from bus.runtime.environment import Environment
from bus.runtime.publisher import Counts, Publisher
from testing.certify.fixtures import POINTS, ordinary_answer
from testing.certify.observing_relay import Line, Message, read_message

Seen = TypeVar("Seen")
LineT = TypeVar("LineT", bound=Line)
AHEAD = 2 * 86_400_000
"""Milliseconds by which the played store's clock is ahead of the host's: a device that takes its
deadlines from its own clock is found out, also where that clock is right."""
_TO_LEAVE = 2.0
"""Seconds to take back what was retained."""


@dataclass(frozen=True, slots=True)
class Times:
    """How long certify waits, in seconds."""

    patience: float = 60.0
    """For what the device is to do: it may repeat only every half minute."""
    settle: float = 1.0
    """For what the device is not to do, and for what may be on its way still."""
    ask_again: float = 1.0
    """Until a request that was not answered is sent again."""


@dataclass(frozen=True, slots=True)
class Told:
    """A request that was sent to the device."""

    message: Message
    outgoing: Outgoing
    reply_topic: str
    place: int
    """How much the device had said by then."""
    name: str
    """Of the operation."""
    copy: int = 1
    """The how-manieth of all copies sent since then it is: so many answers are to come."""


class Stage(Generic[LineT]):
    """The played store and what is heard of the device.

    Args:
        connector: to the broker.
        topics: of its site.
        device: its name.
        wire: makes what the device connects to, of whom to tell what it says and when a connection
            came or went.
        times: how long is waited.
        environment: the clocks and identifiers of the played store.
    """

    def __init__(
        self, connector: Connector, topics: Topics, device: str,
        wire: Callable[[Callable[[Incoming], None], Callable[[], None]], LineT], times: Times,
        environment: Environment | None = None,
    ) -> None:  # fmt: skip
        self.topics, self.device, self.times = topics, device, times
        self.kind = str(role_of(device))
        self.environment = environment or Environment()
        self.heard: list[Message] = []
        self.told: dict[str, Told] = {}
        """By id; of those that have one."""
        self.holds: Callable[[Message], bool] = lambda _: False
        """Whether a request of the device is left to the scene instead of answered at once."""
        self._copies: dict[str, tuple[int, int]] = {}
        """By id of a request: from where on its copies count, and how many were sent."""
        self._final: dict[str, Outgoing] = {}
        """By id of a request of the device, its answer: each later copy gets the same."""
        self.begun: list[float] = []
        """When it began to listen for requests, anew with each connection."""
        self._connections = (0, 0)
        self.is_vague = False
        """Whether it gave answers that name no request: of two, nobody knows which is answered."""
        self.properties = getattr(connector, "properties", False)
        """Whether what is sent has MQTT 5 properties."""
        self.wire = wire(self._hear, self._stir)
        self._news = asyncio.Event()
        self._voices = {
            role: Publisher(role, role, topics, self.environment, Counts())
            for role in sorted(ROLES)
        }
        self._taken_back = asyncio.Event()
        self._session = Session(
            connector, f"{topics.site}-certify-{self.environment.boot}",
            [Subscription(topics.state("warehouse", PICKUP_POINTS_STATE.name), 1)],
            self._echoed, self._show,
        )  # fmt: skip

    @asynccontextmanager
    async def playing(self) -> AsyncIterator[None]:
        """Play within the block; what was retained is taken back at its end.

        Raises:
            BrokerError: there is no broker.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                session = tasks.create_task(self._session.run(once=True), name="certify/link")
                await self._session.up.wait()
                try:
                    yield
                finally:
                    self._show(leaving=True)
                    with suppress(TimeoutError):
                        async with asyncio.timeout(_TO_LEAVE):
                            await self._taken_back.wait()
                    session.cancel()
        except ExceptionGroup as group:
            raise first_error(group) from None

    def _show(self, *, leaving: bool = False) -> None:
        shown = [publisher.presence("online") for publisher in self._voices.values()]
        shown.append(self._voices["warehouse"].state_message(PICKUP_POINTS_STATE, POINTS))
        for message in shown:
            self._session.send(Outgoing(message.topic, b"", 1, retain=True) if leaving else message)

    def _echoed(self, messages: list[Incoming]) -> None:
        """What was taken back last has come back: the broker has got all of it."""
        if not messages[-1].payload:
            self._taken_back.set()

    def now(self) -> int:
        """Milliseconds since the epoch in the played store's time."""
        return self.environment.now() + AHEAD

    # -- to hear ------------------------------------------------------------------------------

    def _stir(self) -> None:
        """A connection came or went: what was sent to a device that is gone is not answered."""
        connections = len(self.wire.listening), self.wire.lost_listeners
        if connections != self._connections:
            if connections[0] > self._connections[0]:
                self.begun.append(asyncio.get_running_loop().time())
            self._connections = connections
            for identifier in self.told:
                self._copies[identifier] = len(self.heard), 0
        self._news.set()

    def _hear(self, incoming: Incoming) -> None:
        message = read_message(self.topics, incoming, by_device=True)
        self.heard.append(message)
        self._news.set()
        address = message.address
        if (
            address is None or address.kind != "req" or address.node != self.device
            or address.callee not in ROLES or message.id is None
        ):  # fmt: skip
            return
        if message.id in self._final:
            self._session.send(self._final[message.id])
            return
        if not self.holds(message):
            self.answer_ordinarily(message)

    def answer_ordinarily(self, message: Message) -> None:
        """Answer a request of the device as a store does, if a store does."""
        address = message.address
        assert address is not None
        answer = ordinary_answer(address.callee, address.name, message.data, self.environment)
        if answer is not None:
            self.reply(message, answer)

    async def until(
        self, look: Callable[[], Seen | None], seconds: float | None = None
    ) -> Seen | None:
        """What there is to see as soon as it is there; None if it does not come in time."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + (self.times.patience if seconds is None else seconds)
        while True:
            self._news.clear()
            found = look()
            left = deadline - clock()
            if found or left <= 0:
                return found or None
            try:
                async with asyncio.timeout(left):
                    await self._news.wait()
            except TimeoutError:
                pass

    def requests(
        self, name: str, where: Callable[[Message], bool] = lambda _: True
    ) -> list[Message]:
        """What the device asked so far under the name of an operation."""
        return [each for each in self.heard if each.is_about("req", name) and where(each)]

    def answers(self, told: Told) -> list[Message]:
        """What the device answered to a request: by its id, or on its topic and to no other."""
        found = [each for each in self.heard[told.place :] if self._answers(each, told)]
        return found[told.copy - 1 :]

    def _answers(self, message: Message, told: Told) -> bool:
        kind = message.address.kind if message.address else None
        if kind in ("req", "state", "event") and message.document.get("correlationid") is None:
            return False
        if message.names == told.message.id:
            return told.message.id is not None
        on_topic = message.incoming.topic == told.reply_topic
        vague = on_topic and message.names not in self.told and not is_problem(message)
        self.is_vague |= vague
        return vague

    # -- to say -------------------------------------------------------------------------------

    def request(
        self, caller: str, name: str, data: dict[str, Any], *, more: dict[str, Any] | None = None,
        response_topic: str | None = None, retain: bool = False,
    ) -> Told:  # fmt: skip
        """Ask the device something new; `more` are further attributes, or others than usual."""
        identifier = self.environment.message()
        trace = child_trace(None, self.environment.span())
        document = self._sealed(caller, identifier, f"{self.kind}.{name}.request", data, trace)
        payload = to_json(document | (more or {}))
        return self.raw_request(
            caller, name, payload, response_topic, identifier, retain=retain
        )  # fmt: skip

    def raw_request(
        self, caller: str, name: str, payload: bytes, response_topic: str | None = None,
        identifier: str | None = None, *, retain: bool = False,
    ) -> Told:  # fmt: skip
        """Send the device any bytes as a request."""
        topic = self.topics.request(caller, self.device, name)
        reply_topic = self.topics.reply(caller, self.device, name)
        operation = find_operation(self.kind, name)
        outgoing = Outgoing(
            topic, payload,
            # Brokers keep nothing of QoS 0 for who is away: what is retained comes only as that.
            0 if retain else 1 if operation is None else operation.qos,
            response_topic=response_topic or reply_topic,
            correlation=(identifier or "none").encode(), retain=retain,
        )  # fmt: skip
        message = read_message(self.topics, Incoming(topic, payload), by_device=False)
        told = Told(message, outgoing, reply_topic, len(self.heard), name)
        if message.id is not None:
            self.told[message.id] = told
        self._session.send(outgoing)
        return told

    def clear(self, told: Told) -> None:
        """Take back a request that was sent as retained."""
        self._session.send(Outgoing(told.outgoing.topic, b"", 1, retain=True))

    def again(self, told: Told) -> Told:
        """Send the same request again; its answer is the one after those to all earlier copies."""
        place, count = self._copies.get(str(told.message.id), (told.place, 1))
        self._copies[str(told.message.id)] = place, count + 1
        self._session.send(told.outgoing)
        return replace(told, place=place, copy=count + 1)

    async def answered(self, told: Told, seconds: float | None = None) -> Message | None:
        """The answer to a request, which is repeated until it comes; None if it does not."""
        left = self.times.patience if seconds is None else seconds
        while left > 0:
            wait = min(left, self.times.ask_again)
            answers = await self.until(lambda: self.answers(told), wait)
            if answers:
                return answers[0]
            self.again(told)
            left -= wait
        return None

    async def ask(
        self, caller: str, name: str, data: dict[str, Any], *, more: dict[str, Any] | None = None
    ) -> tuple[Told, Message | None]:
        """Ask until it is answered."""
        told = self.request(caller, name, data, more=more)
        return told, await self.answered(told)

    def reply(
        self, to: Message, data: Any, *, more: dict[str, Any] | None = None, problem: bool = False,
        final: bool = True,
    ) -> Message:  # fmt: skip
        """Answer a request of the device; `more` are further attributes, or others than usual.

        What is final is the answer to each further copy, too, as it is in a store.
        """
        assert to.address is not None
        assert to.id is not None
        callee, name = to.address.callee, to.address.name
        kind = "problem" if problem else "reply"
        trace = child_trace(None, self.environment.span())
        document = self._sealed(
            callee, self.environment.message(), f"{callee}.{name}.{kind}", data, trace
        )
        document |= {"correlationid": to.id, "causationid": to.id} | (more or {})
        outgoing = self._answer(to, to_json(document))
        if final:
            self._final[to.id] = outgoing
        return read_message(
            self.topics, Incoming(outgoing.topic, outgoing.payload), by_device=False
        )

    def raw_reply(self, to: Message, payload: bytes, callee: str | None = None) -> Message:
        """Send any bytes to where the device expects the answer, or another callee's."""
        outgoing = self._answer(to, payload, callee)
        return read_message(self.topics, Incoming(outgoing.topic, payload), by_device=False)

    def _answer(self, to: Message, payload: bytes, callee: str | None = None) -> Outgoing:
        assert to.address is not None
        topic = self.topics.reply(to.address.node, callee or to.address.callee, to.address.name)
        outgoing = Outgoing(topic, payload, 1, correlation=to.incoming.correlation)
        self._session.send(outgoing)
        return outgoing

    def refuse(self, to: Message, status: int, code: str, *, retryable: bool) -> Message:
        """Answer with a problem."""
        data = {
            "type": PROBLEM_TYPE + code, "title": code, "status": status,
            "detail": "Certify plays the store.", "code": code, "retryable": retryable,
        }  # fmt: skip
        return self.reply(to, data, problem=True, final=not retryable)

    def _sealed(
        self, node: str, identifier: str, kind: str, data: Any, trace: str
    ) -> dict[str, Any]:
        value = data.model_dump() if isinstance(data, Model) else data
        order = value.get("order") if isinstance(value, dict) else None
        document: dict[str, Any] = from_json(
            Sealed(
                id=identifier, source=f"/{self.topics.site}/{node}", type=f"storebus.{kind}",
                at=self.now(), data=value, trace=trace, order=order,
            ).to_bytes()
        )  # fmt: skip
        return document


def is_problem(message: Message) -> bool:
    """Whether an answer is a refusal."""
    kind = message.document.get("type")
    if isinstance(kind, str):
        return kind.endswith(".problem")
    return {"status", "code"} <= message.data.keys()
