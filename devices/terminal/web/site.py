"""What all pages share: who asks, the answer as a page, and products as they are sold now."""

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
from devices.terminal.web.session import NO_COOKIE, Doorman, Visitor, read_form
from devices.terminal.web.settings import WebSettings
from devices.terminal.web.words import problem_in_words

logger = logging.getLogger("storebus.web")

Page = Callable[["Site", Request, Visitor], Awaitable[Response]]
FormPage = Callable[["Site", Request, Visitor, dict[str, str]], Awaitable[Response]]
_COME_BACK = "5"
"""Seconds after which a machine may ask again."""
_AWAY = Unavailable.status


def _(text: str) -> str:
    return text


_SAID = {
    400: _("This address or form is not a valid one."),
    403: _("This form has grown old. Go back, load the page again and try once more."),
    404: _("There is no such page here."),
    405: _("There is no such page here."),
    413: _("That is too much at once."),
    503: _("Too many pages are open at the moment."),
}


class Site:
    """The page server's side of every request.

    Args:
        customers: the terminal behind the page.
        shop: the shop's name.
        domain: where its labels lead.
        settings: see there.
    """

    def __init__(self, customers: Customers, shop: str, domain: str, settings: WebSettings) -> None:
        self.customers = customers
        self.hearing = customers.hearing
        self.shop = shop
        self.domain = domain
        self.settings = settings
        self.doorman = Doorman(settings.node, customers.secret(), settings.keep)
        self.closing = asyncio.Event()
        """Set when open pages are to let go of their streams."""
        self._guessing: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self.printing = asyncio.Lock()
        """Held while a PDF is made, beside all else: the first one takes a second."""

    def close(self) -> None:
        """Open pages let go of their streams."""
        self.closing.set()
        self.hearing.ring("close")

    def guessing(self, address: str) -> asyncio.Lock:
        """Held while a pickup code from an address is looked at: one after the other."""
        return self._guessing.setdefault(address, asyncio.Lock())

    async def look_up(self, code: str) -> Found:
        """The product behind a code as it is sold now.

        Raises:
            Problem: the code is unknown or wrong, or nobody answers.
        """
        found: Found = await self._in_time(self.customers.scan(code))
        self.hearing.asked(found.product)
        return found

    async def ask(self, operation: Operation[Any, Any], data: Model) -> Any:
        """Ask a role something, no longer than a customer waits.

        Raises:
            Problem: the refusal, or that nobody answers.
        """
        return await self._in_time(self.customers.node.ask(operation, operation.callee, data))

    async def _in_time(self, answer: Awaitable[Any]) -> Any:
        """What the store answers.

        Raises:
            Unavailable: there is no connection to it.
            NoAnswer: there is, but no answer in time.
        """
        try:
            async with asyncio.timeout(self.settings.patience):
                return await answer
        except (TimeoutError, NoAnswer):
            if not self.customers.node.connected:
                raise Unavailable("There is no connection to the store.") from None
            raise NoAnswer("The store did not answer in time.") from None

    def page(
        self, visitor: Visitor, template: str, status: int = 200, **values: Any
    ) -> HTMLResponse:
        """A page for this browser."""
        html = render(
            template,
            visitor.language,
            visitor=visitor,
            shop=self.shop,
            heartbeat=self.settings.heartbeat,
            pieces=self.customers.cart(visitor.session).pieces,
            banner=self.banner(visitor),
            **values,
        )
        return HTMLResponse(html, status)

    def banner(self, visitor: Visitor) -> str:
        """The reminders that the customer has not put away."""
        kept = [
            each
            for each in self.customers.orders(visitor.session)
            if each.reminder is not None and not each.noted
        ]
        return render("part_banner.html", visitor.language, visitor=visitor, ready=kept)

    def sentence(self, visitor: Visitor, sentence: str, status: int) -> HTMLResponse:
        """A page that says what is wrong."""
        return self.page(visitor, "sentence.html", status, sentence=sentence)

    def refusal(self, visitor: Visitor, problem: ProblemData) -> HTMLResponse:
        """A page that says why the store did not do it."""
        say = texts(visitor.language)
        status = 400 if problem.code == "invalid-digital-link" else problem.status
        return self.sentence(visitor, problem_in_words(say, problem), status)

    @staticmethod
    def say(visitor: Visitor) -> Texts:
        """The texts in the customer's language."""
        return texts(visitor.language)

    def shown(self, page: Page) -> Callable[[Request], Awaitable[Response]]:
        """A page that is got."""

        async def endpoint(request: Request) -> Response:
            visitor = self.doorman.visitor(request)
            return await self._answer(request, visitor, page(self, request, visitor))

        return endpoint

    def posted(self, page: FormPage) -> Callable[[Request], Awaitable[Response]]:
        """A form that is sent; only this browser's own ones get through."""

        async def endpoint(request: Request) -> Response:
            visitor = self.doorman.visitor(request)

            async def work() -> Response:
                return await page(self, request, visitor, await read_form(request, visitor))

            return await self._answer(request, visitor, work())

        return endpoint

    async def _answer(
        self, request: Request, visitor: Visitor, answer: Awaitable[Response]
    ) -> Response:
        try:
            response = await answer
        except Problem as problem:
            response = self.refusal(visitor, problem.to_data())
        except StorebusError:
            logger.exception("%s: %s failed", self.settings.node, request.url.path)
            say = self.say(visitor)
            said = say("The store does not answer at the moment. Please try again.")
            response = self.sentence(visitor, said, 503)
        except HTTPException as error:
            say = self.say(visitor)
            known = _SAID.get(error.status_code, _SAID[400])
            said = say(NO_COOKIE if error.detail == NO_COOKIE else known)
            response = self.sentence(visitor, said, error.status_code)
        response.headers.setdefault("vary", "Accept-Language, Cookie, Accept")
        if response.status_code == _AWAY:
            response.headers.setdefault("retry-after", _COME_BACK)
        if visitor.new or request.method == "POST":
            self.doorman.remember(request, visitor, response)
        return response

    async def nothing_here(self, request: Request, error: Exception) -> Response:
        """What Starlette found no page for."""
        assert isinstance(error, HTTPException)
        visitor = self.doorman.visitor(request)

        async def answer() -> Response:
            raise error

        return await self._answer(request, visitor, answer())


def see_other(path: str) -> RedirectResponse:
    """Redirect after post: the page that comes then can be loaded again without harm."""
    return RedirectResponse(path, 303)
