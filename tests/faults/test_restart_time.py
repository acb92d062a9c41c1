"""Scenario: a role is killed with a great many open orders, and is asked as soon as it is back."""

import time
from pathlib import Path

import pytest
from open_orders import open_orders
from parts import LONG, running_broker, running_parts

from bus.contract.every import ABOUT, PING
from bus.contract.values import Empty

ORDERS = 100_000 if LONG else 5_000
PATIENCE = 60.0


@pytest.mark.parametrize("role", ["settlement", "warehouse"])
async def test_a_role_with_very_many_open_orders_answers_after_a_kill(
    data: Path, tmp_path: Path, role: str, capsys: pytest.CaptureFixture[str]
) -> None:
    open_orders(data, ORDERS)
    async with (
        running_broker(tmp_path / "broker") as broker,
        running_parts(data, broker.url) as parts,
        parts.tester() as tester,
    ):
        part = parts.node(role)
        seconds = []
        for _ in range(2 if LONG else 1):
            began = time.monotonic()
            await part.start()
            await tester.ask(PING, role, Empty(), timeout=PATIENCE)
            seconds.append(time.monotonic() - began)
            began = time.monotonic()
            about = await tester.ask(ABOUT, role, Empty(), timeout=PATIENCE)
            seconds.append(time.monotonic() - began)
            assert about.outbox > ORDERS // 3
            await part.end()
    with capsys.disabled():
        if LONG:
            told = ", ".join(f"{each:.2f}" for each in seconds)
            print(f"\n{role}, {ORDERS} open orders: ping and next question after {told} s")  # noqa: T201
