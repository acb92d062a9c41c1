"""Answers for machines that ask a label's URL for its links (GS1-Conformant resolver standard 1.2).

The page itself is the default link and the product information page; there are no others. So it is
given where the standard would redirect to it. Compressed URIs are not understood.
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
"""What the page speaks, as the standard's schema has languages: without scripts."""
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
    """Which ways of asking there are, also for scripts of other sites."""
    return Response(status_code=204, headers={"allow": "GET, HEAD, OPTIONS"})


def _linkset(base: str, path: str, product: Product) -> dict[str, Any]:
    """The links of what is asked for, and of each level above it: of a lot, then of its product."""
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
    """`/01/0950.../10/A` and `/01/0950...`: with all its qualifiers, down to the key alone."""
    parts = path.split("/")
    return ["/".join(parts[:end]) for end in range(len(parts), 2, -2)]


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
