"""Scenario: every node dies, again and again, at the very same step of handling a message."""

import asyncio
import random
from pathlib import Path

import pytest
from aftermath import assert_nothing_is_wrong
from buying_terminal import SERVED
from customers import customers_at
from killing_node import STEPS
from parts import HERE, LONG, NODES, Part, eventually, running_broker, running_parts

ORDERS = 60 if LONG else 12
TERMINAL_ORDERS = 10 if LONG else 3
DEATHS = 6 if LONG else 1


async def _die_and_rise(part: Part, counts: list[int]) -> None:
    """A life for each count, which ends by the node's own hand; then one that lasts."""
    python, killer, number, step, _, program, *arguments = part.command
    for count in counts:
        part.command = (python, killer, number, step, str(count), program, *arguments)
        await part.start()
        assert await part.ended() == -9, part.log.read_text()
    lasting = ("-P", "-m", program) if program == "cli" else (program,)
    part.command = (python, *lasting, *arguments)
    await part.start()


@pytest.mark.parametrize("step", STEPS if LONG else ("decided", "committed"))
async def test_all_nodes_die_when_a_message_is(data: Path, tmp_path: Path, step: str) -> None:
    chance = random.Random(step)
    suicidal = (str(HERE / "killing_node.py"), "SIGKILL", step, "0")
    async with (
        running_broker(tmp_path / "broker") as broker,
        running_parts(data, broker.url, "catalog") as parts,
        customers_at(data, broker.url) as customers,
    ):
        await parts["catalog"].end()
        for name in NODES:
            parts.node(name, *suicidal, "cli")
        buying = (str(HERE / "buying_terminal.py"), "terminal-9", broker.url, str(data))
        terminal = parts.add("terminal-9", *suicidal, *buying, str(TERMINAL_ORDERS))
        lives = [
            asyncio.create_task(
                _die_and_rise(part, [chance.randint(1, 2 if part is terminal else 6)] * DEATHS)
            )
            for part in parts.all.values()
        ]
        try:
            await customers.come(ORDERS, 0.05)
            await asyncio.gather(*lives)
        finally:
            for life in lives:
                life.cancel()

        await customers.all_served()
        await eventually(lambda: terminal.said(SERVED), "the end of terminal-9's purchases")
        await parts.quiet()
        await parts.stop()
    assert_nothing_is_wrong(data)
