"""A fake store for a device under test: catalog, settlement and warehouse on a real broker.

It can answer late, wrongly or not at all. It receives what the device sends at the relay.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count, repeat
from typing import Any, Generic, TypeVar

from pydantic_core import from_json, to_json

from bus.contract import find_operation
from bus.contract.channel import ROLES, role_of
from bus.contract.errors import PROBLEM_TYPE
from bus.contract.outbound import OutboundMessage
from bus.contract.topics import Topics
from bus.contract.warehouse import PICKUP_POINTS_STATE
from bus.link import Connector, Incoming, Outgoing, Subscription
from bus.runtime.environment import Environment
from testing.certify.fixtures import POINTS, usual_reply
from testing.certify.observing_relay import DeviceConnections, ObservedMessage, read_message
from testing.kit.fake_node import FakeNode, Seen

ConnectionsT = TypeVar("ConnectionsT", bound=DeviceConnections)
AHEAD = 2 * 86_400_000
"""Milliseconds by which the fake store's clock is ahead of the host's. This reveals a device that
takes its deadlines from its own clock, even where that clock is right."""
_TO_LEAVE = 2.0
"""Seconds to clear the retained messages."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long certify waits, in seconds."""

    patience: float = 60.0
    """For what the device has to do. It may repeat only every half minute."""
    settle: float = 1.0
    """For what the device must not do, and for what may still be on its way."""
    ask_again: float = 1.0
    """Until an unanswered request is sent again."""


@dataclass(frozen=True, slots=True)
class SentRequest:
    """A request that was sent to the device."""

    message: ObservedMessage
    outgoing: Outgoing
    reply_topic: str
    place: int
    """How many messages had been received from the device by then."""
    name: str
    """Of the operation."""
    copy: int = 1
    """Its number among the copies sent since then, from 1: so many replies are expected."""


class FakeStore(FakeNode, Generic[ConnectionsT]):
    """The fake store, and everything that it received from the device.

    Args:
        connector: to the broker.
        topics: of its site.
        device: its name.
        relay: makes what the device connects to. It is given two callbacks: for each message of the
            device, and for each connection that is opened or closed.
        timeouts: how long to wait.
        environment: the clocks and identifiers of the fake store.
    """

    def __init__(
        self, connector: Connector, topics: Topics, device: str,
        relay: Callable[[Callable[[Incoming], None], Callable[[], None]], ConnectionsT],
        timeouts: Timeouts, environment: Environment | None = None,
    ) -> None:  # fmt: skip
        super().__init__(
            connector, topics, environment or Environment(), "certify",
            [Subscription(topics.state("warehouse", PICKUP_POINTS_STATE.name), 1)],
        )  # fmt: skip
        self.device, self.timeouts = device, timeouts
        self.kind = str(role_of(device))
        self.received: list[ObservedMessage] = []
        self.sent: dict[str, SentRequest] = {}
        """Requests to the device, by id; those that have one."""
        self.holds: Callable[[ObservedMessage], bool] = lambda _: False
        """Whether the test case answers this request of the device itself."""
        self._copies: dict[str, tuple[int, int]] = {}
        """By id of a request: the position from which its copies count, and how many were sent."""
        self._final: dict[str, Outgoing] = {}
        """By id of a request of the device, its final reply: each later copy gets the same."""
        self.begun: list[float] = []
        """When it began to listen for requests: a time for each connection."""
        self._connections = (0, 0)
        self.is_vague = False
        """Whether some of its replies name no request, so that two of them cannot be told apart."""
        self.properties = getattr(connector, "properties", False)
        """Whether what is sent has MQTT 5 properties."""
        self.relay = relay(self._observe, self._note_connections)
        self._cleared = asyncio.Event()

    def _retained(self) -> list[OutboundMessage]:
        """What a store retains that a device looks at, the pickup points last."""
        presences = [self.made_by(role).presence("online") for role in sorted(ROLES)]
        return [*presences, self.made_by("warehouse").state(PICKUP_POINTS_STATE, POINTS)]

    def _connected(self) -> None:
        for message in self._retained():
            self.send(message)

    async def _leave(self) -> None:
        for message in self._retained():
            self.clear(message.topic)
        with suppress(TimeoutError):
            async with asyncio.timeout(_TO_LEAVE):
                await self._cleared.wait()

    def _receive(self, messages: list[Incoming]) -> None:
        """The last message that was cleared has come back: the broker has cleared all of them."""
        if not messages[-1].payload:
            self._cleared.set()

    def now(self) -> int:
        """Milliseconds since the epoch by the fake store's clock."""
        return self.environment.now() + AHEAD

    # -- receiving ---------------------------------------------------------------------------

    def _note_connections(self) -> None:
        """A connection was opened or closed: requests to a device that is gone are not answered."""
        connections = len(self.relay.listening), self.relay.lost_listeners
        if connections != self._connections:
            if connections[0] > self._connections[0]:
                self.begun.append(asyncio.get_running_loop().time())
            self._connections = connections
            for identifier in self.sent:
                self._copies[identifier] = len(self.received), 0
        self._news.set()

    def _observe(self, incoming: Incoming) -> None:
        message = read_message(self.topics, incoming, by_device=True)
        self.received.append(message)
        self._news.set()
        address = message.address
        if (
            address is None or address.kind != "req" or address.node != self.device
            or address.callee not in ROLES or message.id is None
        ):  # fmt: skip
            return
        if message.id in self._final:
            self.send(self._final[message.id])
            return
        if not self.holds(message):
            self.answer_as_usual(message)

    def answer_as_usual(self, message: ObservedMessage) -> None:
        """Answer a request of the device as a real store would, if it would."""
        address = message.address
        assert address is not None
        answer = usual_reply(address.callee, address.name, message.data, self.environment)
        if answer is not None:
            self.reply(message, answer)

    async def until(
        self, look: Callable[[], Seen | None], seconds: float | None = None
    ) -> Seen | None:
        """Wait until `look` finds something, for the usual patience if `seconds` is None."""
        return await super().until(look, self.timeouts.patience if seconds is None else seconds)

    def requests(
        self, name: str, where: Callable[[ObservedMessage], bool] = lambda _: True
    ) -> list[ObservedMessage]:
        """The requests that the device has sent so far for an operation."""
        return [each for each in self.received if each.is_about("req", name) and where(each)]

    def answers(self, request: SentRequest) -> list[ObservedMessage]:
        """The replies to a request: by its id, or on its topic and naming no other."""
        found = [each for each in self.received[request.place :] if self._answers(each, request)]
        return found[request.copy - 1 :]

    def _answers(self, message: ObservedMessage, request: SentRequest) -> bool:
        kind = message.address.kind if message.address else None
        if kind in ("req", "state", "event") and message.document.get("correlationid") is None:
            return False
        if message.names == request.message.id:
            return request.message.id is not None
        on_topic = message.incoming.topic == request.reply_topic
        vague = on_topic and message.names not in self.sent and not message.is_problem
        self.is_vague |= vague
        return vague

    # -- sending -----------------------------------------------------------------------------

    def request(
        self, caller: str, name: str, data: dict[str, Any], *, more: dict[str, Any] | None = None,
        response_topic: str | None = None, retain: bool = False,
    ) -> SentRequest:  # fmt: skip
        """Send the device a new request; `more` adds attributes, or replaces the usual ones."""
        identifier = self.environment.message()
        request = self.made_by(caller).request(
            self.device, name, data, identifier=identifier, at=self.now()
        )
        payload = to_json(_document(request) | (more or {}))
        return self.raw_request(
            caller, name, payload, response_topic, identifier, retain=retain
        )  # fmt: skip

    def raw_request(
        self, caller: str, name: str, payload: bytes, response_topic: str | None = None,
        identifier: str | None = None, *, retain: bool = False,
    ) -> SentRequest:  # fmt: skip
        """Send the device any payload as a request."""
        topic = self.topics.request(caller, self.device, name)
        reply_topic = self.topics.reply(caller, self.device, name)
        operation = find_operation(self.kind, name)
        sent = Outgoing(
            topic, payload,
            # Brokers keep nothing of QoS 0 for who is away: what is retained comes only as that.
            0 if retain else 1 if operation is None else operation.qos,
            response_topic=response_topic or reply_topic,
            correlation=(identifier or "none").encode(), retain=retain,
        )  # fmt: skip
        message = read_message(self.topics, Incoming(topic, payload), by_device=False)
        request = SentRequest(message, sent, reply_topic, len(self.received), name)
        if message.id is not None:
            self.sent[message.id] = request
        self.send(sent)
        return request

    def clear_request(self, request: SentRequest) -> None:
        """Clear a request that was sent as retained."""
        self.clear(request.outgoing.topic)

    def again(self, request: SentRequest) -> SentRequest:
        """Send the same request again; its reply follows those to all earlier copies."""
        place, count = self._copies.get(str(request.message.id), (request.place, 1))
        self._copies[str(request.message.id)] = place, count + 1
        self.send(request.outgoing)
        return replace(request, place=place, copy=count + 1)

    async def answered(
        self, request: SentRequest, seconds: float | None = None
    ) -> ObservedMessage | None:
        """Repeat a request until it is answered, and return the reply; None if there is none."""
        total = self.timeouts.patience if seconds is None else seconds
        copies = count()

        def send() -> None:
            if next(copies):  # the first one was sent before
                self.again(request)

        waits = repeat(self.timeouts.ask_again)
        answers = await self.ask_until(send, lambda: self.answers(request), waits, total)
        return answers[0] if answers else None

    async def ask(
        self, caller: str, name: str, data: dict[str, Any], *, more: dict[str, Any] | None = None
    ) -> tuple[SentRequest, ObservedMessage | None]:
        """Send a new request until it is answered."""
        request = self.request(caller, name, data, more=more)
        return request, await self.answered(request)

    def reply(
        self, to: ObservedMessage, data: Any, *, more: dict[str, Any] | None = None,
        problem: bool = False, final: bool = True,
    ) -> ObservedMessage:  # fmt: skip
        """Answer a request of the device; `more` adds attributes, or replaces the usual ones.

        A final reply also answers each later copy of the request, as in a real store.
        """
        assert to.address is not None
        assert to.id is not None
        callee, name = to.address.callee, to.address.name
        reply = self.made_by(callee).reply(
            to.address.node, name, data, request=to.id, problem=problem, at=self.now()
        )
        sent = self._answer(to, to_json(_document(reply) | (more or {})))
        if final:
            self._final[to.id] = sent
        return read_message(self.topics, Incoming(sent.topic, sent.payload), by_device=False)

    def raw_reply(
        self, to: ObservedMessage, payload: bytes, callee: str | None = None
    ) -> ObservedMessage:
        """Send any payload as the reply to a request, or on the reply topic of another callee."""
        outgoing = self._answer(to, payload, callee)
        return read_message(self.topics, Incoming(outgoing.topic, payload), by_device=False)

    def _answer(self, to: ObservedMessage, payload: bytes, callee: str | None = None) -> Outgoing:
        assert to.address is not None
        topic = self.topics.reply(to.address.node, callee or to.address.callee, to.address.name)
        answer = Outgoing(topic, payload, 1, correlation=to.incoming.correlation)
        self.send(answer)
        return answer

    def refuse(
        self, to: ObservedMessage, status: int, code: str, *, retryable: bool
    ) -> ObservedMessage:
        """Answer with a problem."""
        data = {
            "type": PROBLEM_TYPE + code, "title": code, "status": status,
            "detail": "Certify plays the store.", "code": code, "retryable": retryable,
        }  # fmt: skip
        return self.reply(to, data, problem=True, final=not retryable)


def _document(message: OutboundMessage) -> dict[str, Any]:
    document: dict[str, Any] = from_json(message.to_bytes())
    return document
