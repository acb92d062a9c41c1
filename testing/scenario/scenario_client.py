"""The runner's client on the bus: it receives everything, sends in any name, and fakes nodes."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

from bus.contract import find_operation
from bus.contract.channel import role_of
from bus.contract.errors import PROBLEM_TYPE, NoAnswer, Problem, Refused
from bus.contract.every import PRESENCE, Presence
from bus.contract.outbound import MessageFactory
from bus.contract.timestamp import rfc3339
from bus.contract.topics import Topics
from bus.contract.values import Model
from bus.history.message import Message, read
from bus.link import Connector, Incoming, Outgoing, Subscription
from bus.link.session import Session
from bus.runtime.admission import broken_reply
from bus.runtime.environment import Environment
from bus.runtime.outgoing import outgoing
from testing.kit.raw_caller import RawReply
from testing.kit.template import filled_from_request
from testing.scenario.model import Part

_REPEAT = 0.5
"""Seconds until an unanswered request is sent again; they double up to 5."""
_REPEAT_LIMIT = 5.0


@dataclass(slots=True)
class _Played:
    """What a fake node answers to one operation."""

    part: Part
    answered: set[str] = field(default_factory=set)


class ScenarioClient:
    """Receives all messages in a scenario's store, and sends those of the steps.

    Args:
        connector: to the broker.
        topics: of the site.
        environment: clock and identifiers.
        name: of the runner itself; messages from and to it are not kept.
        tell: called with each message, to show it to people.
    """

    def __init__(
        self, connector: Connector, topics: Topics, environment: Environment, name: str,
        tell: Callable[[str, Message], None],
    ) -> None:  # fmt: skip
        self.topics, self.environment, self.name = topics, environment, name
        self.received: list[Message] = []
        """Messages since the scenario began, without the runner's own."""
        self.taken: set[int] = set()
        """Numbers of the messages that a step has consumed."""
        self._expected: set[tuple[str, str | None]] = set()
        """Topics and ids of those messages."""
        self._views: dict[int, dict[str, Any]] = {}
        self._tell = tell
        self._answers: list[Message] = []
        """Replies to the runner's own requests."""
        self._played: dict[tuple[str, str], _Played] = {}
        self._online: dict[str, str] = {}
        """Boots of the fake nodes that are shown online."""
        self._count = 0
        self._news = asyncio.Event()
        self._session = Session(
            connector, f"{topics.site}-stage-{environment.boot}",
            [Subscription(topics.everything(), 1)], self._receive, lambda: None,
            reconnect_limit=0.5,
        )  # fmt: skip

    @asynccontextmanager
    async def open(self) -> AsyncIterator["ScenarioClient"]:
        """Connect within the block.

        Raises:
            BrokerError: there is no broker.
        """
        running = asyncio.create_task(self._session.run(once=True), name="stage/link")
        up = asyncio.create_task(self._session.up.wait(), name="stage/up")
        try:
            await asyncio.wait({running, up}, return_when=asyncio.FIRST_COMPLETED)
            if running.done():
                running.result()
            yield self
            for node in list(self._online):
                self.show(node, "offline")
        finally:
            for task in (running, up):
                task.cancel()
            await asyncio.gather(running, up, return_exceptions=True)

    def begin(self) -> None:
        """Forget all messages so far."""
        self.received.clear()
        self._views.clear()
        self.taken.clear()
        self._expected.clear()
        self._played.clear()

    def take(self, message: Message) -> None:
        """Mark a message as consumed by a step."""
        self.taken.add(message.number)
        self._expected.add((message.topic, message.id))

    def repeats(self, message: Message) -> bool:
        """Whether a message is a copy, with the same id, of one that a step has consumed."""
        return message.id is not None and (message.topic, message.id) in self._expected

    def view(self, message: Message) -> dict[str, Any]:
        """A message as patterns see it."""
        seen = self._views.get(message.number)
        if seen is None:
            seen = self._views[message.number] = view(message)
        return seen

    async def news(self) -> None:
        """Wait until another message arrives."""
        self._news.clear()
        await self._news.wait()

    def send(self, message: Outgoing) -> None:
        """Send any message, right or wrong."""
        self._session.send(message)

    # -- ask ----------------------------------------------------------------------------------

    async def ask(
        self, callee: str, operation: str, data: Model | dict[str, Any], within: float = 10.0
    ) -> Any:
        """Ask in the runner's own name, and return the data of the reply.

        Raises:
            Problem: the refusal, `NoAnswer`, or `BrokenReply`.
        """
        identifier = self.environment.message()
        message = self.request(self.name, callee, operation, identifier, data)
        reply = await self.answer(message, identifier, within, repeat=True)
        answer = answer_of(reply)
        if answer.breaks:
            raise broken_reply(callee, operation, answer.breaks)
        if answer.problem is not None:
            raise Refused(answer.problem)
        assert answer.envelope is not None, "else it breaks the contract"
        return answer.envelope.data

    def request(
        self, sender: str, callee: str, operation: str, identifier: str, data: Any,
        **attributes: Any,
    ) -> Outgoing:  # fmt: skip
        """A request as a minimal device writes it: an id and the data."""
        plain = data.model_dump() if isinstance(data, Model) else data
        document = {"id": identifier, **attributes, "data": plain}
        declared = find_operation(role_of(callee) or "", operation)
        return Outgoing(
            self.topics.request(sender, callee, operation),
            json.dumps(document, ensure_ascii=False).encode("utf-8", "surrogatepass"),
            qos=1 if declared is None else declared.qos,
        )

    async def answer(
        self, request: Outgoing, identifier: str, within: float, *, repeat: bool
    ) -> Message:
        """Send a request, repeatedly if `repeat` is set, until it is answered.

        Raises:
            NoAnswer: it was not answered in time.
        """
        address = self.topics.parse(request.topic)
        assert address is not None
        topic = self.topics.reply(address.node, address.callee, address.name)
        since, wait = self._count, _REPEAT
        try:
            async with asyncio.timeout(within):
                while True:
                    self.send(request)
                    try:
                        async with asyncio.timeout(wait if repeat else None):
                            return await self._answered(topic, identifier, since)
                    except TimeoutError:
                        wait = min(wait * 2, _REPEAT_LIMIT)
        except TimeoutError:
            raise NoAnswer(f"{address.callee} did not answer within {within:g} s.") from None

    async def _answered(self, topic: str, identifier: str, since: int) -> Message:
        while True:
            for messages in (self._answers, self.received):
                for message in takewhile(lambda each: each.number > since, reversed(messages)):
                    if (message.topic, message.answers) == (topic, identifier):
                        self.take(message)
                        return message
            await self.news()

    # -- receive ------------------------------------------------------------------------------

    def _receive(self, messages: list[Incoming]) -> None:
        at = self.environment.now()
        for incoming in messages:
            self._count += 1
            message = read(self.topics, self._count, at, incoming)
            if self.name in (message.sender, message.receiver):
                if message.kind == "rep":
                    self._answers = [*self._answers[-50:], message]
                continue
            self.received.append(message)
            self._tell("", message)
            if message.kind == "req":
                self._respond(message)
        self._news.set()

    # -- fake nodes ---------------------------------------------------------------------------

    def play(self, part: Part) -> None:
        """Answer an operation as a fake node from now on."""
        self._played[part.node, part.op] = _Played(part)

    def plays(self, node: str) -> bool:
        """Whether the scenario fakes this node."""
        return any(name == node for name, _ in self._played)

    def leave(self, node: str) -> None:
        """Stop faking a node."""
        for key in [key for key in self._played if key[0] == node]:
            del self._played[key]

    def show(self, node: str, status: str) -> None:
        """Publish the presence of a fake node."""
        if status == "online":
            self._online[node] = self.environment.message()
        boot = self._online.get(node)
        if boot is None:
            return
        if status != "online":
            del self._online[node]
        now = self.environment.now()
        presence = Presence.model_validate({"status": status, "boot": boot, "since": rfc3339(now)})
        self.send(outgoing(self._made_by(node).state(PRESENCE, presence)))

    def _respond(self, request: Message) -> None:
        played = self._played.get((request.receiver, request.name))
        if played is None or request.id is None:
            return
        part, known = played.part, f"{request.sender} {request.id}"
        if part.times is not None and known not in played.answered:
            if len(played.answered) >= part.times:
                return
            played.answered.add(known)
        try:
            template = part.data if part.problem is None else part.problem
            data = filled_from_request(template, request.data())
        except Problem as problem:
            data = problem.to_data().model_dump()
        if part.problem is not None:
            data = _PROBLEM | {"type": f"{PROBLEM_TYPE}{data.get('code')}", **data}
        declared = find_operation(role_of(part.node) or "", part.op)
        made = self._made_by(part.node).reply(
            request.sender,
            declared or part.op,
            data,
            request=request.id,
            problem=part.problem is not None,
        )
        reply = outgoing(made)
        if part.after is None:
            self.send(reply)
        else:
            asyncio.get_running_loop().call_later(part.after, self.send, reply)

    def _made_by(self, node: str) -> MessageFactory:
        return MessageFactory(self.topics, node, self.environment)


def answer_of(reply: Message) -> RawReply:
    """A reply, checked against the contract."""
    return RawReply.of(find_operation(role_of(reply.sender) or "", reply.name), reply.payload)


def view(message: Message) -> dict[str, Any]:
    """A message as patterns see it."""
    document = message.data()
    return {
        "from": message.sender,
        "to": message.receiver,
        "kind": message.kind,
        "op": message.name,
        "topic": message.topic,
        "id": message.id,
        "answers": message.answers,
        "order": message.order,
        "status": message.status,
        "code": message.code,
        "retain": message.retain,
        "data": document.get("data") if isinstance(document, dict) else None,
    }


_PROBLEM = {"title": "Problem", "status": 500, "detail": "It was played.", "retryable": False}
