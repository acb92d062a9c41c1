"""What the simulated store sells, where it lies and who pays: the same in every simulation."""

from typing import Any

from bus.contract.catalog import Upsert
from bus.contract.settlement import Deposit
from bus.contract.values import Money
from bus.contract.warehouse import PickupPoint, PickupPoints, Receive

SITE = "simulated"
LABEL = "https://shop.example/01/09506000134352"
POINTS = PickupPoints(
    points=[PickupPoint(id="north", name="North door"), PickupPoint(id="south", name="South")],
    default="north",
)
LOCATIONS = ("A-01-1", "A-02-1", "B-01-1")
PRICES = {"SHIRT-BLUE": 5900, "SHIRT-RED": 5900, "MUG": 1250, "SCARF": 2999}
"""In cents."""
_SHELVES = (
    ("SHIRT-BLUE", "A-01-1", 12),
    ("SHIRT-BLUE", "A-02-1", 8),
    ("SHIRT-RED", "A-01-1", 4),
    ("MUG", "A-02-1", 5),
    ("MUG", "B-01-1", 9),
    ("SCARF", "B-01-1", 3),
)
SCARCE = ("SHIRT-RED", "SCARF")
"""Everybody wants them."""
BALANCES = {"C-1001": 1_000_000, "C-1002": 100, "C-1003": 15_000}
"""Of the accounts, in cents; the second is poor, the third soon is."""
STOCK = {sku: sum(n for each, _, n in _SHELVES if each == sku) for sku in PRICES}


def _style(sku: str, gtin: str) -> dict[str, Any]:
    return {"sku": sku, "gtin": gtin, "price": {"amount": PRICES[sku], "currency": "EUR"}}


PRODUCTS = Upsert.model_validate(
    {
        "products": [
            {
                "id": "shirt",
                "name": "Oxford shirt",
                "url": LABEL,
                "styles": [
                    _style("SHIRT-BLUE", "09506000134352"),
                    _style("SHIRT-RED", "09506000134369"),
                ],
            },
            {
                "id": "mug",
                "name": "Mug",
                "url": "https://shop.example/mug",
                "styles": [_style("MUG", "00000040170725")],
            },
            {
                "id": "scarf",
                "name": "Scarf",
                "url": "https://shop.example/scarf",
                "styles": [_style("SCARF", "09506000134376")],
            },
        ]
    }
)
GOODS_RECEIPTS = tuple(
    Receive(sku=sku, location=location, quantity=quantity) for sku, location, quantity in _SHELVES
)
DEPOSITS = tuple(
    Deposit(account=account, name="Ann", amount=Money(amount=cents, currency="EUR"))
    for account, cents in BALANCES.items()
)
