"""Plays the steps of a scenario, one after the other."""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from bus.contract.channel import role_of
from bus.contract.every import ABOUT
from bus.contract.values import Empty
from bus.envelope import milliseconds
from bus.errors import NoAnswer, StorebusError
from bus.link import Outgoing
from cli.scenario import model
from cli.scenario.faults import Faults, Rule
from cli.scenario.pattern import differences, matches
from cli.scenario.reading import Step
from cli.scenario.result import FailedStepError, Played
from cli.scenario.sentences import sentence
from cli.scenario.stage import Stage, view
from cli.scenario.store import OwnStore
from cli.scenario.variables import filled
from tui.model.filter import parse_filter
from tui.model.message import Message
from tui.safe import short

_QUIET_PATIENCE = 2.0
"""Seconds that `expect none` waits for a store that does not become quiet."""
_CRASH_PATIENCE = 10.0
_LOOK_AGAIN = 0.02
_LATEST = 5_000
_NEAREST = 3
"""How many of the messages that came instead are shown."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Where the steps of a scenario are played."""

    stage: Stage
    store: OwnStore | None
    """None if it is one that runs already."""
    faults: Faults
    variables: dict[str, Any]


async def play_steps(scene: Scene, steps: tuple[Step, ...], tell: Callable[[Played], None]) -> None:
    """Play steps until one fails.

    Args:
        scene: where.
        steps: what is to be done.
        tell: told of each step when it is over, also of the one that failed.

    Raises:
        FailedStepError: a step failed.
    """
    clock = asyncio.get_running_loop().time
    for step in steps:
        said = sentence(step.does, scene.variables)
        begun, failure = clock(), None
        try:
            await _play(scene, step)
        except (FailedStepError, StorebusError) as error:
            failure = str(error)
        tell(Played(step.line, said, clock() - begun, failure))
        if failure is not None:
            raise FailedStepError(failure)


def unmet(scene: Scene) -> str | None:
    """A fault that met no message: then the scenario shows nothing."""
    for rule in scene.faults.rules:
        if not rule.met:
            return f"line {rule.line}: {rule.kind} met no message"
    return None


async def _play(scene: Scene, step: Step) -> None:
    does = step.does
    if isinstance(does, model.Drop | model.Duplicate | model.Delay | model.Reorder):
        _fault(scene, does, step.line)
    elif isinstance(does, model.Crash | model.Stop | model.Start):
        await _node(scene, does, step.line)
    else:
        await _said(scene, does)


async def _said(scene: Scene, does: model.AnyStep) -> None:
    match does:
        case model.Send():
            await _send(scene, does)
        case model.Expect():
            await _expect(scene, does)
        case model.ExpectNone():
            await _expect_none(scene, does)
        case model.Respond(respond=part):
            _respond(scene, part)
        case model.Calm():
            scene.faults.calm()
        case model.SetClock(clock=clock):
            await _pass_time(scene, clock)
        case model.SetVariables(set=values):
            scene.variables.update(filled(values, scene.variables))
        case model.Quiet(quiet=seconds):
            if not await _until_quiet(scene, seconds, lambda: None):
                raise FailedStepError(f"the store has something left to do after {seconds:g} s")


# -- send and expect ------------------------------------------------------------------------------


async def _send(scene: Scene, send: model.Send) -> None:
    until = asyncio.get_running_loop().time() + send.within
    while True:
        identifier, message = _letter(scene, send.send)
        if send.reply is None and send.problem is None:
            scene.stage.send(message)
            return
        left = max(0.01, until - asyncio.get_running_loop().time())
        reply = await scene.stage.answer(message, identifier, left, repeat=send.repeat)
        wrong = _judge(scene, send, reply)
        if not wrong:
            return
        if not send.eventually or until <= asyncio.get_running_loop().time() + _LOOK_AGAIN:
            raise FailedStepError("\n".join(wrong))
        await asyncio.sleep(_LOOK_AGAIN)


def _letter(scene: Scene, letter: model.Letter) -> tuple[str, Outgoing]:
    """The message to be sent, and its id."""
    stage = scene.stage
    values = filled(letter.model_dump(by_alias=True), scene.variables)
    identifier = values["id"] or stage.identity.message()
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
        message.topic if topic is None else _below(stage, topic),
        payload,
        message.qos,
        letter.retain,
        None if response is None else _below(stage, response),
    )


def _below(stage: Stage, topic: str) -> str:
    return f"{stage.topics.root}/{topic[2:]}" if topic.startswith("./") else topic


def _padded(payload: bytes, size: int) -> bytes:
    """Filled up with a field that nobody knows, or with spaces where there are no fields."""
    start = b'{"padding": "'
    room = size - len(payload) - len(start) - 2
    if not payload.startswith(b"{") or room < 0:
        return payload.ljust(size)
    return start + b"x" * room + b'",' + payload[1:]


def _judge(scene: Scene, send: model.Send, reply: Message) -> list[str]:
    """In what an answer is not as expected."""
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


async def _expect(scene: Scene, expect: model.Expect) -> None:
    search = _Search(scene, expect.expect)
    try:
        async with asyncio.timeout(expect.within):
            while not (found := search.found()):
                await scene.stage.news()
    except TimeoutError:
        raise FailedStepError(
            f"nothing like it came within {expect.within:g} s{_nearest(scene, search.pattern)}"
        ) from None
    scene.stage.taken.add(found[0].number)
    scene.variables.update(found[1])


async def _expect_none(scene: Scene, none: model.ExpectNone) -> None:
    search = _Search(scene, none.expect_none)

    def look() -> None:
        if found := search.found():
            raise FailedStepError(f"this came:\n  {described(found[0])}")

    if none.within is None:
        await _until_quiet(scene, _QUIET_PATIENCE, look)
    else:
        with suppress(TimeoutError):
            async with asyncio.timeout(none.within):
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


# -- the store ------------------------------------------------------------------------------------


async def _until_quiet(scene: Scene, seconds: float, look: Callable[[], None]) -> bool:
    """Wait until no node has anything left to do; twice in a row, for work moves about.

    Returns:
        Whether that came about in time.
    """
    quiet = 0
    try:
        async with asyncio.timeout(seconds):
            while True:
                busy = scene.faults.pending
                for name in _nodes(scene):
                    about = await scene.stage.ask(name, ABOUT.name, Empty(), within=seconds)
                    busy = busy or about["outbox"] > 0
                look()
                quiet = 0 if busy else quiet + 1
                if quiet == 2:  # noqa: PLR2004 - see above
                    return True
                await asyncio.sleep(_LOOK_AGAIN if busy else 0)
    except (TimeoutError, NoAnswer):
        return False


def _nodes(scene: Scene) -> list[str]:
    return ["catalog", "settlement", "warehouse"] if scene.store is None else scene.store.running()


def _respond(scene: Scene, part: model.Part) -> None:
    values = filled(part.model_dump(by_alias=True), scene.variables)
    node = values["as"]
    if scene.store is not None and node in scene.store.running():
        raise FailedStepError(f"{node} is a real one here: stop it first, or play another")
    new = not scene.stage.plays(node)
    scene.stage.play(
        part.model_copy(
            update={name: values[name] for name in ("data", "problem")} | {"node": node}
        )
    )
    if new and role_of(node) is not None:
        scene.stage.show(node, "online")


async def _node(scene: Scene, does: model.Crash | model.Stop | model.Start, line: int) -> None:
    store, stage = scene.store, scene.stage
    assert store is not None, "it was refused before"
    match does:
        case model.Start(start=text):
            name = filled(text, scene.variables)
            await _until_struck(scene, name)
            await store.start(name)
        case model.Crash(crash=text, when=str(when)):
            name, test = filled(text, scene.variables), parse_filter(filled(when, scene.variables))
            rule = Rule("crash", test, line, 1, node=name, struck=lambda: store.strike(name))
            scene.faults.add(rule)
        case model.Crash(crash=text) | model.Stop(stop=text):
            name, crashes = filled(text, scene.variables), isinstance(does, model.Crash)
            if stage.plays(name):
                stage.leave(name)
                stage.show(name, "lost" if crashes else "offline")
            elif crashes:
                await store.crash(name)
            else:
                await store.stop(name)


async def _until_struck(scene: Scene, name: str) -> None:
    """Wait until a node that is to crash has crashed."""
    coming = [rule for rule in scene.faults.rules if rule.node == name and not rule.met]
    try:
        async with asyncio.timeout(_CRASH_PATIENCE):
            while any(not rule.met for rule in coming):
                await scene.stage.news()
    except TimeoutError:
        raise FailedStepError(f"nothing was said that {name} is to crash at") from None


def _fault(
    scene: Scene, fault: model.Drop | model.Duplicate | model.Delay | model.Reorder, line: int
) -> None:
    def test(text: str) -> Callable[[Message], bool]:
        return parse_filter(str(filled(text, scene.variables)))

    match fault:
        case model.Drop():
            rule = Rule("drop", test(fault.drop), line, fault.times)
        case model.Duplicate():
            rule = Rule("duplicate", test(fault.duplicate), line, fault.times, fault.copies)
        case model.Delay():
            rule = Rule("delay", test(fault.delay), line, fault.times, seconds=fault.by)
        case model.Reorder():
            rule = Rule("reorder", test(fault.reorder), line, fault.times, together=fault.together)
    scene.faults.add(rule)


async def _pass_time(scene: Scene, clock: str) -> None:
    now = scene.stage.identity.now()
    seconds = model.seconds_of(clock)
    if seconds is None:
        seconds = (milliseconds(clock) - now) / 1000
        if seconds < 0:
            raise FailedStepError("the clock can only go on, and it is later than that")
    await asyncio.sleep(seconds)
