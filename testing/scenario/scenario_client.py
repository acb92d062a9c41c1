"""The runner's client on the bus: it receives everything, sends in any name, and fakes nodes."""

import asyncio
import json
from collections.abc import Callable
from itertools import takewhile
from typing import Any

from bus.contract import find_operation
from bus.contract.channel import role_of
from bus.contract.errors import NoAnswer, Refused
from bus.contract.every import PRESENCE, Presence
from bus.contract.timestamp import rfc3339
from bus.contract.topics import Topics
from bus.contract.values import Model
from bus.history.message import Message, read
from bus.link import Connector, Incoming, Outgoing, Subscription
from bus.runtime.admission import broken_reply
from bus.runtime.environment import Environment
from bus.runtime.repeating import pauses
from testing.kit.fake_node import CannedReply, FakeNode
from testing.kit.raw_caller import RawReply

_REPEAT = 0.5
"""Seconds until an unanswered request is sent again; they double up to 5."""
_REPEAT_LIMIT = 5.0


class ScenarioClient(FakeNode):
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
        super().__init__(
            connector, topics, environment, "stage", [Subscription(topics.everything(), 1)],
            reconnect_limit=0.5,
        )  # fmt: skip
        self.name = name
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
        self._canned: dict[tuple[str, str], CannedReply] = {}
        self._online: dict[str, str] = {}
        """Boots of the fake nodes that are shown online."""
        self._count = 0

    async def _leave(self) -> None:
        for node in list(self._online):
            self.show(node, "offline")

    def begin(self) -> None:
        """Forget all messages so far."""
        self.received.clear()
        self._views.clear()
        self.taken.clear()
        self._expected.clear()
        self._canned.clear()

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
        since = self._count

        def look() -> Message | None:
            for messages in (self._answers, self.received):
                for message in takewhile(lambda each: each.number > since, reversed(messages)):
                    if (message.topic, message.answers) == (topic, identifier):
                        return message
            return None

        waits = pauses(_REPEAT, _REPEAT_LIMIT) if repeat else (None,)
        reply = await self.ask_until(lambda: self.send(request), look, waits, within)
        if reply is None:
            raise NoAnswer(f"{address.callee} did not answer within {within:g} s.")
        self.take(reply)
        return reply

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

    def play(self, reply: CannedReply) -> None:
        """Answer an operation as a fake node from now on."""
        self._canned[reply.node, reply.name] = reply

    def plays(self, node: str) -> bool:
        """Whether the scenario fakes this node."""
        return any(name == node for name, _ in self._canned)

    def leave(self, node: str) -> None:
        """Stop faking a node."""
        for key in [key for key in self._canned if key[0] == node]:
            del self._canned[key]

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
        self.send(self.made_by(node).state(PRESENCE, presence))

    def _respond(self, request: Message) -> None:
        canned = self._canned.get((request.receiver, request.name))
        if canned is None or request.id is None:
            return
        if not canned.accepts(request.sender, request.id):
            return
        data, is_problem = canned.to(request.data())
        reply = self.reply_to(
            canned.node, request.sender, canned.name, data, request=request.id, problem=is_problem
        )
        if canned.delay is None:
            self.send(reply)
        else:
            asyncio.get_running_loop().call_later(canned.delay, self.send, reply)


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
