"""Other people's tools read and write our messages: the CloudEvents project's own Python SDK."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from judge import Judge
from raw_client import RawClient
from running_store import Store

from bus.contract.envelope import Reading
from bus.contract.timestamp import milliseconds, rfc3339
from bus.history.recording import Recorded, read_recording

RECORDED = Path(__file__).parents[1] / "ui" / "recorded.jsonl"
OURS = ("correlationid", "causationid", "traceparent", "orderid", "expirytime", "expiresin")
FORMAT = JSONFormat()
ASKED = {
    "source": "/main/terminal-9",
    "datacontenttype": "application/json",
    "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
}


def recorded() -> list[bytes]:
    """Every payload of a day that was recorded."""
    return [
        entry.message.payload for entry in read_recording(RECORDED) if isinstance(entry, Recorded)
    ]


def _same_time(event: Any) -> Any:
    """The SDK writes microseconds where we write milliseconds."""
    return {**event, "time": milliseconds(event["time"])}


def test_the_sdk_reads_every_recorded_message() -> None:
    for payload in recorded():
        document = json.loads(payload)
        event = FORMAT.read(CloudEvent, payload)
        assert (event.get_id(), event.get_type()) == (document["id"], document["type"])
        assert event.get_source() == document["source"]
        time = event.get_time()
        assert time is not None
        assert rfc3339(round(time.timestamp() * 1000)) == document["time"]
        assert event.get_data() == document["data"]
        for name in OURS:
            assert event.get_extension(name) == document.get(name)


def test_what_the_sdk_writes_of_a_recorded_message_says_the_same() -> None:
    for payload in recorded():
        written = FORMAT.write(FORMAT.read(CloudEvent, payload))
        assert _same_time(json.loads(written)) == _same_time(json.loads(payload))
        said = [replace(Reading(each).envelope(), time=None) for each in (written, payload)]
        assert said[0] == said[1]


async def test_a_store_answers_and_sells_what_the_sdk_asks_for(
    store: Store, raw: RawClient, judge: Judge
) -> None:
    asked = CloudEvent(
        {**ASKED, "id": "sdk-1", "type": "storebus.catalog.search.request"},
        {"text": "shirt", "limit": 1},
    )
    answered = await raw.request("catalog", "search", FORMAT.write(asked))
    event = FORMAT.read(CloudEvent, answered.payload)
    assert event.get_type() == "storebus.catalog.search.reply"
    assert event.get_extension("correlationid") == "sdk-1"
    assert event.get_extension("traceparent").startswith(ASKED["traceparent"][:35])
    data = event.get_data()
    assert isinstance(data, dict)
    assert [product["id"] for product in data["products"]] == ["shirt"]

    purchase = FORMAT.write(
        CloudEvent(
            {**ASKED, "id": "sdk-2", "type": "storebus.settlement.purchase.request"},
            {
                "lines": [{"sku": "MUG", "quantity": 1}],
                "payment": {"method": "account", "account": "C-1001"},
                "expected_total": {"amount": 1250, "currency": "EUR"},
            },
        )
    )
    first = await raw.request("settlement", "purchase", purchase)
    again = await raw.request("settlement", "purchase", purchase)
    assert first.payload == again.payload
    receipt = FORMAT.read(CloudEvent, first.payload)
    assert receipt.get_type() == "storebus.settlement.purchase.reply"
    remind = await raw.expect(raw.topics.request("settlement", raw.name, "remind"))
    reminder = FORMAT.read(CloudEvent, remind.payload)
    shown = CloudEvent(
        {**ASKED, "id": reminder.get_id(), "type": "storebus.terminal.remind.reply"},
        {"shown": True},
    )
    await raw.publish(raw.topics.reply("settlement", raw.name, "remind"), FORMAT.write(shown))
    await store.quiet()
    assert store.value("settlement", "SELECT count(*) FROM orders") == 1
    assert judge.kinds >= {
        "catalog.search.reply",
        "settlement.purchase.reply",
        "settlement.order-changed.event",
        "sorter.pick.request",
        "sorter.job.state",
        "every.presence.state",
    }
