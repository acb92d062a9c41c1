"""The routes of the phone page."""

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from devices.terminal.web import carts, collecting, orders, products, resolver
from devices.terminal.web.guard import Allowance, Guard, broken
from devices.terminal.web.live import Streams, live
from devices.terminal.web.session import LANGUAGES, PACKAGE, BrowserSession, remember_language
from devices.terminal.web.site import Site, see_other


def application(site: Site) -> ASGIApp:
    """The page server's application, behind its guard."""
    settings = site.settings
    got, sent = site.shown, site.posted
    app = Starlette(
        routes=[
            Route("/", got(products.start)),
            Route("/find", got(products.find)),
            Route("/01/{path:path}", resolver.options, methods=["OPTIONS"]),
            Route("/01/{path:path}", got(products.product)),
            Route("/cart", got(carts.cart)),
            Route("/cart", sent(products.add), methods=["POST"]),
            Route("/cart/line", sent(carts.change), methods=["POST"]),
            Route("/buy", sent(carts.buy), methods=["POST"]),
            Route("/purchase/{token}", got(carts.purchase)),
            Route("/order/{order}", got(orders.order)),
            Route("/order/{order}/code.svg", got(orders.collection_code)),
            Route("/order/{order}/receipt", got(orders.receipt)),
            Route("/order/{order}/receipt.txt", got(orders.receipt_text)),
            Route("/order/{order}/receipt.pdf", got(orders.receipt_pdf)),
            Route("/order/{order}/noted", sent(orders.noted), methods=["POST"]),
            Route("/collect", got(collecting.collect)),
            Route("/collect", sent(collecting.collected), methods=["POST"]),
            Route("/pickup/{point}", got(collecting.collect)),
            Route("/pickup/{point}", sent(collecting.collected), methods=["POST"]),
            Route("/live", got(live)),
            Route("/language", sent(language), methods=["POST"]),
            Route("/.well-known/gs1resolver", resolver.options, methods=["OPTIONS"]),
            Route("/.well-known/gs1resolver", got(resolver.describe)),
            Mount("/static", StaticFiles(packages=[(PACKAGE, "static")])),
            Route("/{path:path}", got(products.registered)),
        ],
        exception_handlers={HTTPException: site.nothing_here, Exception: broken},
    )
    app.state.streams = Streams()
    return Guard(app, Allowance(settings.rate, settings.burst))


async def language(_: Site, request: Request, __: BrowserSession, form: dict[str, str]) -> Response:
    """Switch the language and go back to the page."""
    response = see_other(_way_back(request))
    if form.get("language") in LANGUAGES:
        remember_language(request, form["language"], response)
    return response


def _way_back(request: Request) -> str:
    """The path of the page with the form; the start page if it is another site's."""
    before = request.headers.get("referer", "")
    own = f"{request.url.scheme}://{request.headers.get('host', '')}"
    path = before.removeprefix(own)
    is_own = before.startswith(f"{own}/") and not path.startswith(("//", "/\\"))
    return path if is_own and path.partition("?")[0] not in _ONLY_POSTED else "/"


_ONLY_POSTED = frozenset({"/buy", "/cart/line", "/language"})
