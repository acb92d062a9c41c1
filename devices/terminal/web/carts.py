"""The pages of the cart and of its purchase, which is made once however often it is tapped."""

import asyncio

from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from bus.contract.errors import Problem
from bus.contract.refusals import WrongState
from devices.terminal.web import domain
from devices.terminal.web.domain import CartLine
from devices.terminal.web.paying import CARD_NUMBER, NOTHING, Given, given_in, payment_of
from devices.terminal.web.products import whole
from devices.terminal.web.session import BrowserSession
from devices.terminal.web.site import Site, see_other
from devices.terminal.web.words import problem_in_words

_NOT_SOLD = ("unknown-label", "retired")
"""The catalog's codes for articles that are no longer sold."""
_WAIT = 1.0
"""Seconds for which the page of a purchase waits for the outcome before it is rendered."""


async def cart(site: Site, _: Request, session: BrowserSession) -> Response:
    """The cart at current prices."""
    return await cart_page(site, session)


async def cart_page(
    site: Site,
    session: BrowserSession,
    *,
    error: str = "",
    status: int = 200,
    given: Given = NOTHING,
) -> Response:
    """The page of the cart, with an error if there is one."""
    levels, gone = await _refresh(site, session)
    kept = site.customers.cart(session.id)
    points = site.notifier.points
    return site.page(
        session,
        "cart.html",
        status,
        cart=kept,
        levels=levels,
        gone=gone,
        points=points.points if points else [],
        default=points.default if points else "",
        most=domain.MOST_PIECES,
        cards=site.notifier.takes_cards,
        error=error,
        given=given,
    )


async def _refresh(site: Site, session: BrowserSession) -> tuple[dict[str, int], list[str]]:
    """Update the cart to current prices.

    Returns:
        The stock of each style, and the names of articles that are no longer sold.
    """
    kept = site.customers.cart(session.id)
    levels: dict[str, int] = {}
    gone: dict[str, str] = {}
    fresh: dict[str, CartLine] = {}
    products = await asyncio.gather(
        *(site.look_up(line.gtin) for line in kept.lines), return_exceptions=True
    )
    for line, found in zip(kept.lines, products, strict=True):
        if isinstance(found, Problem) and found.to_data().code not in _NOT_SOLD:
            raise found
        styles = [] if isinstance(found, BaseException) else found.product.styles
        style = next((each for each in styles if each.sku == line.sku), None)
        if style is None or isinstance(found, BaseException):
            gone[line.sku] = line.name
            continue
        levels[line.sku] = style.available
        fresh[line.sku] = CartLine(
            line.sku, line.gtin, found.product.name, domain.style_in_words(style),
            line.quantity, style.price.amount, style.price.currency, style.tax_rate,
        )  # fmt: skip
    if domain.renewed(kept.lines, fresh, gone.keys()) != kept.lines:
        # Changes made meanwhile on another page are kept.
        await site.customers.change_cart(
            session.id, lambda lines: domain.renewed(lines, fresh, gone.keys())
        )
    return levels, list(gone.values())


async def change(site: Site, _: Request, session: BrowserSession, form: dict[str, str]) -> Response:
    """Change the quantity of a line, or remove it."""
    sku, say = form.get("sku", ""), site.say(session)
    quantity = 0 if "remove" in form else whole(form.get("quantity", ""))
    kept = site.customers.cart(session.id)
    line = next((each for each in kept.lines if each.sku == sku), None)
    if line is None:
        return see_other("/cart")
    if quantity == 0:
        await site.customers.change_cart(
            session.id, lambda lines: tuple(each for each in lines if each.sku != sku)
        )
        return see_other("/cart")
    found = await site.look_up(line.gtin)
    style = next((each for each in found.product.styles if each.sku == sku), None)
    if style is None:
        return see_other("/cart")
    if not 1 <= quantity <= domain.MOST_PIECES:
        error = say("Enter a number from 1 to {most}.", most=domain.MOST_PIECES)
        return await cart_page(site, session, error=error, status=422)
    if quantity > style.available:
        error = say("Only {count} left.", count=style.available)
        if not style.available:
            error = say("Sold out")
        return await cart_page(site, session, error=error, status=409)
    changed = domain.line_of(found.product, style, quantity)
    await site.customers.change_cart(session.id, lambda lines: domain.replaced(lines, changed))
    return see_other("/cart")


async def buy(site: Site, _: Request, session: BrowserSession, form: dict[str, str]) -> Response:
    """Buy the cart of a page; sending the same page again buys nothing more."""
    say = site.say(session)
    token = form.get("cart", "")[:64]
    known = site.customers.bought(session.id, token)
    if known is not None:
        return see_other(f"/purchase/{token}")
    given = given_in(form)
    payment = payment_of(given, cards=site.notifier.takes_cards)
    if isinstance(payment, str):
        again = Given(given.method) if payment is CARD_NUMBER else given
        return await cart_page(site, session, error=say(payment), status=422, given=again)
    total = whole(form.get("total", ""))
    if total < 0:
        raise HTTPException(400)
    try:
        await site.customers.buy_cart(
            session.id,
            token,
            form.get("goods", ""),
            payment,
            form.get("pickup") or None,
            total,
        )
    except WrongState:
        error = say("The cart has changed in the meantime. Please look at it again.")
        return await cart_page(site, session, error=error, status=409)
    except ValidationError:
        raise HTTPException(400) from None
    return see_other(f"/purchase/{token}")


async def purchase(site: Site, request: Request, session: BrowserSession) -> Response:
    """The outcome of a purchase; the page reloads by itself while it is under way."""
    token = request.path_params["token"][:64]
    identifier = site.customers.bought(session.id, token)
    if identifier is None:
        raise HTTPException(404)
    try:
        async with asyncio.timeout(_WAIT):
            bought = await site.customers.outcome(identifier)
    except TimeoutError:
        return site.page(session, "waiting.html", token=token)
    if bought.receipt is not None:
        return see_other(f"/order/{bought.receipt.order}")
    say = site.say(session)
    if bought.state == "unknown" or bought.problem is None:
        sentence = say(
            "The store did not answer in time. Whether it was bought is not known yet; this page"
            " goes on asking. Please ask the staff before you buy again."
        )
        return site.page(session, "unknown.html", 504, sentence=sentence, token=token)
    sentence = problem_in_words(say, bought.problem)
    return site.page(session, "refused.html", 409, sentence=sentence)
