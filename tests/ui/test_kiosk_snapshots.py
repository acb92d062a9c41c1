"""Each page of the kiosk as it was accepted: at 80x24 in the dark, some larger in the present.

What is drawn better on purpose is accepted with `--snapshot-update`.
"""

from collections.abc import Callable
from typing import Any

import pytest
from running_store import POINTS, PRODUCTS
from textual.pilot import Pilot
from textual.widgets import Input

from bus.contract.catalog import Product
from bus.contract.settlement import OrderState, OrderSummary, Receipt
from bus.contract.sorter import JobState
from bus.contract.terminal import Remind
from bus.contract.values import Money
from bus.text.sentence import Sentence
from devices.terminal.kiosk.app import DARK, LIGHT, Kiosk
from devices.terminal.kiosk.controller import KioskController
from devices.terminal.kiosk.customer_session import Page

_SINCE = "2026-11-22T09:10:11.123Z"
_RECEIPT = Receipt.model_validate(
    {
        "order": "o-7sm2rt07es",
        "state": "settled",
        "lines": [
            {"sku": "SHIRT-BLUE", "quantity": 2, "price": {"amount": 5900, "currency": "EUR"}}
        ],
        "total": {"amount": 11_800, "currency": "EUR"},
        "payment": {"method": "account", "reference": "o-7sm2rt07es.charge"},
        "pickup_point": "north",
        "pickup_code": "482913",
        "at": "2026-11-29T13:05:00Z",
        "seller": {
            "name": "Sample Store",
            "address": "1 High Street",
            "tax_number": "GB 123456789",
        },
    }
)


def products(**left: int) -> list[Product]:
    """The products of the tests' store, with so many of each style left."""
    found = []
    for record in PRODUCTS.products:
        styles = [
            {
                **style.model_dump(),
                "available": left.get(style.sku.replace("-", "_"), 12),
                "tax_rate": 2000,
            }
            for style in record.styles
        ]
        described = {"description": "", **record.model_dump(), "styles": styles}
        found.append(Product.model_validate(described))
    return found


def controller(page: Page, language: str) -> KioskController:
    """Somebody has come as far as a page."""
    made = KioskController("terminal-7", None, language)
    made.points = POINTS
    session = made.session
    shirt, mug = products(SHIRT_RED=0)
    if page in ("product", "cart", "pickup", "pay", "receipt"):
        session.look(shirt, "SHIRT-BLUE")
        session.change(1)
        session.put()
    if page in ("cart", "pickup", "pay"):
        session.look(mug, None)
        session.put()
    if page == "cart":
        session.level({"MUG": 0})
        session.note = session.cart.trouble
    if page == "receipt":
        session.paid(_RECEIPT, session.cart.items)
    if page == "orders":
        states: dict[str, OrderState] = {"o-1": "reminded", "o-7sm2rt07es": "settled"}
        made.orders.fill(
            OrderSummary(
                order=order, state=state, terminal="terminal-7", pickup_point="north",
                total=Money(amount=1, currency="EUR"), since=_SINCE,
            )
            for order, state in states.items()
        )  # fmt: skip
        made.orders.job(
            "sorter-1",
            JobState(step="conveying", job="j-1", order="o-7sm2rt07es", since=_SINCE),
        )
    if page == "collect":
        session.note = Sentence("There is no parcel for this code. Tries left: {count}", count=3)
    session.page = page
    return made


async def settled(pilot: Pilot[Any]) -> None:
    """Wait until it is drawn, and let no cursor blink."""
    await pilot.pause()
    for field in pilot.app.query(Input):
        field.cursor_blink = False
    await pilot.pause()


@pytest.mark.parametrize(
    "page", ["start", "product", "cart", "pickup", "pay", "receipt", "orders", "collect"]
)
def test_a_page_at_80x24(snap_compare: Callable[..., bool], page: Page) -> None:
    kiosk = Kiosk(controller(page, "en"), clock=lambda: 0.0, live=False)
    assert kiosk.theme == DARK
    assert snap_compare(kiosk, terminal_size=(80, 24), run_before=settled)


@pytest.mark.parametrize(("page", "language"), [("product", "zh_Hant"), ("receipt", "zh_Hans")])
def test_a_larger_page_in_the_light_in_chinese(
    snap_compare: Callable[..., bool], page: Page, language: str
) -> None:
    kiosk = Kiosk(controller(page, language), clock=lambda: 0.0, live=False)
    kiosk.theme = LIGHT
    assert snap_compare(kiosk, terminal_size=(110, 32), run_before=settled)


def test_a_reminder_fills_the_screen(snap_compare: Callable[..., bool]) -> None:
    made = controller("start", "en")
    for order in ("o-7sm2rt07es", "o-2"):
        made.reminders.add(
            Remind(
                order=order, pickup_point="north", pickup_point_name="North door",
                pickup_code="482913",
            )
        )  # fmt: skip
    kiosk = Kiosk(made, clock=lambda: 0.0, live=False)
    assert snap_compare(kiosk, terminal_size=(80, 24), run_before=settled)
