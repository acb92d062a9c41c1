"""Orders and pickup points for settlement's tests."""

from typing import Any

from bus.contract.catalog import PricedLine
from bus.contract.values import Money
from bus.contract.warehouse import PickupPoint, PickupPoints
from nodes.settlement.order import Entered, Order

POINTS = PickupPoints(
    points=[PickupPoint(id="north", name="North door"), PickupPoint(id="south", name="South door")],
    default="north",
)


def priced(sku: str, quantity: int, amount: int) -> PricedLine:
    """A line at a price in euros."""
    return PricedLine.model_validate(
        {"sku": sku, "quantity": quantity, "price": {"amount": amount, "currency": "EUR"}}
    )


def order(*, expected: int = 11_800, currency: str = "EUR", **more: Any) -> Order:
    """An order of two shirts that has just entered its state."""
    fields: dict[str, Any] = {
        "id": "o-1",
        "terminal": "terminal-1",
        "request": "m-1",
        "state": "reserving",
        "since": 1,
        "lines": (priced("SHIRT", 2, 5900),),
        "expected": Money(amount=expected, currency=currency),
        "payment": {"method": "account", "account": "C-1001"},
        "pickup_point": "north",
        "pickup_code": "482913",
    }
    fields |= more
    entered = Entered(fields["state"], fields["since"], fields.get("reason"))
    return Order(**{"entered": (entered,), **fields})
