"""A node that a tester plays: it answers one operation, and shows itself as a node does."""

import asyncio
from dataclasses import dataclass
from typing import Any

from bus.contract import find_operation
from bus.contract.channel import role_of
from bus.contract.envelope import Reading
from bus.contract.errors import Problem, TooLarge, first_error
from bus.contract.every import PING, Pong
from bus.contract.outbound import MessageFactory
from bus.contract.topics import Address, Topics
from bus.link import Connector, Incoming, Outgoing, Subscription
from bus.link.session import Session
from bus.runtime.environment import Environment
from bus.runtime.outgoing import outgoing
from bus.runtime.settings import RuntimeSettings
from bus.text.console import output
from bus.text.safe import short
from testing.kit.show import show_json, warn, when_reader_leaves
from testing.kit.template import filled_from_request

_LATE = 5.0
"""Seconds after which the last answer was lost, or the broker keeps it from us."""


@dataclass(frozen=True, slots=True)
class Part:
    """Who is played, and what is answered."""

    callee: str
    name: str
    """Of the operation."""
    template: Any
    """The data of each reply, a template; see `testing.kit.template`."""
    is_problem: bool
    delay: float
    """Seconds before each answer."""


class Player:
    """Answers until there was enough.

    Args:
        connector: to the broker.
        topics: of the site.
        environment: clock and identifiers.
        part: what is played.
        settings: of the connection.
        shows: whether it also shows itself online and answers `ping`.
    """

    def __init__(
        self, connector: Connector, topics: Topics, environment: Environment, part: Part,
        settings: RuntimeSettings, *, shows: bool,
    ) -> None:  # fmt: skip
        self._topics, self._environment, self._part, self._shows = topics, environment, part, shows
        self._kind = role_of(part.callee) or "tester"
        self._messages = MessageFactory(topics, part.callee, environment, self._kind)
        gone = outgoing(self._messages.presence("lost")) if shows else None
        names = (part.name, PING.name) if shows else (part.name,)
        self._session = Session(
            connector,
            f"{topics.site}-{part.callee}-played-{environment.boot}",
            [
                *(Subscription(topics.request("+", part.callee, name), 1) for name in names),
                Subscription(topics.reply("+", part.callee, part.name), 1),
            ],
            self._receive, self._connected, gone, settings.reconnect_limit,
        )  # fmt: skip
        self._times: int | None = None
        self._answered: set[tuple[str, str]] = set()
        self._on_their_way: set[str] = set()
        self._over = asyncio.Event()
        self._arrived = asyncio.Event()

    async def play(self, times: int | None) -> None:
        """Answer so many different requests, or until cancelled.

        Raises:
            BrokerError: there is no broker.
        """
        self._times = times
        when_reader_leaves(self._leave)
        try:
            async with asyncio.TaskGroup() as tasks:
                session = tasks.create_task(self._session.run(once=True), name="player/link")
                try:
                    await self._over.wait()
                    await self._settled()
                finally:
                    if self._shows:
                        self._session.send(outgoing(self._messages.presence("offline")))
                    session.cancel()
        except ExceptionGroup as group:
            raise first_error(group) from None

    def _leave(self) -> None:
        self._on_their_way.clear()
        self._over.set()

    async def _settled(self) -> None:
        """Our own answers come back: then the broker has got them."""
        try:
            async with asyncio.timeout(self._part.delay + _LATE):
                while self._on_their_way:
                    self._arrived.clear()
                    await self._arrived.wait()
        except TimeoutError:
            warn("Whether the broker got the last answer is not known.")

    def _connected(self) -> None:
        if self._shows:
            self._session.send(outgoing(self._messages.presence("online")))
        if output.is_terminal:
            output.print(f"Playing {self._part.callee}; Ctrl-C ends it.")
        else:
            show_json({"playing": self._part.callee, "operation": self._part.name})

    def _receive(self, messages: list[Incoming]) -> None:
        for message in messages:
            address = self._topics.parse(message.topic)
            if address is None:
                continue
            if address.kind == "rep":
                self._back(message)
            elif address.name == PING.name != self._part.name:
                self._pong(message, address)
            elif not self._over.is_set():
                self._asked(message, address)

    def _back(self, message: Incoming) -> None:
        reading = Reading(message.payload)
        try:
            reading.envelope()
        except Problem:
            return
        self._on_their_way.discard(reading.id or "")
        self._arrived.set()

    def _pong(self, message: Incoming, address: Address) -> None:
        reading = Reading(message.payload)
        try:
            reading.envelope()
        except Problem:
            return
        pong = Pong(node=self._part.callee, boot=self._environment.boot, version="played")
        self._session.send(self._reply(message, address, reading, pong, "reply")[1])

    def _asked(self, message: Incoming, address: Address) -> None:
        reading = Reading(message.payload)
        try:
            reading.envelope()
            data = filled_from_request(self._part.template, reading.document)
            kind = "problem" if self._part.is_problem else "reply"
        except Problem as problem:
            if reading.id is None:
                warn(f"{address.node} sent what cannot be answered: {problem}")
                return
            data, kind = problem.to_data().model_dump(), "problem"
        key = (address.node, str(reading.id))
        if self._times is not None and key not in self._answered:
            if len(self._answered) == self._times:
                return
            self._answered.add(key)
        identifier, reply = self._reply(message, address, reading, data, kind)
        self._on_their_way.add(identifier)
        loop = asyncio.get_running_loop()
        loop.call_later(self._part.delay, self._answer, reply, key, data)

    def _answer(self, reply: Outgoing, key: tuple[str, str], data: Any) -> None:
        try:
            sent = self._session.send(reply)
        except TooLarge as problem:
            warn(f"{key[0]} gets no answer: {problem}")
            sent = False
        try:
            self._say(key, data, sent=sent)
        except BrokenPipeError:
            self._leave()
        if self._times is not None and len(self._answered) == self._times:
            self._over.set()

    def _say(self, key: tuple[str, str], data: Any, *, sent: bool) -> None:
        caller, identifier = key
        if output.is_terminal:
            said = short(data, max(20, output.width - 60)) if sent else "not sent"
            name = self._part.name
            output.print(f"{caller} {name} {short(identifier, 40)}: {said}", markup=False)
        else:
            show_json({"caller": caller, "id": identifier, "sent": sent, "data": data})

    def _reply(
        self, message: Incoming, address: Address, reading: Reading, data: Any, kind: str
    ) -> tuple[str, Outgoing]:
        """A reply and its id; complete, as a node sends it."""
        operation = find_operation(self._kind, address.name)
        reply = self._messages.reply(
            address.node,
            operation or address.name,
            data,
            request=reading.id,
            problem=kind == "problem",
            correlation=message.correlation,
        )
        return reply.id, outgoing(reply)
