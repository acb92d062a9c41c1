"""Who asks: a browser known by its signed cookie, its language, and whether a form is its own."""

import hmac
import ipaddress
import secrets
from dataclasses import dataclass
from urllib.parse import parse_qsl

from babel import Locale, UnknownLocaleError
from itsdangerous import BadSignature, Signer
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from bus.text.texts import ENGLISH, nearest

PACKAGE = "devices.terminal.web"
LANGUAGES = {"en": "English", "zh_Hant": "繁體中文", "zh_Hans": "简体中文"}
"""What the page speaks, each in its own words."""
TAGS = {"en": "en", "zh_Hant": "zh-Hant", "zh_Hans": "zh-Hans"}
"""The same as HTML and HTTP call them (BCP 47)."""
_LANGUAGE_COOKIE = "storebus_language"
_DAY = 24 * 60 * 60
_MOST_BODY = 16 * 1024
_MOST_FIELDS = 20


def _(text: str) -> str:
    return text


NO_COOKIE = _(
    "Your browser did not keep this shop's cookie, and without it nothing can be put into a cart"
    " or bought. Allow cookies for this page, load it again and try once more; or buy at a kiosk."
)
"""Why a form of ours cannot be taken from a browser that has no cookie."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """A browser that asks."""

    session: str
    form_token: str
    """What its forms carry, so that no other site can send them."""
    language: str
    client: str
    """Its address; of IPv6 the network, which is all one customer's."""
    new: bool
    """It had no cookie of ours yet."""


class Doorman:
    """Knows browsers by their cookies.

    Args:
        node: the page server's name: several on one host must not take each other's cookies.
        secret: what cookies and forms are signed with.
        keep: seconds for which a browser that does nothing is known.
    """

    def __init__(self, node: str, secret: bytes, keep: float) -> None:
        self._keep = round(keep)
        self._cookie = f"storebus_{node}"
        self._sessions = Signer(secret, salt="session")
        self._forms = Signer(secret, salt="form")

    def visitor(self, request: Request) -> Visitor:
        """Who asks; a cookie that is missing or was tampered with makes a new browser."""
        new = False
        try:
            session = self._sessions.unsign(request.cookies.get(self._cookie, "")).decode()
        except BadSignature:
            session, new = secrets.token_urlsafe(16), True
        token = self._forms.get_signature(session.encode()).decode()
        return Visitor(session, token, language_of(request), address_of(request), new)

    def remember(self, request: Request, visitor: Visitor, response: Response) -> None:
        """Give a browser its cookie; one that has it keeps it for longer."""
        response.set_cookie(
            self._cookie,
            self._sessions.sign(visitor.session.encode()).decode(),
            max_age=self._keep,
            path="/",
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="lax",
        )


def remember_language(request: Request, language: str, response: Response) -> None:
    """Keep the language that the customer chose."""
    response.set_cookie(
        _LANGUAGE_COOKIE,
        language,
        max_age=365 * _DAY,
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )


async def read_form(request: Request, visitor: Visitor) -> dict[str, str]:
    """The fields of a form that this browser was given by us.

    Raises:
        HTTPException: too large, not a form, or not ours.
    """
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_BODY:
            raise HTTPException(413)
    try:
        fields = dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS))
    except ValueError:
        raise HTTPException(400) from None
    if visitor.new and not request.cookies:
        raise HTTPException(403, NO_COOKIE)
    foreign = request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")
    given = fields.pop("form", "").encode()
    if visitor.new or foreign or not hmac.compare_digest(given, visitor.form_token.encode()):
        raise HTTPException(403)
    return fields


def address_of(request: Request) -> str:
    """The client's address, of IPv6 its /64."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.version == 6:  # noqa: PLR2004 - IP's version
        return str(ipaddress.ip_network((address, 64), strict=False))
    return host


def language_of(request: Request) -> str:
    """The language that the customer chose, or the best that the browser accepts."""
    chosen = request.cookies.get(_LANGUAGE_COOKIE, "")
    if chosen in LANGUAGES:
        return chosen
    return accepted_language(request.headers.get("accept-language", ""))


def accepted_language(header: str) -> str:
    """Of the languages a browser accepts, the best that the page speaks (RFC 9110, 12.5.4)."""
    wanted = []
    for place, part in enumerate(header[:500].split(",")):
        tag, _, quality = part.partition(";")
        wanted.append((-_quality(quality), place, tag.strip()))
    for minus, _, tag in sorted(wanted):
        try:
            language = Locale.parse(tag.replace("-", "_"), resolve_likely_subtags=True).language
        except (ValueError, UnknownLocaleError, TypeError):
            continue
        if minus and any(each.partition("_")[0] == language for each in LANGUAGES):
            return nearest(PACKAGE, tag)
    return ENGLISH


def _quality(text: str) -> float:
    name, _, value = text.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return min(1.0, max(0.0, float(value)))
    except ValueError:
        return 0.0
