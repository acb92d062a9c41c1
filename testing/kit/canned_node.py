"""A node that a tester fakes: it gives a canned reply to one operation, and shows its presence."""

import asyncio
import re
from typing import Any

from bus.contract.envelope import Reading
from bus.contract.errors import PROBLEM_TYPE, ConfigurationError, Problem, TooLarge
from bus.contract.every import PING, Pong
from bus.contract.outbound import MessageFactory, OutboundMessage
from bus.contract.topics import Address, Topics
from bus.link import Connector, Incoming, Outgoing, Subscription
from bus.runtime.environment import Environment
from bus.runtime.outgoing import outgoing
from bus.runtime.settings import RuntimeSettings
from bus.text.console import output
from bus.text.safe import short
from testing.kit.fake_node import CannedReply, FakeNode
from testing.kit.show import show_json, warn, when_reader_leaves

_LATE = 5.0
"""Seconds after which the last answer was lost, or the broker keeps it from us."""


class CannedNode(FakeNode):
    """Answers until there were enough requests.

    Args:
        connector: to the broker.
        topics: of the site.
        environment: clock and identifiers.
        reply: what it answers.
        settings: of the connection.
        shows: whether it also shows its presence and answers `ping`.
    """

    def __init__(
        self, connector: Connector, topics: Topics, environment: Environment, reply: CannedReply,
        settings: RuntimeSettings, *, shows: bool,
    ) -> None:  # fmt: skip
        self._canned, self._shows = reply, shows
        node = reply.node
        lost = MessageFactory(topics, node, environment).presence("lost")
        names = (reply.name, PING.name) if shows else (reply.name,)
        super().__init__(
            connector, topics, environment, f"{node}-played",
            [
                *(Subscription(topics.request("+", node, name), 1) for name in names),
                Subscription(topics.reply("+", node, reply.name), 1),
            ],
            will=outgoing(lost) if shows else None, reconnect_limit=settings.reconnect_limit,
        )  # fmt: skip
        self._unconfirmed: set[str] = set()
        """Ids of our replies that have not come back from the broker."""
        self._over = asyncio.Event()

    async def play(self) -> None:
        """Answer as many requests as the reply allows, or until cancelled.

        Raises:
            BrokerError: there is no broker.
        """
        when_reader_leaves(self._stop)
        async with self.running():
            await self._over.wait()
            if not await self.until(
                lambda: not self._unconfirmed, (self._canned.delay or 0) + _LATE
            ):
                warn("Whether the broker got the last answer is not known.")

    def _stop(self) -> None:
        self._unconfirmed.clear()
        self._over.set()
        self._news.set()

    async def _leave(self) -> None:
        if self._shows:
            self.send(self.made_by(self._canned.node).presence("offline"))

    def _connected(self) -> None:
        if self._shows:
            self.send(self.made_by(self._canned.node).presence("online"))
        if output.is_terminal:
            output.print(f"Playing {self._canned.node}; Ctrl-C ends it.")
        else:
            show_json({"playing": self._canned.node, "operation": self._canned.name})

    def _receive(self, messages: list[Incoming]) -> None:
        for message in messages:
            address, reading = self.topics.parse(message.topic), Reading(message.payload)
            if address is None:
                continue
            try:
                reading.envelope()
            except Problem as problem:
                self._refuse(address, message, reading, problem)
                continue
            if address.kind == "rep":
                self._unconfirmed.discard(reading.id or "")
                self._news.set()
            elif address.name == PING.name != self._canned.name:
                pong = Pong(node=self._canned.node, boot=self.environment.boot, version="played")
                self.send(self._reply(message, address, reading, pong))
            elif not self._over.is_set():
                data, is_problem = self._canned.to(reading.document)
                self._answer(message, address, reading, data, problem=is_problem)

    def _refuse(
        self, address: Address, message: Incoming, reading: Reading, problem: Problem
    ) -> None:
        """Answer a request that cannot be read, if it has an id."""
        is_ping = address.name == PING.name != self._canned.name
        if address.kind == "rep" or is_ping or self._over.is_set():
            return
        if reading.id is None:
            warn(f"{address.node} sent what cannot be answered: {problem}")
        else:
            data = problem.to_data().model_dump()
            self._answer(message, address, reading, data, problem=True)

    def _answer(
        self, message: Incoming, address: Address, reading: Reading, data: Any, *, problem: bool
    ) -> None:
        key = (address.node, str(reading.id))
        if not self._canned.accepts(*key):
            return
        reply = self._reply(message, address, reading, data, problem=problem)
        self._unconfirmed.add(reply.id)
        loop = asyncio.get_running_loop()
        loop.call_later(self._canned.delay or 0, self._send, outgoing(reply), key, data)

    def _reply(
        self, message: Incoming, address: Address, reading: Reading, data: Any, *,
        problem: bool = False,
    ) -> OutboundMessage:  # fmt: skip
        return self.reply_to(
            self._canned.node, address.node, address.name, data, request=reading.id,
            problem=problem, correlation=message.correlation,
        )  # fmt: skip

    def _send(self, reply: Outgoing, key: tuple[str, str], data: Any) -> None:
        try:
            sent = self.send(reply)
        except TooLarge as problem:
            warn(f"{key[0]} gets no answer: {problem}")
            sent = False
        try:
            self._show(key, data, sent=sent)
        except BrokenPipeError:
            self._stop()
        if self._canned.is_used_up:
            self._over.set()

    def _show(self, key: tuple[str, str], data: Any, *, sent: bool) -> None:
        caller, identifier = key
        if output.is_terminal:
            said = short(data, max(20, output.width - 60)) if sent else "not sent"
            name = self._canned.name
            output.print(f"{caller} {name} {short(identifier, 40)}: {said}", markup=False)
        else:
            show_json({"caller": caller, "id": identifier, "sent": sent, "data": data})


def problem_template(problem: str, more: Any) -> dict[str, Any]:
    """The template of a problem.

    Args:
        problem: its code and status, such as `sold-out/409`.
        more: an object with further members, or other values for the usual ones.

    Raises:
        ConfigurationError: one of them has another form.
    """
    found = re.fullmatch(r"([a-z0-9]+(?:-[a-z0-9]+)*)/([45][0-9]{2})", problem)
    if found is None:
        raise ConfigurationError("--problem takes CODE/STATUS, such as sold-out/409.")
    if not isinstance(more, dict):
        raise ConfigurationError("What a problem says more is an object.")
    code, status = found.groups()
    known = {kind.code: kind for kind in Problem.__subclasses__()}.get(code)
    return {
        "type": PROBLEM_TYPE + code,
        "title": known.title if known else code.replace("-", " ").capitalize(),
        "status": int(status),
        "detail": "A tester plays this node.",
        "code": code,
        "retryable": known.retryable if known else False,
        **more,
    }
