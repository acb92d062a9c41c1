"""Plays the steps of a scenario, one after the other."""

import asyncio
from collections.abc import Callable

from bus.contract.channel import role_of
from bus.contract.errors import StorebusError
from bus.contract.timestamp import milliseconds
from bus.history.filter import parse_filter
from bus.history.message import Message
from testing.scenario import model
from testing.scenario.context import Scene, until_quiet
from testing.scenario.descriptions import sentence
from testing.scenario.exchange import expect, expect_none, send
from testing.scenario.fault_injection import Rule
from testing.scenario.reading import Step
from testing.scenario.result import FailedStepError, Played
from testing.scenario.variables import filled

_CRASH_PATIENCE = 10.0
"""Seconds that `start` waits for a node to crash first."""


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
            await send(scene, does)
        case model.Expect():
            await expect(scene, does)
        case model.ExpectNone():
            await expect_none(scene, does)
        case model.Respond(respond=part):
            _respond(scene, part)
        case model.Calm():
            scene.faults.calm()
        case model.SetClock(clock=clock):
            await _pass_time(scene, clock)
        case model.SetVariables(set=values):
            scene.variables.update(filled(values, scene.variables))
        case model.Quiet(quiet=seconds):
            if not await until_quiet(scene, seconds, lambda: None):
                raise FailedStepError(f"the store has something left to do after {seconds:g} s")


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
    now = scene.stage.environment.now()
    seconds = model.seconds_of(clock)
    if seconds is None:
        seconds = (milliseconds(clock) - now) / 1000
        if seconds < 0:
            raise FailedStepError("the clock can only go on, and it is later than that")
    await asyncio.sleep(seconds)
