"""Middleware before every page: security headers, a rate limit per client, a limit on URLs."""

import logging
import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from devices.terminal.web.rendering import texts
from devices.terminal.web.session import address_of, language_of

logger = logging.getLogger("storebus.web")

SECURITY_HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self';"
    " img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
CORS = {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "GET, HEAD, OPTIONS",
    "access-control-allow-headers": "Accept, Accept-Language",
    "access-control-expose-headers": "Link",
}
"""The CORS headers of the resolver, also on its errors."""
_FOR_MACHINES = ("/01/", "/.well-known/gs1resolver")
_MOST_CLIENTS = 10_000
_MOST_URL = 4096


class Allowance:
    """A token bucket for each client."""

    def __init__(
        self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate, self._burst, self._clock = rate, burst, clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str) -> float:
        """Take a token; returns 0, or the seconds until there is one."""
        now = self._clock()
        left, before = self._left.pop(client, (float(self._burst), now))
        left = min(float(self._burst), left + (now - before) * self._rate)
        wait = 0.0 if left >= 1 else (1 - left) / self._rate
        self._left[client] = (left if wait else left - 1, now)
        if len(self._left) > _MOST_CLIENTS:
            self._left.popitem(last=False)
        return wait


class Guard:
    """Passes requests on or refuses them, and answers for handlers that fail.

    It is the outermost middleware, so that every response has the security headers.
    """

    def __init__(self, app: ASGIApp, allowance: Allowance) -> None:
        self._app = app
        self._allowance = allowance

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and add the headers to its response."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        has_begun = False

        async def send_guarded(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                headers = MutableHeaders(scope=message)
                is_open = scope["path"].startswith(_FOR_MACHINES)
                for name, value in {**SECURITY_HEADERS, **(CORS if is_open else {})}.items():
                    headers.setdefault(name, value)
                is_static = scope["path"].startswith("/static/")
                headers.setdefault("cache-control", "no-cache" if is_static else "no-store")
            await send(message)

        try:
            await self._let_pass(scope, receive, send_guarded)
        except Exception:
            logger.exception("%s %s failed", scope["method"], scope["path"])
            if not has_begun:
                answer = await broken(Request(scope))
                await answer(scope, receive, send_guarded)

    async def _let_pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        wait = self._allowance.take(address_of(request))
        if wait:
            answer = _sentence(request, _IN_A_HURRY, 429)
            answer.headers["retry-after"] = str(int(wait) + 1)
            await answer(scope, receive, send)
        elif len(scope["raw_path"]) + len(scope["query_string"]) > _MOST_URL:
            await _sentence(request, _TOO_LONG, 414)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _(text: str) -> str:
    return text


_IN_A_HURRY = _("Too many requests; wait a moment.")
_TOO_LONG = _("This address is too long.")
_BROKEN = _("Something went wrong here, and was logged. Please try again or ask the staff.")


async def broken(request: Request, _: Exception | None = None) -> PlainTextResponse:
    """The response to an internal error; it needs nothing that may have failed."""
    return _sentence(request, _BROKEN, 500)


def _sentence(request: Request, text: str, status: int) -> PlainTextResponse:
    return PlainTextResponse(f"{texts(language_of(request))(text)}\n", status)
