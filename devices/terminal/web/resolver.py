"""Answers clients that ask a label's URL for its links (GS1-Conformant resolver standard 1.2).

The only link is the page itself: it is the default link and the product information page. So the
page is served where the standard would redirect to it. Compressed URIs are not supported.
"""

import re
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from bus.contract.catalog import Product
from devices.terminal.web.session import BrowserSession
from devices.terminal.web.site import Site

VOCABULARY = "https://gs1.org/voc/"
LINKSET = "application/linkset+json"
_CONTEXT = "https://ref.gs1.org/standards/resolver/linkset-context"
_HOST = re.compile(r"(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?")
_LANGUAGES = ["en", "zh-TW", "zh-CN"]
"""The languages of the page as in the standard's schema, which has no scripts."""
_LINK_TYPES = {"pip", "defaultLink"}
_ALL = {"linkset", "all"}


def base_of(site: Site, request: Request) -> str:
    """The base URL of a request, without a slash at the end."""
    if site.settings.public_url:
        return site.settings.public_url.rstrip("/")
    host = request.headers.get("host", "")
    if _HOST.fullmatch(host) is None:
        host = site.domain
    return f"{request.url.scheme}://{host}"


def link_header(base: str, path: str) -> str:
    """The Link header that leads to the linkset."""
    return f'<{base}{path}?linkType=linkset>; rel="linkset"; type="{LINKSET}"'


def links_wanted(request: Request) -> str:
    """The requested type of link; `linkset` for all, empty for the page itself."""
    given = request.query_params.get("linkType")
    if given is not None:
        return given[:200] or "?"
    return "linkset" if _prefers_linkset(request.headers.get("accept", "")) else ""


def resolve(base: str, path: str, product: Product, wanted: str, query: str) -> Response:
    """Answer with the linkset, or redirect to the link of a type.

    Raises:
        HTTPException: 404, there is no link of this type.
    """
    headers = {"link": link_header(base, path), "cache-control": "no-cache"}
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


async def describe(site: Site, request: Request, _: BrowserSession) -> Response:
    """The resolver's description file."""
    description = {
        "name": site.shop,
        "resolverRoot": base_of(site, request),
        "supportedPrimaryKeys": ["01"],
        "linkTypeDefaultCanBeLinkset": False,
        "supportedLinkType": [{"namespace": VOCABULARY, "prefix": "gs1:"}],
        "jsonLdContextLocation": _CONTEXT,
    }
    return JSONResponse(description)


async def options(_: Request) -> Response:
    """The allowed methods, also for scripts of other sites."""
    return Response(status_code=204, headers={"allow": "GET, HEAD, OPTIONS"})


def _linkset(base: str, path: str, product: Product) -> dict[str, Any]:
    """The linkset of a URL and of each level above it: of a lot, then of its product."""
    return {
        "linkset": [
            {
                "anchor": f"{base}{level}",
                "itemDescription": product.name,
                # There is one default, whatever is asked for: no type and no language are its own.
                f"{VOCABULARY}defaultLink": [link],
                f"{VOCABULARY}pip": [{**link, "type": "text/html", "hreflang": _LANGUAGES}],
            }
            for level in _levels(path)
            for link in [{"href": f"{base}{level}", "title": product.name}]
        ]
    }


def _levels(path: str) -> list[str]:
    """The path with all its qualifiers, down to the key: `/01/0950.../10/A`, `/01/0950...`."""
    parts = path.split("/")
    return ["/".join(parts[:end]) for end in range(len(parts), 2, -2)]


def _prefers_linkset(accept: str) -> bool:
    """Whether an Accept header prefers a linkset to a page (RFC 9110, 12.5.1)."""
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
