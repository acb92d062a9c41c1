"""The pages of an order: its progress, its reminder, and its sales receipt."""

import asyncio
import io

import segno
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from bus.contract.errors import Problem
from bus.contract.settlement import ORDER, OrderQuery, OrderView
from devices.terminal.sales_receipt import (
    SalesReceipt,
    as_pdf,
    as_text,
    is_printable,
    sales_receipt,
)
from devices.terminal.web import domain
from devices.terminal.web.rendering import render
from devices.terminal.web.session import BrowserSession
from devices.terminal.web.site import Site, see_other
from devices.terminal.web.store import Kept
from devices.terminal.web.words import state_in_words

OVER = frozenset({"collected", "cancelled", "expired", "refused", "declined"})
"""The final states."""


async def order(site: Site, request: Request, session: BrowserSession) -> Response:
    """An order of this browser."""
    kept = _own(site, request, session)
    assert kept.bought.receipt is not None
    view = await look(site, kept.bought.receipt.order)
    return site.page(
        session,
        "order.html",
        over=view is not None and view.state in OVER,
        is_ready=kept.reminder is not None,
        receipt=kept.bought.receipt,
        cart=kept.cart,
        point=point_name(site, kept),
        progress=progress_part(site, session, kept, view),
    )


async def look(site: Site, identifier: str) -> OrderView | None:
    """Settlement's view of an order; None if it does not answer."""
    try:
        view: OrderView = await site.ask(ORDER, OrderQuery(order=identifier))
    except Problem:
        return None
    return view


def progress_part(site: Site, session: BrowserSession, kept: Kept, view: OrderView | None) -> str:
    """The progress of an order, as a part of its page."""
    assert kept.bought.receipt is not None
    say = site.say(session)
    identifier = kept.bought.receipt.order
    names = {line.sku: line.name for line in kept.cart.lines}
    missing = (
        [(line.quantity, names.get(line.sku, line.sku)) for line in view.missing] if view else []
    )
    return render(
        "part_progress.html",
        session.language,
        state=view.state if view else "",
        sentence=state_in_words(say, view.state)
        if view
        else say("The store does not answer at the moment; your order is safe."),
        done=domain.progress(view.state, site.notifier.job(identifier)) if view else None,
        missing=missing,
        refunded=view.refunded if view else 0,
        currency=kept.bought.receipt.total.currency,
    )


async def noted(
    site: Site, request: Request, session: BrowserSession, _: dict[str, str]
) -> Response:
    """Dismiss a reminder."""
    kept = _own(site, request, session)
    assert kept.bought.receipt is not None
    await site.customers.note(session.id, kept.bought.receipt.order)
    return see_other(f"/order/{kept.bought.receipt.order}")


async def receipt(site: Site, request: Request, session: BrowserSession) -> Response:
    """The sales receipt as a page."""
    kept = _own(site, request, session)
    document = _sales_receipt(site, session, kept)
    return site.page(
        session,
        "receipt.html",
        document=document,
        receipt=kept.bought.receipt,
        is_printable=is_printable(document),
    )


async def receipt_text(site: Site, request: Request, session: BrowserSession) -> Response:
    """The sales receipt as plain text."""
    document = _sales_receipt(site, session, _own(site, request, session))
    return _file(as_text(document).encode(), "text/plain", "txt")


async def receipt_pdf(site: Site, request: Request, session: BrowserSession) -> Response:
    """The sales receipt as a PDF; as plain text if the font lacks a character."""
    async with site.printing:
        document = _sales_receipt(site, session, _own(site, request, session))
        if not is_printable(document):
            return await receipt_text(site, request, session)
        printed = await asyncio.to_thread(as_pdf, document)
    return _file(printed, "application/pdf", "pdf")


async def collection_code(site: Site, request: Request, session: BrowserSession) -> Response:
    """The pickup code as a QR code, to be held to a kiosk's scanner."""
    kept = _own(site, request, session)
    assert kept.bought.receipt is not None
    file = io.BytesIO()
    symbol = segno.make(kept.bought.receipt.pickup_code, error="m", micro=False)
    symbol.save(file, kind="svg", scale=8, border=4, light="white", xmldecl=False)
    return Response(file.getvalue(), media_type="image/svg+xml")


def _sales_receipt(site: Site, session: BrowserSession, kept: Kept) -> SalesReceipt:
    """The sales receipt of a purchase."""
    paid = kept.bought.receipt
    assert paid is not None
    lines = domain.receipt_lines(paid.lines, kept.cart)
    return sales_receipt(session.language, site.shop, paid, lines, point_name(site, kept))


def _file(content: bytes, kind: str, suffix: str) -> Response:
    headers = {"content-disposition": f'attachment; filename="receipt.{suffix}"'}
    return Response(content, headers=headers, media_type=kind)


def point_name(site: Site, kept: Kept) -> str:
    """The name of the pickup point."""
    if kept.reminder is not None:
        return kept.reminder.pickup_point_name
    assert kept.bought.receipt is not None
    return site.notifier.point_name(kept.bought.receipt.pickup_point)


def _own(site: Site, request: Request, session: BrowserSession) -> Kept:
    """An order of this browser.

    Raises:
        HTTPException: 404, there is none, or it is another's.
    """
    kept = site.customers.order(session.id, request.path_params["order"][:64])
    if kept is None:
        raise HTTPException(404)
    return kept
