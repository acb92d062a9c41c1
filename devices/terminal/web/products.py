"""The page behind a label's URL: a product with the prices and stock of its styles."""

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from bus.contract.catalog import Found, Style
from bus.contract.errors import InvalidField, Problem
from bus.contract.refusals import SoldOut
from commerce.price import minor_digits
from devices.terminal.web import domain
from devices.terminal.web.rendering import render
from devices.terminal.web.resolver import base_of, link_header, links_wanted, resolve
from devices.terminal.web.session import BrowserSession
from devices.terminal.web.site import Site, see_other


async def start(site: Site, _: Request, session: BrowserSession) -> Response:
    """The start page."""
    return site.page(session, "start.html", kept=site.customers.orders(session.id), code="")


async def find(site: Site, request: Request, _: BrowserSession) -> Response:
    """Look up a number that was typed in."""
    code = request.query_params.get("code", "").strip()
    if not code:
        return see_other("/")
    if len(code) > _LONGEST_CODE:
        raise InvalidField("The code is too long.", field="code")
    found = await site.look_up(code)
    return see_other(f"/01/{_scanned(found).gtin}")


async def product(site: Site, request: Request, session: BrowserSession) -> Response:
    """The page of a product, or its links for a resolver's client."""
    if not request.path_params["path"]:
        raise HTTPException(400)
    # A resolver should tolerate a slash at the end, which on a label is an error.
    path = request.scope["raw_path"].decode("ascii", "replace").removesuffix("/")
    query = request.scope["query_string"].decode("ascii", "replace")
    link = f"https://{site.domain}{path}{'?' if query else ''}{query}"
    found = await site.look_up(link)
    base = base_of(site, request)
    if wanted := links_wanted(request):
        return resolve(base, path, found.product, wanted, query)
    response = product_page(site, session, found, base=base)
    response.headers["link"] = link_header(base, path)
    response.headers["content-language"] = session.language.replace("_", "-")
    return response


async def registered(site: Site, request: Request, session: BrowserSession) -> Response:
    """The page of a product whose label has exactly this URL.

    Raises:
        HTTPException: 404, no label has it.
    """
    path = request.scope["raw_path"].decode("ascii", "replace")
    query = request.scope["query_string"].decode("ascii", "replace")
    rest = f"{path}{'?' if query else ''}{query}"
    base = base_of(site, request)
    hosts = (f"https://{site.domain}", base, base.replace("http:", "https:", 1))
    for host in dict.fromkeys(hosts):
        try:
            found = await site.look_up(f"{host}{rest}"[:_LONGEST_CODE])
        except Problem as problem:
            if problem.to_data().status not in _NO_LABEL:
                raise
            continue
        response = product_page(site, session, found, base=base)
        response.headers["link"] = f'<{base}/01/{_scanned(found).gtin}>; rel="canonical"'
        return response
    raise HTTPException(404)


_NO_LABEL = frozenset({400, 404, 422})
_LONGEST_CODE = 2048  # bus.contract.values.Code


def product_page(
    site: Site,
    session: BrowserSession,
    found: Found,
    *,
    base: str,
    error: str = "",
    status: int = 200,
) -> Response:
    """The page of a product, with an error if there is one."""
    scanned = _scanned(found)
    in_cart = {line.sku: line.quantity for line in site.customers.cart(session.id).lines}
    return site.page(
        session,
        "product.html",
        status,
        product=found.product,
        scanned=scanned,
        words=domain.style_in_words,
        in_cart=in_cart,
        most=domain.MOST_PIECES,
        error=error,
        stock={style.sku: stock_part(session, style) for style in found.product.styles},
        data=_structured(found, base),
    )


async def add(
    site: Site, request: Request, session: BrowserSession, form: dict[str, str]
) -> Response:
    """Add a style to the cart."""
    found = await site.look_up(form.get("gtin", "")[:14] or "0")
    style = next((each for each in found.product.styles if each.sku == form.get("sku")), None)
    if style is None:
        raise InvalidField("There is no such style.", field="sku")
    found = found.model_copy(update={"scanned": style.sku})
    say = site.say(session)
    try:
        line = domain.line_of(found.product, style, whole(form.get("quantity", "")))
        await site.customers.change_cart(session.id, lambda lines: domain.put(lines, line))
    except SoldOut:
        error = say("Only {count} left.", count=style.available)
        if not style.available:
            error = say("Sold out")
        return product_page(
            site, session, found, base=base_of(site, request), error=error, status=409
        )
    except InvalidField:
        error = say("Enter a number from 1 to {most}.", most=domain.MOST_PIECES)
        return product_page(
            site, session, found, base=base_of(site, request), error=error, status=422
        )
    return see_other("/cart")


def stock_part(session: BrowserSession, style: Style) -> str:
    """The stock of a style, as a part of the page."""
    return render("part_stock.html", session.language, style=style)


def whole(text: str) -> int:
    """A whole number, or -1 for a text that is none."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else -1  # noqa: PLR2004


def _scanned(found: Found) -> Style:
    styles = found.product.styles
    return next((style for style in styles if style.sku == found.scanned), styles[0])


def _structured(found: Found, base: str) -> dict[str, Any]:
    """The product as structured data: https://schema.org/Product."""
    product = found.product
    texts = {"name": product.name, "description": product.description}
    variants = [
        {
            "@type": "Product",
            "name": f"{product.name}, {domain.style_in_words(style)}",
            "sku": style.sku,
            "gtin": style.gtin,
            "additionalProperty": [
                {"@type": "PropertyValue", "name": name, "value": value}
                for name, value in style.attributes.items()
            ],
            "offers": {
                "@type": "Offer",
                "url": f"{base}/01/{style.gtin}",
                "price": _decimal(style.price.amount, style.price.currency),
                "priceCurrency": style.price.currency,
                "availability": "https://schema.org/"
                + ("InStock" if style.available else "OutOfStock"),
            },
        }
        for style in product.styles
    ]
    if len(variants) == 1:
        return {"@context": "https://schema.org", **variants[0], **texts}
    return {
        "@context": "https://schema.org",
        "@type": "ProductGroup",
        **texts,
        "productGroupID": product.id,
        "url": f"{base}/01/{_scanned(found).gtin}",
        "hasVariant": variants,
    }


def _decimal(amount: int, currency: str) -> str:
    digits = minor_digits(currency)
    whole_part, part = divmod(amount, 10**digits)
    return f"{whole_part}.{part:0{digits}}" if digits else str(whole_part)
