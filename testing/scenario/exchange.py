"""The steps that send a message, and the steps that expect one."""

import asyncio
import json
from contextlib import suppress
from typing import Any

from bus.history.message import Message
from bus.link import Outgoing
from bus.runtime.admission import broken_reply
from bus.text.safe import short
from testing.kit.template import filled
from testing.scenario import model
from testing.scenario.context import ScenarioContext, wait_until_quiet
from testing.scenario.pattern import differences, matches
from testing.scenario.result import FailedStepError
from testing.scenario.scenario_client import answer_of, view

_QUIET_PATIENCE = 2.0
"""Seconds that `expect none` waits for the store to become quiet."""
_ASK_AGAIN = 0.02
"""Seconds after which `eventually` asks again."""
_LATEST = 5_000
_NEAREST = 3
"""How many of the messages that came instead to show."""


async def send(context: ScenarioContext, step: model.Send) -> None:
    """Send a message; wait for its answer, if one is expected.

    Raises:
        FailedStepError: the answer is not the expected one, or there is none.
    """
    until = asyncio.get_running_loop().time() + step.within
    while True:
        identifier, message = _outgoing(context, step.send)
        if step.reply is None and step.problem is None:
            context.client.send(message)
            return
        left = max(0.01, until - asyncio.get_running_loop().time())
        reply = await context.client.answer(message, identifier, left, repeat=step.repeat)
        wrong = _check_reply(context, step, reply)
        if not wrong:
            return
        if not step.eventually or until <= asyncio.get_running_loop().time() + _ASK_AGAIN:
            raise FailedStepError("\n".join(wrong))
        await asyncio.sleep(_ASK_AGAIN)


def _outgoing(context: ScenarioContext, draft: model.MessageDraft) -> tuple[str, Outgoing]:
    """The id of a message, and the message to send."""
    client = context.client
    values = filled(draft.model_dump(by_alias=True), context.variables)
    identifier = values["id"] or client.environment.message()
    if draft.save is not None:
        context.variables[draft.save] = {"id": identifier, "data": values["data"]}
    topic = values["topic"]
    message = client.request(
        values["from"] or "-", values["to"] or "-", values["op"] or "-", identifier,
        values["data"], **values["attributes"],
    )  # fmt: skip
    payload = message.payload if draft.payload is None else values["payload"].encode()
    if draft.size is not None:
        payload = _padded(payload, draft.size)
    response = values["response_topic"]
    return identifier, Outgoing(
        message.topic if topic is None else client.topics.below(topic),
        payload,
        message.qos,
        draft.retain,
        None if response is None else client.topics.below(response),
    )


def _padded(payload: bytes, size: int) -> bytes:
    """The payload padded with an unknown field, or with spaces if it is no object."""
    start = b'{"padding": "'
    room = size - len(payload) - len(start) - 2
    if not payload.startswith(b"{") or room < 0:
        return payload.ljust(size)
    return start + b"x" * room + b'",' + payload[1:]


def _check_reply(context: ScenarioContext, send: model.Send, reply: Message) -> list[str]:
    """How a reply differs from the expected one."""
    answer = answer_of(reply)
    if answer.breaks and not context.client.plays(reply.sender):
        return str(broken_reply(reply.sender, reply.name, answer.breaks)).splitlines()
    data = context.client.view(reply)["data"]
    refused = reply.status is not None
    if send.reply is not None and refused:
        detail = data.get("detail") if isinstance(data, dict) else None
        return [f"{reply.sender} refused: {reply.status} {reply.code}: {short(detail, 160)}"]
    if send.problem is not None and not refused:
        return [f"{reply.sender} did not refuse, but answered {short(json.dumps(data), 160)}"]
    wanted = send.reply if send.problem is None else send.problem
    captured: dict[str, Any] = {}
    wrong = differences(filled(wanted, context.variables), data, captured)
    if not wrong:
        context.variables.update(captured)
    return wrong


async def expect(context: ScenarioContext, step: model.Expect) -> None:
    """Wait for a message that no step has consumed.

    Raises:
        FailedStepError: none came; says what came instead.
    """
    search = _Search(context, step.expect)
    try:
        async with asyncio.timeout(step.within):
            while not (found := search.found()):
                await context.client.news()
    except TimeoutError:
        raise FailedStepError(
            f"nothing like it came within {step.within:g} s{_nearest(context, search.pattern)}"
        ) from None
    context.client.take(found[0])
    context.variables.update(found[1])


async def expect_none(context: ScenarioContext, step: model.ExpectNone) -> None:
    """Check that no such message comes.

    Raises:
        FailedStepError: one came.
    """
    search = _Search(context, step.expect_none)

    def look() -> None:
        while found := search.found():
            if context.client.repeats(found[0]):
                continue  # a slow answer makes its sender ask again: that is no second message
            raise FailedStepError(f"this came:\n  {described(found[0])}")

    if step.within is None:
        await wait_until_quiet(context, _QUIET_PATIENCE, look)
    else:
        with suppress(TimeoutError):
            async with asyncio.timeout(step.within):
                while True:
                    look()
                    await context.client.news()
    look()


class _Search:
    """Searches for a message that no step has consumed; looks at each only once."""

    def __init__(self, context: ScenarioContext, wanted: model.MessagePattern) -> None:
        self.pattern: dict[str, Any] = filled(
            wanted.model_dump(by_alias=True, exclude_unset=True), context.variables
        )
        self._stage = context.client
        self._next = 0

    def found(self) -> tuple[Message, dict[str, Any]] | None:
        """The first message that matches, and what the pattern captures of it."""
        received = self._stage.received
        while self._next < len(received):
            message = received[self._next]
            self._next += 1
            if message.number in self._stage.taken:
                continue
            captured: dict[str, Any] = {}
            if matches(self.pattern, self._stage.view(message), captured):
                return message, captured
        return None


_ADDRESS = ("from", "to", "kind", "op", "topic", "answers")


def _nearest(context: ScenarioContext, pattern: dict[str, Any]) -> str:
    """The messages that came instead, the most similar ones first."""
    ranked = []
    for message in context.client.received[-_LATEST:]:
        wrong = differences(pattern, context.client.view(message), {})
        if message.number in context.client.taken:
            wrong = ["an earlier step has taken it", *wrong]
        far = sum(10 if each.split(" ", 1)[0] in _ADDRESS else 1 for each in wrong)
        ranked.append((far, message.number, message, wrong))
    if not ranked:
        return "; nothing was said at all"
    lines = [f"; of {len(context.client.received)} messages, the nearest:"]
    for _, _, message, wrong in sorted(ranked)[:_NEAREST]:
        lines.append(f"  {described(message)}")
        lines += [f"    {each}" for each in wrong[:4]]
    return "\n".join(lines)


def described(message: Message) -> str:
    """Describe a message in one line."""
    way = f"{message.sender} → {message.receiver}" if message.receiver else message.sender
    problem = f" {message.status} {message.code}" if message.status is not None else ""
    data = view(message)["data"]
    shown = "" if problem else f" {short(json.dumps(data, ensure_ascii=False), 90)}"
    return f"{message.kind:<5} {way} {message.name}{problem}{shown}"
