"""Scenario: a role is killed with a great many open orders, and is asked as soon as it is back."""

import time
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from open_orders import open_orders
from parts import LONG, Part, running_broker, running_parts

from bus.contract.every import ABOUT, PING
from bus.contract.values import Empty
from bus.runtime.caller import Caller

ORDERS = 100_000 if LONG else 5_000
PROMPT = 5.0
"""Seconds within which a role has to answer after its end: asserted by `make faults`, which has the
machine for itself. In the suite it has to answer while there is still much to do."""
QUESTIONS = 500 if LONG else 50


async def _back(part: Part, tester: Caller, role: str) -> float:
    """Kill a role and start it again; seconds until it answers."""
    await part.end()
    began = time.monotonic()
    await part.start()
    await tester.ask(PING, role, Empty(), timeout=60.0)
    return time.monotonic() - began


async def _slowest(tester: Caller, role: str) -> tuple[float, float]:
    """Ask a good many times; seconds of the median and of the slowest answer."""
    taken = []
    for _ in range(QUESTIONS):
        began = time.monotonic()
        await tester.ask(PING, role, Empty(), timeout=60.0)
        taken.append(time.monotonic() - began)
    return sorted(taken)[QUESTIONS // 2], max(taken)


@pytest.mark.parametrize("role", ["settlement", "warehouse"])
async def test_a_role_with_very_many_open_orders_answers_after_a_kill(
    data: Path, tmp_path: Path, role: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody is there whom its open orders wait for."""
    open_orders(data, ORDERS)
    async with (
        running_broker(tmp_path / "broker") as broker,
        running_parts(data, broker.url) as parts,
        parts.tester() as tester,
    ):
        part = parts.node(role)
        seconds = [await _back(part, tester, role) for _ in range(3 if LONG else 1)]
        about = await tester.ask(ABOUT, role, Empty(), timeout=60.0)
        assert about.outbox > ORDERS // 3
        median, slowest = await _slowest(tester, role)
        about = await tester.ask(ABOUT, role, Empty(), timeout=60.0)
        assert about.outbox > ORDERS // 3
    with capsys.disabled():
        if LONG:
            told = ", ".join(f"{each:.2f}" for each in seconds)
            print(  # noqa: T201
                f"\n{role}, {ORDERS} open orders: answers {told} s after a kill,"
                f" then in {median * 1000:.1f} ms (median), {slowest * 1000:.0f} ms (slowest)"
            )
    if LONG:
        assert max(seconds) < PROMPT
        assert slowest < 1.0, "what is to be done keeps questions waiting"


async def test_questions_are_answered_while_a_long_backlog_is_worked_off(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Settlement comes back: the warehouse has a great many parcels to tell it of."""
    open_orders(data, ORDERS)
    async with AsyncExitStack() as stack:
        broker = await stack.enter_async_context(running_broker(tmp_path / "broker"))
        parts = await stack.enter_async_context(running_parts(data, broker.url, "warehouse"))
        tester = await stack.enter_async_context(parts.tester())
        began = time.monotonic()
        await parts.start("settlement")
        slowest = []
        left = ORDERS
        while left:
            for role in ("warehouse", "settlement"):
                asked = time.monotonic()
                about = await tester.ask(ABOUT, role, Empty(), timeout=60.0)
                slowest.append(time.monotonic() - asked)
                left = about.outbox if role == "warehouse" else left
            assert time.monotonic() - began < 60 + ORDERS / 200, f"{left} are left"
        taken = time.monotonic() - began
    with capsys.disabled():
        if LONG:
            print(  # noqa: T201
                f"\n{ORDERS // 2} parcels told of in {taken:.1f} s, {ORDERS / 2 / taken:.0f}/s;"
                f" meanwhile the slowest answer took {max(slowest):.2f} s"
            )
    if LONG:
        assert max(slowest) < PROMPT
