"""Browser sessions: the signed cookie, the language, and forms that only their browser can send."""

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
"""The languages of the page, each named in itself."""
TAGS = {"en": "en", "zh_Hant": "zh-Hant", "zh_Hans": "zh-Hans"}
"""Their language tags in HTML and HTTP (BCP 47)."""
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
"""Why a form is refused from a browser that keeps no cookie."""


@dataclass(frozen=True, slots=True)
class BrowserSession:
    """The browser that sent a request."""

    id: str
    form_token: str
    """A token in each of its forms, so that no other site can send them (CSRF)."""
    language: str
    client: str
    """Its IP address; for IPv6 its /64 network, which belongs to one customer."""
    is_new: bool
    """Whether the request came without a valid cookie."""


class SessionCookies:
    """Signs the cookies of browser sessions and reads them back.

    Args:
        node: the page server's name; page servers on one host must not share cookies.
        secret: the key that signs cookies and forms.
        keep: seconds until the cookie of an idle browser expires.
    """

    def __init__(self, node: str, secret: bytes, keep: float) -> None:
        self._keep = round(keep)
        self._cookie = f"storebus_{node}"
        self._sessions = Signer(secret, salt="session")
        self._forms = Signer(secret, salt="form")

    def of(self, request: Request) -> BrowserSession:
        """The session of a request; a new one if its cookie is missing or was tampered with."""
        is_new = False
        try:
            identifier = self._sessions.unsign(request.cookies.get(self._cookie, "")).decode()
        except BadSignature:
            identifier, is_new = secrets.token_urlsafe(16), True
        token = self._forms.get_signature(identifier.encode()).decode()
        return BrowserSession(identifier, token, language_of(request), address_of(request), is_new)

    def remember(self, request: Request, session: BrowserSession, response: Response) -> None:
        """Set the cookie, or extend its lifetime."""
        response.set_cookie(
            self._cookie,
            self._sessions.sign(session.id.encode()).decode(),
            max_age=self._keep,
            path="/",
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="lax",
        )


def remember_language(request: Request, language: str, response: Response) -> None:
    """Set the cookie with the language that the customer chose."""
    response.set_cookie(
        _LANGUAGE_COOKIE,
        language,
        max_age=365 * _DAY,
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )


async def read_form(request: Request, session: BrowserSession) -> dict[str, str]:
    """The fields of a form, if it is one that this browser was given.

    Raises:
        HTTPException: 413, it is too large; 400, it is no form; 403, it is not this browser's.
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
    if session.is_new and not request.cookies:
        raise HTTPException(403, NO_COOKIE)
    foreign = request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")
    given = fields.pop("form", "").encode()
    if session.is_new or foreign or not hmac.compare_digest(given, session.form_token.encode()):
        raise HTTPException(403)
    return fields


def address_of(request: Request) -> str:
    """The client's IP address; for IPv6 its /64 network."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.version == 6:  # noqa: PLR2004 - IP's version
        return str(ipaddress.ip_network((address, 64), strict=False))
    return host


def language_of(request: Request) -> str:
    """The language that the customer chose, else the best one that the browser accepts."""
    chosen = request.cookies.get(_LANGUAGE_COOKIE, "")
    if chosen in LANGUAGES:
        return chosen
    return accepted_language(request.headers.get("accept-language", ""))


def accepted_language(header: str) -> str:
    """The best language of the page for an Accept-Language header (RFC 9110, 12.5.4)."""
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
