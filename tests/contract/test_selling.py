"""From the label to the collected parcel, over every transport."""

from raw_client import RawClient
from store import LABEL, Store


async def test_a_customer_scans_buys_is_reminded_once_and_collects(store: Store) -> None:
    terminal = store.terminals["terminal-1"]
    found = await terminal.scan(LABEL)
    assert found.scanned == "SHIRT-BLUE"
    assert {style.sku: style.available for style in found.product.styles} == {
        "SHIRT-BLUE": 50,
        "SHIRT-RED": 2,
    }
    receipt = await store.buy({"SHIRT-BLUE": 2}, point="south")
    reminder = await store.reminded(receipt.order)
    assert receipt.total.amount == 11_800
