"""A purchase is kept before it is sent, and sent again with its id until it is really answered.

The test plays the store, whose answers can then be late, wrong and not for us.
"""

import itertools
from pathlib import Path
from typing import Any

import pytest
from device_process import MQTT_JS, TERMINALS, Example, device, host_and_port
from needs import ENGINE
from raw_client import RawClient, Received, raw_over_mqtt
from running_store import RunBroker

from broker.engine import Broker

CODE = "09506000134352"
FOUND: dict[str, Any] = {
    "product": {
        "id": "oxford-shirt",
        "name": "Oxford shirt",
        "styles": [
            {"sku": "S", "price": {"amount": 1, "currency": "EUR"}, "available": 1},
            {"sku": "M", "price": {"amount": 5900, "currency": "EUR"}, "available": 12},
        ],
    },
    "scanned": "M",
}
RECEIPT = {"order": "o-1", "state": "settled", "pickup_point": "north", "pickup_code": "123456"}
REMINDER = {"order": "o-1", "pickup_point": "north", "pickup_point_name": "North door"}
_numbers = itertools.count(1)


def start_arguments(example: Example, broker: Broker, name: str) -> tuple[str, ...]:
    if example == MQTT_JS:
        assert broker.websocket_url is not None
        return (broker.websocket_url, name)
    return (*host_and_port(broker.url_v311), name)


async def answer(raw: RawClient, request: Received, data: Any, **attributes: Any) -> None:
    """Reply as the store does, at a time of its own."""
    topic = request.topic.replace("/req/", "/rep/")
    identifier = request.document["id"]
    document = {"specversion": "1.0", "id": "s1", "correlationid": identifier, "data": data}
    document |= {"time": "2031-12-31T23:59:30.250Z"}
    await raw.publish(topic, document | attributes)


@pytest.mark.parametrize("example", TERMINALS, ids=lambda each: each.folder)
async def test_a_purchase_has_one_id_until_it_is_answered_whatever_happens(
    run_broker: RunBroker, example: Example, tmp_path: Path
) -> None:
    example.require()
    broker = run_broker(ENGINE)
    name = f"terminal-{example.folder}-{next(_numbers)}"
    async with (
        raw_over_mqtt(broker.url, "main", "tester-store", 30.0) as raw,
        device(example, tmp_path / "it", *start_arguments(example, broker, name)) as terminal,
    ):
        await terminal.start(CODE)
        scan = await raw.expect(raw.topics.request(name, "catalog", "lookup"))
        assert scan.data == {"code": CODE}
        await answer(raw, scan, FOUND)
        assert await terminal.line() == "scanned M 5900 EUR, 12 left"

        first = await purchase_of(raw, name)
        assert first.data == {
            "lines": [{"sku": "M", "quantity": 1}],
            "payment": {"method": "account", "account": "C-1001"},
            "expected_total": {"amount": 5900, "currency": "EUR"},
        }
        # A minute by the store's clock, whatever the terminal's own says.
        assert first.document["expirytime"].startswith("2032-01-01T00:00:30")
        await answer(raw, first, RECEIPT, correlationid="another")
        await answer(raw, first, {})
        busy = {"type": "about:blank", "title": "Busy", "status": 429, "detail": "Wait."}
        await answer(raw, first, busy | {"code": "busy", "retryable": True})
        assert (await purchase_of(raw, name)).document == first.document
        await terminal.kill()

        await terminal.start()
        again = await purchase_of(raw, name)
        assert again.document == first.document
        for _ in range(2):
            await answer(raw, again, RECEIPT)
        assert await terminal.line() == "bought o-1 pickup code 123456"
        await remind(raw, name)
        assert await terminal.line() == "remind o-1 North door 123456"  # and nothing before


async def purchase_of(raw: RawClient, name: str) -> Received:
    return await raw.expect(raw.topics.request(name, "settlement", "purchase"))


async def remind(raw: RawClient, name: str) -> None:
    data = REMINDER | {"pickup_code": "123456"}
    await raw.publish(raw.topics.request("settlement", name, "remind"), {"id": "r-1", "data": data})
