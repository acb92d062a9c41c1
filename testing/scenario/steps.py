"""Plays the steps of a scenario, one after the other."""

import asyncio
from collections.abc import Callable

from bus.contract.channel import role_of
from bus.contract.errors import PROBLEM_TYPE, StorebusError
from bus.contract.timestamp import milliseconds
from bus.history.filter import parse_filter
from bus.history.message import Message
from testing.kit.fake_node import CannedReply
from testing.kit.template import filled
from testing.scenario import model
from testing.scenario.context import ScenarioContext, wait_until_quiet
from testing.scenario.descriptions import describe
from testing.scenario.exchange import expect, expect_none, send
from testing.scenario.fault_injection import FaultRule
from testing.scenario.reading import Step
from testing.scenario.result import FailedStepError, PlayedStep

_PROBLEM = {"title": "Problem", "status": 500, "detail": "It was played.", "retryable": False}
_CRASH_PATIENCE = 10.0
"""Seconds that `start` waits for a node to crash first."""


async def play_steps(
    context: ScenarioContext, steps: tuple[Step, ...], tell: Callable[[PlayedStep], None]
) -> None:
    """Play steps until one fails.

    Args:
        context: what they act on.
        steps: what to play.
        tell: called after each step, including one that failed.

    Raises:
        FailedStepError: a step failed.
    """
    clock = asyncio.get_running_loop().time
    for step in steps:
        said = describe(step.does, context.variables)
        begun, failure = clock(), None
        try:
            await _play(context, step)
        except (FailedStepError, StorebusError) as error:
            failure = str(error)
        tell(PlayedStep(step.line, said, clock() - begun, failure))
        if failure is not None:
            raise FailedStepError(failure)


def unmet(context: ScenarioContext) -> str | None:
    """A fault that applied to no message: then the scenario proves nothing."""
    for rule in context.faults.rules:
        if not rule.met:
            return f"line {rule.line}: {rule.kind} met no message"
    return None


async def _play(context: ScenarioContext, step: Step) -> None:
    does = step.does
    if isinstance(does, model.Drop | model.Duplicate | model.Delay | model.Reorder):
        _fault(context, does, step.line)
    elif isinstance(does, model.Crash | model.Stop | model.Start):
        await _node(context, does, step.line)
    else:
        await _said(context, does)


async def _said(context: ScenarioContext, does: model.AnyStep) -> None:
    match does:
        case model.Send():
            await send(context, does)
        case model.Expect():
            await expect(context, does)
        case model.ExpectNone():
            await expect_none(context, does)
        case model.Respond(respond=part):
            _respond(context, part)
        case model.Calm():
            context.faults.calm()
        case model.SetClock(clock=clock):
            await _pass_time(context, clock)
        case model.SetVariables(set=values):
            context.variables.update(filled(values, context.variables))
        case model.Quiet(quiet=seconds):
            if not await wait_until_quiet(context, seconds, lambda: None):
                raise FailedStepError(f"the store has something left to do after {seconds:g} s")


def _respond(context: ScenarioContext, part: model.RespondSpec) -> None:
    values = filled(part.model_dump(by_alias=True), context.variables)
    node = values["as"]
    if context.store is not None and node in context.store.running():
        raise FailedStepError(f"{node} is a real one here: stop it first, or play another")
    new = not context.client.plays(node)
    template, problem = values["data"], values["problem"]
    if problem is not None:
        template = _PROBLEM | {"type": f"{PROBLEM_TYPE}{problem.get('code')}", **problem}
    context.client.play(
        CannedReply(node, part.op, template, problem is not None, part.after, part.times)
    )
    if new and role_of(node) is not None:
        context.client.show(node, "online")


async def _node(
    context: ScenarioContext, does: model.Crash | model.Stop | model.Start, line: int
) -> None:
    store, client = context.store, context.client
    assert store is not None, "it was refused before"
    match does:
        case model.Start(start=text):
            name = filled(text, context.variables)
            await _until_crashed(context, name)
            await store.start(name)
        case model.Crash(crash=text, when=str(when)):
            name, test = (
                filled(text, context.variables),
                parse_filter(filled(when, context.variables)),
            )
            rule = FaultRule(
                "crash", test, line, 1, node=name, on_crash=lambda: store.crash_soon(name)
            )
            context.faults.add(rule)
        case model.Crash(crash=text) | model.Stop(stop=text):
            name, crashes = filled(text, context.variables), isinstance(does, model.Crash)
            if client.plays(name):
                client.leave(name)
                client.show(name, "lost" if crashes else "offline")
            elif crashes:
                await store.crash(name)
            else:
                await store.stop(name)


async def _until_crashed(context: ScenarioContext, name: str) -> None:
    """Wait until a node has crashed that a fault is to crash."""
    coming = [rule for rule in context.faults.rules if rule.node == name and not rule.met]
    try:
        async with asyncio.timeout(_CRASH_PATIENCE):
            while any(not rule.met for rule in coming):
                await context.client.news()
    except TimeoutError:
        raise FailedStepError(f"nothing was said that {name} is to crash at") from None


def _fault(
    context: ScenarioContext,
    fault: model.Drop | model.Duplicate | model.Delay | model.Reorder,
    line: int,
) -> None:
    def test(text: str) -> Callable[[Message], bool]:
        return parse_filter(str(filled(text, context.variables)))

    match fault:
        case model.Drop():
            rule = FaultRule("drop", test(fault.drop), line, fault.times)
        case model.Duplicate():
            rule = FaultRule("duplicate", test(fault.duplicate), line, fault.times, fault.copies)
        case model.Delay():
            rule = FaultRule("delay", test(fault.delay), line, fault.times, seconds=fault.by)
        case model.Reorder():
            rule = FaultRule(
                "reorder", test(fault.reorder), line, fault.times, together=fault.together
            )
    context.faults.add(rule)


async def _pass_time(context: ScenarioContext, clock: str) -> None:
    now = context.client.environment.now()
    seconds = model.seconds_of(clock)
    if seconds is None:
        seconds = (milliseconds(clock) - now) / 1000
        if seconds < 0:
            raise FailedStepError("the clock can only go on, and it is later than that")
    await asyncio.sleep(seconds)
