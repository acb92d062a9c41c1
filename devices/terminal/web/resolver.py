"""Answers for machines that ask a label's URL for its links (GS1-Conformant resolver standard 1.2).

The page itself is the default link and the product information page; there are no others.
"""

import re
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from bus.contract.catalog import Product
from devices.terminal.web.site import Site
from devices.terminal.web.visitor import TAGS, Visitor

VOCABULARY = "https://gs1.org/voc/"
LINKSET = "application/linkset+json"
_CONTEXT = "https://ref.gs1.org/standards/resolver/linkset-context"
_CORS = {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "GET, HEAD, OPTIONS",
    "access-control-allow-headers": "Accept, Accept-Language",
    "access-control-expose-headers": "Link",
}
_HOST = re.compile(r"(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?")
_LINK_TYPES = {"pip", "defaultLink"}
_ALL = {"linkset", "all"}


def base_of(site: Site, request: Request) -> str:
    """The address under which the page was asked for, without a slash at its end."""
    if site.settings.public_url:
        return site.settings.public_url.rstrip("/")
    host = request.headers.get("host", "")
    if _HOST.fullmatch(host) is None:
        host = site.domain
    return f"{request.url.scheme}://{host}"


def link_header(base: str, path: str) -> str:
    """Says where all links are, whatever is answered."""
    return f'<{base}{path}?linkType=linkset>; rel="linkset"; type="{LINKSET}"'


def links_wanted(request: Request) -> str:
    """The type of link that is asked for; `linkset` for all, empty for the page itself."""
    given = request.query_params.get("linkType")
    if given is not None:
        return given[:200] or "?"
    return "linkset" if _prefers_linkset(request.headers.get("accept", "")) else ""


def resolve(base: str, path: str, product: Product, wanted: str, query: str) -> Response:
    """The linkset, or a redirection to the link of this type.

    Raises:
        HTTPException: 404, there is no link of this type.
    """
    headers = {**_CORS, "link": link_header(base, path), "cache-control": "no-cache"}
    if wanted in _ALL:
        headers["link"] += (
            f', <{_CONTEXT}>; rel="http://www.w3.org/ns/json-ld#context"'
            '; type="application/ld+json"'
        )
        return JSONResponse(_linkset(base, path, product), 200, headers, media_type=LINKSET)
    name = wanted.removeprefix("gs1:").removeprefix(VOCABULARY)
    name = name.removeprefix("https://ref.gs1.org/voc/")
    if name not in _LINK_TYPES:
        raise HTTPException(404)
    rest = [(key, value) for key, value in parse_qsl(query) if key != "linkType"]
    target = f"{base}{path}{'?' if rest else ''}{urlencode(rest)}"
    return RedirectResponse(target, 307, headers)


async def describe(site: Site, request: Request, _: Visitor) -> Response:
    """The resolver's description file."""
    description = {
        "name": site.shop,
        "resolverRoot": base_of(site, request),
        "supportedPrimaryKeys": ["01"],
        "linkTypeDefaultCanBeLinkset": False,
        "supportedLinkType": [{"namespace": VOCABULARY, "prefix": "gs1:"}],
    }
    return JSONResponse(description, headers=_CORS)


async def options(_: Request) -> Response:
    """Which ways of asking there are, also for scripts of other sites."""
    return Response(status_code=204, headers={**_CORS, "allow": "GET, HEAD, OPTIONS"})


def _linkset(base: str, path: str, product: Product) -> dict[str, Any]:
    link = {
        "href": f"{base}{path}",
        "title": product.name,
        "type": "text/html",
        "hreflang": list(TAGS.values()),
    }
    return {
        "linkset": [
            {
                "anchor": f"{base}{path}",
                "itemDescription": product.name,
                f"{VOCABULARY}defaultLink": [link],
                f"{VOCABULARY}pip": [link],
            }
        ]
    }


def _prefers_linkset(accept: str) -> bool:
    """Whether a linkset is wanted more than a page (RFC 9110, 12.5.1)."""
    wanted: dict[str, float] = {}
    for part in accept[:1000].split(","):
        kind, *parameters = (piece.strip() for piece in part.split(";"))
        quality = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                try:
                    quality = float(parameter[2:])
                except ValueError:
                    quality = 0.0
        wanted[kind.lower()] = quality
    linkset = max(wanted.get(LINKSET, 0.0), wanted.get("application/json", 0.0))
    page = wanted.get("text/html", 0.0)
    return linkset > 0 and linkset >= page
