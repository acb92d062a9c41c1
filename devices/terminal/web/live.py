"""Keeps open pages up to date by server-sent events: parts of a page, rendered anew on changes.

A page asks the store when its stream begins and again at intervals, so that a lost event delays
it and never leaves it wrong.
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
from devices.terminal.web.session import BrowserSession
from devices.terminal.web.site import Site

_BEAT = b"event: beat\ndata:\n\n"
"""A heartbeat as an event: scripts do not see comments of the stream."""
_GATHER = 0.05
"""Seconds in which further changes are gathered into one update."""

Parts = Callable[[], Awaitable[dict[str, str]]]


class Streams:
    """Counts the streams of open pages."""

    def __init__(self) -> None:
        self.count = 0
        self.by_client: Counter[str] = Counter()


async def live(site: Site, request: Request, session: BrowserSession) -> Response:
    """The stream of one open page: of a product, of a purchase, of an order, or of any other."""
    streams: Streams = request.app.state.streams
    settings = site.settings
    if (
        streams.count >= settings.streams
        or streams.by_client[session.client] >= settings.streams_per_client
    ):
        raise HTTPException(503)
    keys, parts = await _subject(site, request, session)
    keys = [f"session {session.id}", *keys]

    async def counted() -> AsyncIterator[bytes]:
        streams.count += 1
        streams.by_client[session.client] += 1
        try:
            async for each in _events(site, session, keys, parts):
                yield each
        finally:
            streams.count -= 1
            streams.by_client[session.client] -= 1
            if not streams.by_client[session.client]:
                del streams.by_client[session.client]

    headers = {"x-accel-buffering": "no"}
    return StreamingResponse(counted(), media_type="text/event-stream", headers=headers)


async def _subject(
    site: Site, request: Request, session: BrowserSession
) -> tuple[Iterable[str], Parts]:
    """The keys to subscribe to for a page, and what renders its parts."""
    asked = request.query_params
    if "gtin" in asked:
        return await _product(site, session, asked["gtin"])
    if "order" in asked:
        return _order(site, session, asked["order"])
    if "purchase" in asked:
        return _purchase(site, session, asked["purchase"], asked.get("shown", "sent"))

    async def nothing() -> dict[str, str]:
        return {}

    return (), nothing


async def _product(site: Site, session: BrowserSession, gtin: str) -> tuple[Iterable[str], Parts]:
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
        shown = site.notifier.with_levels(product)
        return {f"stock-{style.gtin}": stock_part(session, style) for style in shown.styles}

    return [f"sku {style.sku}" for style in product.styles], parts


def _order(site: Site, session: BrowserSession, order: str) -> tuple[Iterable[str], Parts]:
    if site.customers.order(session.id, order) is None:
        raise HTTPException(404)

    async def parts() -> dict[str, str]:
        kept = site.customers.order(session.id, order)
        if kept is None:
            return {}  # it was forgotten
        return {"progress": progress_part(site, session, kept, await look(site, order))}

    return [order], parts


def _purchase(
    site: Site, session: BrowserSession, token: str, shown: str
) -> tuple[Iterable[str], Parts]:
    """A page that goes on to the next one as soon as the purchase has another state."""
    identifier = site.customers.bought(session.id, token)
    if identifier is None:
        raise HTTPException(404)

    async def parts() -> dict[str, str]:
        state = site.customers.state_of(identifier)
        return {} if state in ("sent", shown) else {"": f"/purchase/{token}"}

    return [identifier], parts


async def _events(
    site: Site, session: BrowserSession, keys: Iterable[str], parts: Parts
) -> AsyncIterator[bytes]:
    sent: dict[str, str] = {}
    with site.notifier.subscribe(["close", *keys]) as change:
        while not site.closing.is_set():
            change.clear()
            pieces = site.customers.cart(session.id).pieces
            shown = {"banner": site.banner(session), "pieces": str(pieces or "")}
            shown |= await parts()
            changed = {name: html for name, html in shown.items() if sent.get(name) != html}
            sent |= changed
            yield b"".join(_event(*each) for each in changed.items()) + _BEAT
            try:
                async with asyncio.timeout(site.settings.heartbeat):
                    await change.wait()
                await asyncio.sleep(_GATHER)
            except TimeoutError:
                pass


def _event(identifier: str, html: str) -> bytes:
    """An event with a part of the page, or with the address of the next page."""
    if not identifier:
        return f"event: go\ndata: {json.dumps(html)}\n\n".encode()
    data = json.dumps({"id": identifier, "html": html}, ensure_ascii=False)
    return f"event: part\ndata: {data}\n\n".encode()
