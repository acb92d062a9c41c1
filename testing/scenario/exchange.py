"""The steps that send a message, and those that expect one."""

import asyncio
import json
from contextlib import suppress
from typing import Any

from bus.history.message import Message
from bus.link import Outgoing
from bus.runtime.admission import broken_reply
from bus.text.safe import short
from testing.scenario import model
from testing.scenario.context import Scene, until_quiet
from testing.scenario.pattern import differences, matches
from testing.scenario.result import FailedStepError
from testing.scenario.scenario_client import answer_of, view
from testing.scenario.variables import filled

_QUIET_PATIENCE = 2.0
"""Seconds that `expect none` waits for a store that does not become quiet."""
_ASK_AGAIN = 0.02
"""Seconds after which `eventually` asks anew."""
_LATEST = 5_000
_NEAREST = 3
"""How many of the messages that came instead are shown."""


async def send(scene: Scene, step: model.Send) -> None:
    """Send a message; wait for its answer, if one is expected.

    Raises:
        FailedStepError: the answer is another, or there is none.
    """
    until = asyncio.get_running_loop().time() + step.within
    while True:
        identifier, message = _letter(scene, step.send)
        if step.reply is None and step.problem is None:
            scene.stage.send(message)
            return
        left = max(0.01, until - asyncio.get_running_loop().time())
        reply = await scene.stage.answer(message, identifier, left, repeat=step.repeat)
        wrong = _judge(scene, step, reply)
        if not wrong:
            return
        if not step.eventually or until <= asyncio.get_running_loop().time() + _ASK_AGAIN:
            raise FailedStepError("\n".join(wrong))
        await asyncio.sleep(_ASK_AGAIN)


def _letter(scene: Scene, letter: model.Letter) -> tuple[str, Outgoing]:
    """The message to be sent, and its id."""
    stage = scene.stage
    values = filled(letter.model_dump(by_alias=True), scene.variables)
    identifier = values["id"] or stage.environment.message()
    if letter.save is not None:
        scene.variables[letter.save] = {"id": identifier, "data": values["data"]}
    topic = values["topic"]
    message = stage.request(
        values["from"] or "-", values["to"] or "-", values["op"] or "-", identifier,
        values["data"], **values["attributes"],
    )  # fmt: skip
    payload = message.payload if letter.payload is None else values["payload"].encode()
    if letter.size is not None:
        payload = _padded(payload, letter.size)
    response = values["response_topic"]
    return identifier, Outgoing(
        message.topic if topic is None else stage.topics.below(topic),
        payload,
        message.qos,
        letter.retain,
        None if response is None else stage.topics.below(response),
    )


def _padded(payload: bytes, size: int) -> bytes:
    """Filled up with a field that nobody knows, or with spaces where there are no fields."""
    start = b'{"padding": "'
    room = size - len(payload) - len(start) - 2
    if not payload.startswith(b"{") or room < 0:
        return payload.ljust(size)
    return start + b"x" * room + b'",' + payload[1:]


def _judge(scene: Scene, send: model.Send, reply: Message) -> list[str]:
    """In what an answer is not as expected."""
    answer = answer_of(reply)
    if answer.breaks and not scene.stage.plays(reply.sender):
        return str(broken_reply(reply.sender, reply.name, answer.breaks)).splitlines()
    data = scene.stage.view(reply)["data"]
    refused = reply.status is not None
    if send.reply is not None and refused:
        detail = data.get("detail") if isinstance(data, dict) else None
        return [f"{reply.sender} refused: {reply.status} {reply.code}: {short(detail, 160)}"]
    if send.problem is not None and not refused:
        return [f"{reply.sender} did not refuse, but answered {short(json.dumps(data), 160)}"]
    wanted = send.reply if send.problem is None else send.problem
    captured: dict[str, Any] = {}
    wrong = differences(filled(wanted, scene.variables), data, captured)
    if not wrong:
        scene.variables.update(captured)
    return wrong


async def expect(scene: Scene, step: model.Expect) -> None:
    """Wait for a message that no step has taken.

    Raises:
        FailedStepError: none came; says which came instead.
    """
    search = _Search(scene, step.expect)
    try:
        async with asyncio.timeout(step.within):
            while not (found := search.found()):
                await scene.stage.news()
    except TimeoutError:
        raise FailedStepError(
            f"nothing like it came within {step.within:g} s{_nearest(scene, search.pattern)}"
        ) from None
    scene.stage.take(found[0])
    scene.variables.update(found[1])


async def expect_none(scene: Scene, step: model.ExpectNone) -> None:
    """See to it that no such message comes.

    Raises:
        FailedStepError: one came.
    """
    search = _Search(scene, step.expect_none)

    def look() -> None:
        while found := search.found():
            if scene.stage.repeats(found[0]):
                continue  # a slow answer makes its sender ask again: that is no second message
            raise FailedStepError(f"this came:\n  {described(found[0])}")

    if step.within is None:
        await until_quiet(scene, _QUIET_PATIENCE, look)
    else:
        with suppress(TimeoutError):
            async with asyncio.timeout(step.within):
                while True:
                    look()
                    await scene.stage.news()
    look()


class _Search:
    """Looks for a message that no step has taken, at each only once."""

    def __init__(self, scene: Scene, wanted: model.MessagePattern) -> None:
        self.pattern: dict[str, Any] = filled(
            wanted.model_dump(by_alias=True, exclude_unset=True), scene.variables
        )
        self._stage = scene.stage
        self._next = 0

    def found(self) -> tuple[Message, dict[str, Any]] | None:
        """The first that matches, and what it captures."""
        heard = self._stage.heard
        while self._next < len(heard):
            message = heard[self._next]
            self._next += 1
            if message.number in self._stage.taken:
                continue
            captured: dict[str, Any] = {}
            if matches(self.pattern, self._stage.view(message), captured):
                return message, captured
        return None


_ADDRESS = ("from", "to", "kind", "op", "topic", "answers")


def _nearest(scene: Scene, pattern: dict[str, Any]) -> str:
    """The messages that came instead, those first that differ least."""
    ranked = []
    for message in scene.stage.heard[-_LATEST:]:
        wrong = differences(pattern, scene.stage.view(message), {})
        if message.number in scene.stage.taken:
            wrong = ["an earlier step has taken it", *wrong]
        far = sum(10 if each.split(" ", 1)[0] in _ADDRESS else 1 for each in wrong)
        ranked.append((far, message.number, message, wrong))
    if not ranked:
        return "; nothing was said at all"
    lines = [f"; of {len(scene.stage.heard)} messages, the nearest:"]
    for _, _, message, wrong in sorted(ranked)[:_NEAREST]:
        lines.append(f"  {described(message)}")
        lines += [f"    {each}" for each in wrong[:4]]
    return "\n".join(lines)


def described(message: Message) -> str:
    """A message in a line."""
    way = f"{message.sender} → {message.receiver}" if message.receiver else message.sender
    problem = f" {message.status} {message.code}" if message.status is not None else ""
    data = view(message)["data"]
    shown = "" if problem else f" {short(json.dumps(data, ensure_ascii=False), 90)}"
    return f"{message.kind:<5} {way} {message.name}{problem}{shown}"
