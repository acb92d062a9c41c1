"""Keeps open pages up to date by server-sent events: parts of a page, made anew when a bell rings.

What an open page shows is asked for at its beginning and every now and then; a lost event costs
time, never truth.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from bus.contract.errors import Problem
from devices.terminal.web.orders import look, progress_part
from devices.terminal.web.products import stock_part
from devices.terminal.web.session import Visitor
from devices.terminal.web.site import Site

_BEAT = b"event: beat\ndata:\n\n"
"""Says that the connection is alive: a script hears no comments, and no silence."""
_GATHER = 0.05
"""Seconds in which further bells ring for the same look."""

Parts = Callable[[], Awaitable[dict[str, str]]]


class Streams:
    """How many pages are open."""

    def __init__(self) -> None:
        self.count = 0
        self.by_client: Counter[str] = Counter()


async def live(site: Site, request: Request, visitor: Visitor) -> Response:
    """The stream of one open page: of a product, of a purchase, of an order, or of any other."""
    streams: Streams = request.app.state.streams
    settings = site.settings
    if (
        streams.count >= settings.streams
        or streams.by_client[visitor.client] >= settings.streams_per_client
    ):
        raise HTTPException(503)
    keys, parts = await _subject(site, request, visitor)
    keys = [f"session {visitor.session}", *keys]

    async def counted() -> AsyncIterator[bytes]:
        streams.count += 1
        streams.by_client[visitor.client] += 1
        try:
            async for each in _events(site, visitor, keys, parts):
                yield each
        finally:
            streams.count -= 1
            streams.by_client[visitor.client] -= 1
            if not streams.by_client[visitor.client]:
                del streams.by_client[visitor.client]

    headers = {"x-accel-buffering": "no"}
    return StreamingResponse(counted(), media_type="text/event-stream", headers=headers)


async def _subject(site: Site, request: Request, visitor: Visitor) -> tuple[Iterable[str], Parts]:
    """What a page is about: the bells to listen for, and its parts."""
    asked = request.query_params
    if "gtin" in asked:
        return await _product(site, visitor, asked["gtin"])
    if "order" in asked:
        return _order(site, visitor, asked["order"])
    if "purchase" in asked:
        return _purchase(site, visitor, asked["purchase"], asked.get("shown", "sent"))

    async def nothing() -> dict[str, str]:
        return {}

    return (), nothing


async def _product(site: Site, visitor: Visitor, gtin: str) -> tuple[Iterable[str], Parts]:
    product = (await site.look_up(gtin[:14] or "0")).product
    looked = asyncio.get_running_loop().time()

    async def parts() -> dict[str, str]:
        nonlocal product, looked
        now = asyncio.get_running_loop().time()
        if now - looked >= site.settings.heartbeat:
            looked = now
            try:
                product = (await site.look_up(gtin)).product
            except Problem:
                return {}  # it is shown again when the store answers
        shown = site.hearing.with_levels(product)
        return {f"stock-{style.gtin}": stock_part(visitor, style) for style in shown.styles}

    return [f"sku {style.sku}" for style in product.styles], parts


def _order(site: Site, visitor: Visitor, order: str) -> tuple[Iterable[str], Parts]:
    if site.customers.order(visitor.session, order) is None:
        raise HTTPException(404)

    async def parts() -> dict[str, str]:
        kept = site.customers.order(visitor.session, order)
        if kept is None:
            return {}  # it was long ago
        return {"progress": progress_part(site, visitor, kept, await look(site, order))}

    return [order], parts


def _purchase(site: Site, visitor: Visitor, token: str, shown: str) -> tuple[Iterable[str], Parts]:
    """The page moves on as soon as more is known of a purchase than it shows."""
    identifier = site.customers.bought(visitor.session, token)
    if identifier is None:
        raise HTTPException(404)

    async def parts() -> dict[str, str]:
        state = site.customers.state_of(identifier)
        return {} if state in ("sent", shown) else {"": f"/purchase/{token}"}

    return [identifier], parts


async def _events(
    site: Site, visitor: Visitor, keys: Iterable[str], parts: Parts
) -> AsyncIterator[bytes]:
    sent: dict[str, str] = {}
    with site.hearing.bell(["close", *keys]) as bell:
        while not site.closing.is_set():
            bell.clear()
            pieces = site.customers.cart(visitor.session).pieces
            shown = {"banner": site.banner(visitor), "pieces": str(pieces or "")}
            shown |= await parts()
            changed = {name: html for name, html in shown.items() if sent.get(name) != html}
            sent |= changed
            yield b"".join(_event(*each) for each in changed.items()) + _BEAT
            try:
                async with asyncio.timeout(site.settings.heartbeat):
                    await bell.wait()
                await asyncio.sleep(_GATHER)
            except TimeoutError:
                pass


def _event(identifier: str, html: str) -> bytes:
    """A part of the page, or where it goes from here."""
    if not identifier:
        return f"event: go\ndata: {json.dumps(html)}\n\n".encode()
    data = json.dumps({"id": identifier, "html": html}, ensure_ascii=False)
    return f"event: part\ndata: {data}\n\n".encode()
