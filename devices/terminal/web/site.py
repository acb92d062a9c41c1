"""What all pages share: the browser session, the answer as a page, and current products."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any
from weakref import WeakValueDictionary

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bus.contract.catalog import Found
from bus.contract.channel import Operation
from bus.contract.errors import NoAnswer, Problem, StorebusError, Unavailable
from bus.contract.problem import ProblemData
from bus.contract.values import Model
from bus.text.texts import Texts
from devices.terminal.web.customers import Customers
from devices.terminal.web.rendering import render, texts
from devices.terminal.web.session import NO_COOKIE, BrowserSession, SessionCookies, read_form
from devices.terminal.web.settings import WebSettings
from devices.terminal.web.words import problem_in_words

logger = logging.getLogger("storebus.web")

Page = Callable[["Site", Request, BrowserSession], Awaitable[Response]]
FormPage = Callable[["Site", Request, BrowserSession, dict[str, str]], Awaitable[Response]]
_COME_BACK = "5"
"""Seconds after which a machine may ask again."""
_AWAY = Unavailable.status


def _(text: str) -> str:
    return text


_SAID = {
    400: _("This address or form is not valid."),
    403: _("This form has expired. Go back, reload the page and try again."),
    404: _("There is no such page here."),
    405: _("There is no such page here."),
    413: _("That is too much data."),
    503: _("Too many pages are open at the moment."),
}


class Site:
    """Answers requests with pages.

    Args:
        customers: the terminal behind the page.
        shop: the shop's name.
        domain: the domain in the URLs of its labels.
        settings: of the phone page.
    """

    def __init__(self, customers: Customers, shop: str, domain: str, settings: WebSettings) -> None:
        self.customers = customers
        self.notifier = customers.notifier
        self.shop = shop
        self.domain = domain
        self.settings = settings
        self.cookies = SessionCookies(settings.node, customers.secret(), settings.keep)
        self.closing = asyncio.Event()
        """Set when the streams of open pages are to end."""
        self._guessing: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self.printing = asyncio.Lock()
        """Held while a PDF is made in a thread: the first one takes a second."""

    def close(self) -> None:
        """End the streams of open pages."""
        self.closing.set()
        self.notifier.notify("close")

    def guessing(self, address: str) -> asyncio.Lock:
        """The lock under which pickup codes from an address are checked one after the other."""
        return self._guessing.setdefault(address, asyncio.Lock())

    async def look_up(self, code: str) -> Found:
        """The product behind a code, with current prices and stock.

        Raises:
            Problem: the code is unknown or wrong, or nobody answers.
        """
        found: Found = await self._in_time(self.customers.scan(code))
        self.notifier.asked(found.product)
        return found

    async def ask(self, operation: Operation[Any, Any], data: Model) -> Any:
        """Ask a role, for no longer than a customer waits.

        Raises:
            Problem: it refused, or did not answer.
        """
        return await self._in_time(self.customers.node.ask(operation, operation.callee, data))

    async def _in_time(self, answer: Awaitable[Any]) -> Any:
        """The store's answer, within the time that a customer waits.

        Raises:
            Unavailable: there is no connection to it.
            NoAnswer: there was no answer in time.
        """
        try:
            async with asyncio.timeout(self.settings.patience):
                return await answer
        except (TimeoutError, NoAnswer):
            if not self.customers.node.connected:
                raise Unavailable("There is no connection to the store.") from None
            raise NoAnswer("The store did not answer in time.") from None

    def page(
        self, session: BrowserSession, template: str, status: int = 200, **values: Any
    ) -> HTMLResponse:
        """A page for this browser."""
        html = render(
            template,
            session.language,
            session=session,
            shop=self.shop,
            heartbeat=self.settings.heartbeat,
            pieces=self.customers.cart(session.id).pieces,
            banner=self.banner(session),
            **values,
        )
        return HTMLResponse(html, status)

    def banner(self, session: BrowserSession) -> str:
        """The reminders that the customer has not dismissed, as a part of the page."""
        kept = [
            each
            for each in self.customers.orders(session.id)
            if each.reminder is not None and not each.noted
        ]
        return render("part_banner.html", session.language, session=session, ready=kept)

    def sentence(self, session: BrowserSession, sentence: str, status: int) -> HTMLResponse:
        """A page with one sentence that says what is wrong."""
        return self.page(session, "sentence.html", status, sentence=sentence)

    def refusal(self, session: BrowserSession, problem: ProblemData) -> HTMLResponse:
        """A page that says why the store refused."""
        say = texts(session.language)
        status = 400 if problem.code == "invalid-digital-link" else problem.status
        return self.sentence(session, problem_in_words(say, problem), status)

    @staticmethod
    def say(session: BrowserSession) -> Texts:
        """The texts in the customer's language."""
        return texts(session.language)

    def shown(self, page: Page) -> Callable[[Request], Awaitable[Response]]:
        """The endpoint of a page (GET)."""

        async def endpoint(request: Request) -> Response:
            session = self.cookies.of(request)
            return await self._answer(request, session, page(self, request, session))

        return endpoint

    def posted(self, page: FormPage) -> Callable[[Request], Awaitable[Response]]:
        """The endpoint of a form (POST); forms of other browsers or sites are refused."""

        async def endpoint(request: Request) -> Response:
            session = self.cookies.of(request)

            async def work() -> Response:
                return await page(self, request, session, await read_form(request, session))

            return await self._answer(request, session, work())

        return endpoint

    async def _answer(
        self, request: Request, session: BrowserSession, answer: Awaitable[Response]
    ) -> Response:
        try:
            response = await answer
        except Problem as problem:
            response = self.refusal(session, problem.to_data())
        except StorebusError:
            logger.exception("%s: %s failed", self.settings.node, request.url.path)
            say = self.say(session)
            said = say("The store does not answer at the moment. Please try again.")
            response = self.sentence(session, said, 503)
        except HTTPException as error:
            say = self.say(session)
            known = _SAID.get(error.status_code, _SAID[400])
            said = say(NO_COOKIE if error.detail == NO_COOKIE else known)
            response = self.sentence(session, said, error.status_code)
        response.headers.setdefault("vary", "Accept-Language, Cookie, Accept")
        if response.status_code == _AWAY:
            response.headers.setdefault("retry-after", _COME_BACK)
        if session.is_new or request.method == "POST":
            self.cookies.remember(request, session, response)
        return response

    async def nothing_here(self, request: Request, error: Exception) -> Response:
        """Answers where Starlette found no route."""
        assert isinstance(error, HTTPException)
        session = self.cookies.of(request)

        async def answer() -> Response:
            raise error

        return await self._answer(request, session, answer())


def see_other(path: str) -> RedirectResponse:
    """Redirect after a form was sent, so that reloading the page does not send it again."""
    return RedirectResponse(path, 303)
