"""What the fake store sells and usually replies: one product, one label, two pickup points."""

from typing import Any

from bus.contract.warehouse import PickupPoint, PickupPoints
from bus.runtime.environment import Environment

SKU, GTIN = "CERTIFY-1", "09506000134352"
LABEL = f"https://shop.example/01/{GTIN}"
PRICE = {"amount": 4217, "currency": "EUR"}
POINTS = PickupPoints(
    points=[PickupPoint(id="north", name="North door"), PickupPoint(id="south", name="South")],
    default="north",
)
PRODUCT: dict[str, Any] = {
    "id": "certify",
    "name": "What certify sells",
    "description": "There is always enough of it.",
    "url": LABEL,
    "styles": [
        {"sku": SKU, "gtin": GTIN, "attributes": {}, "price": PRICE, "available": 1000},
    ],
}
UNKNOWN = {"certify": "a field of a later version", "certifytoo": {"list": [1, {"of": None}]}}
"""Fields that no device knows."""


def usual_reply(callee: str, name: str, data: dict[str, Any], environment: Environment) -> Any:
    """The reply of a store that works; None for an operation that it does not have."""
    job, order = data.get("job"), data.get("order")
    answers: dict[tuple[str, str], Any] = {
        ("catalog", "lookup"): {"product": PRODUCT, "scanned": SKU},
        ("catalog", "search"): {"products": [PRODUCT]},
        ("warehouse", "pickup-points"): POINTS,
        ("warehouse", "packed"): {"job": job},
        ("warehouse", "fault"): {"job": job},
        ("warehouse", "short-pick"): {"job": job, "picks": []},
        ("settlement", "collect"): {"order": "o-certify", "state": "collected"},
        ("settlement", "cancel"): {"order": order, "state": "cancelled"},
    }
    if (callee, name) == ("settlement", "purchase"):
        return receipt(data, environment)
    if name == "ping":
        return {"node": callee, "boot": environment.boot, "version": "certify"}
    return answers.get((callee, name))


def receipt(purchase: dict[str, Any], environment: Environment) -> dict[str, Any]:
    """The reply to a purchase that is paid."""
    lines = purchase.get("lines")
    payment = purchase.get("payment")
    method = payment.get("method") if isinstance(payment, dict) else None
    return {
        "order": environment.reference("o-"),
        "state": "settled",
        "lines": [
            {**line, "price": PRICE}
            for line in (lines if isinstance(lines, list) else [])
            if isinstance(line, dict)
        ],
        "total": purchase.get("expected_total"),
        "payment": {"method": method, "reference": environment.reference("pay-")},
        "pickup_point": purchase.get("pickup_point") or POINTS.default,
        "pickup_code": environment.digits(6),
    }
