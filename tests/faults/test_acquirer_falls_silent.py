"""Scenario: the acquirer takes the money and never says so, and settlement dies meanwhile."""

import json
from pathlib import Path

from aftermath import assert_nothing_is_wrong
from customers import customers_at
from parts import LONG, NODES, eventually, running_broker, running_parts

from bus.contract.settlement import CardPayment

ROUNDS = 10 if LONG else 1
ORDERS = 3
"""In each round."""


def _captures(log: Path) -> list[str]:
    entries = [json.loads(line) for line in log.read_text().splitlines()]
    return [entry["key"] for entry in entries if entry["kind"] == "capture"]


async def test_a_capture_without_an_answer_is_asked_for_until_known(
    data: Path, tmp_path: Path
) -> None:
    async with (
        running_broker(tmp_path / "broker") as broker,
        running_parts(data, broker.url, *NODES) as parts,
        customers_at(data, broker.url) as customers,
    ):
        log = data / "acquirer.jsonl"
        for number in range(ROUNDS):
            for each in range(number * ORDERS, (number + 1) * ORDERS):
                await customers.buy(each, CardPayment(method="card", token=f"tok_timeout_{each}"))
            await eventually(
                lambda: len(_captures(log)) == len(customers.begun),
                "the captures of this round",
            )
            await parts["settlement"].end()
            await parts["settlement"].start()

        await customers.all_served()
        await parts.quiet()
        await parts.stop()
    captures = _captures(log)
    assert len(captures) == len(set(captures)) == ROUNDS * ORDERS
    assert_nothing_is_wrong(data)
