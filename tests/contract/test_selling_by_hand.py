"""A terminal of a few lines of firmware: nothing but `id` and `data`, over MQTT 3.1.1."""

from typing import Any

import pytest
from raw_client import RawClient, Received
from running_store import LABEL, PRICES, Store, eventually

SHOWN = {"shown": True}


def purchase(**changes: Any) -> dict[str, Any]:
    """The `data` of a purchase of one blue shirt."""
    return {
        "lines": [{"sku": "SHIRT-BLUE", "quantity": 1}],
        "payment": {"method": "account", "account": "C-1001"},
        "expected_total": {"amount": PRICES["SHIRT-BLUE"], "currency": "EUR"},
        **changes,
    }


async def asked_to_remind(raw: RawClient) -> Received:
    return await raw.expect(raw.topics.request("settlement", raw.name, "remind"))


async def answer_remind(raw: RawClient, **attributes: Any) -> None:
    await raw.publish(raw.topics.reply("settlement", raw.name, "remind"), attributes)


def state_of(store: Store, order: str) -> str:
    return str(store.value("settlement", "SELECT state FROM orders WHERE id = ?", order))


@pytest.mark.usefixtures("store")
async def test_a_message_of_id_and_data_scans_and_buys(raw: RawClient) -> None:
    found = await raw.request("catalog", "lookup", {"id": "1", "data": {"code": LABEL}})
    style = found.data["product"]["styles"][0]
    assert (found.data["scanned"], style["price"]["amount"]) == ("SHIRT-BLUE", 5900)

    receipt = await raw.request("settlement", "purchase", {"id": "2", "data": purchase()})
    assert receipt.data["state"] == "settled"
    assert receipt.document["correlationid"] == "2"

    reminder = await asked_to_remind(raw)
    assert reminder.data["order"] == receipt.data["order"]
    assert reminder.data["pickup_code"] == receipt.data["pickup_code"]


@pytest.mark.parametrize("by_correlation", [True, False], ids=["correlationid", "the-same-id"])
async def test_a_reminder_is_answered_by_hand_and_not_asked_again(
    store: Store, raw: RawClient, *, by_correlation: bool
) -> None:
    receipt = await raw.request("settlement", "purchase", {"id": "1", "data": purchase()})
    reminder = await asked_to_remind(raw)
    if by_correlation:
        await answer_remind(raw, id="a1", correlationid=reminder.document["id"], data=SHOWN)
    else:
        await answer_remind(raw, id=reminder.document["id"], data=SHOWN)
    order = receipt.data["order"]
    await eventually(lambda: state_of(store, order) == "reminded")
    await store.quiet()
    assert raw.seen(raw.topics.request("settlement", raw.name, "remind")) == []

    code = {"code": receipt.data["pickup_code"]}
    collected = await raw.request("settlement", "collect", {"id": "2", "data": code})
    assert collected.data == {"order": order, "state": "collected"}


async def test_a_reminder_that_is_not_answered_is_asked_again_with_the_same_id(
    store: Store, raw: RawClient
) -> None:
    await raw.request("settlement", "purchase", {"id": "1", "data": purchase()})
    first, second = await asked_to_remind(raw), await asked_to_remind(raw)
    assert first.payload == second.payload
    await answer_remind(raw, id=second.document["id"], data=SHOWN)
    await store.quiet()


async def test_a_problem_by_hand_needs_no_type(store: Store, raw: RawClient) -> None:
    """The device says that it cannot; the order stays ready for collecting."""
    receipt = await raw.request("settlement", "purchase", {"id": "1", "data": purchase()})
    reminder = await asked_to_remind(raw)
    problem = {
        "type": "about:blank",
        "title": "Off",
        "status": 503,
        "detail": "The screen is off.",
        "code": "unavailable",
    }
    await answer_remind(raw, id=reminder.document["id"], data=problem)
    await store.quiet()
    assert state_of(store, receipt.data["order"]) == "ready"


async def test_the_same_id_twice_gets_the_same_bytes_and_buys_once(
    store: Store, raw: RawClient
) -> None:
    message = {"id": "1", "data": purchase()}
    first = await raw.request("settlement", "purchase", message)
    second = await raw.request("settlement", "purchase", message)
    assert first.payload == second.payload
    await answer_remind(raw, id=(await asked_to_remind(raw)).document["id"], data=SHOWN)
    await store.quiet()
    assert store.value("settlement", "SELECT count(*) FROM orders") == 1
    assert store.balance("sales:EUR") == PRICES["SHIRT-BLUE"]


async def test_the_same_body_written_otherwise_is_the_same_message(
    store: Store, raw: RawClient
) -> None:
    first = await raw.request("settlement", "purchase", {"id": "1", "data": purchase()})
    turned = dict(reversed(purchase().items()))
    again = {"data": turned, "specversion": "1.0", "id": "1", "time": "2026-01-01T00:00:00Z"}
    assert (await raw.request("settlement", "purchase", again)).payload == first.payload
    assert store.value("settlement", "SELECT count(*) FROM orders") == 1


async def test_the_same_id_with_another_body_is_refused(store: Store, raw: RawClient) -> None:
    await raw.request("settlement", "purchase", {"id": "1", "data": purchase()})
    other = {"id": "1", "data": purchase(pickup_point="south")}
    problem = await raw.request("settlement", "purchase", other)
    assert problem.data["status"] == 409
    assert problem.data["code"] == "id-reused"
    assert store.value("settlement", "SELECT count(*) FROM orders") == 1
    original = await raw.request("settlement", "purchase", {"id": "1", "data": purchase()})
    assert original.data["state"] == "settled"


async def test_two_terminals_may_use_the_same_id(
    store: Store, raw: RawClient, open_raw: Any
) -> None:
    first = await raw.request("settlement", "purchase", {"id": "1", "data": purchase()})
    async with open_raw("terminal-8") as other:
        second = await other.request("settlement", "purchase", {"id": "1", "data": purchase()})
    assert first.data["order"] != second.data["order"]
    assert store.value("settlement", "SELECT count(*) FROM orders") == 2
