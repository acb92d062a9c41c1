"""The cart: what lies in it at today's prices, and buying it, once however often it is tapped."""

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
from devices.terminal.web.site import Site, see_other
from devices.terminal.web.visitor import Visitor
from devices.terminal.web.words import problem_in_words

_NOT_SOLD = ("unknown-label", "retired")
"""How the catalog says that an article is not sold any more."""
_WAIT = 1.0
"""Seconds that the page of a purchase waits for its outcome before it shows that it waits."""


async def cart(site: Site, _: Request, visitor: Visitor) -> Response:
    """The cart with its prices of now."""
    return await cart_page(site, visitor)


async def cart_page(
    site: Site,
    visitor: Visitor,
    *,
    error: str = "",
    status: int = 200,
    given: Given = NOTHING,
) -> Response:
    """The cart, with what is wrong with what was just asked for."""
    levels, gone = await _refresh(site, visitor)
    kept = site.customers.cart(visitor.session)
    points = site.hearing.points
    return site.page(
        visitor,
        "cart.html",
        status,
        cart=kept,
        levels=levels,
        gone=gone,
        points=points.points if points else [],
        default=points.default if points else "",
        most=domain.MOST_PIECES,
        cards=site.hearing.takes_cards,
        error=error,
        given=given,
    )


async def _refresh(site: Site, visitor: Visitor) -> tuple[dict[str, int], list[str]]:
    """Give the cart today's prices.

    Returns:
        What is left of each style, and the names of what is not sold any more.
    """
    kept = site.customers.cart(visitor.session)
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
        # What the customer did meanwhile, on another page, stays done.
        await site.customers.change_cart(
            visitor.session, lambda lines: domain.renewed(lines, fresh, gone.keys())
        )
    return levels, list(gone.values())


async def change(site: Site, _: Request, visitor: Visitor, form: dict[str, str]) -> Response:
    """Another quantity of a line, or none."""
    sku, say = form.get("sku", ""), site.say(visitor)
    quantity = 0 if "remove" in form else whole(form.get("quantity", ""))
    kept = site.customers.cart(visitor.session)
    line = next((each for each in kept.lines if each.sku == sku), None)
    if line is None:
        return see_other("/cart")
    if quantity == 0:
        await site.customers.change_cart(
            visitor.session, lambda lines: tuple(each for each in lines if each.sku != sku)
        )
        return see_other("/cart")
    found = await site.look_up(line.gtin)
    style = next((each for each in found.product.styles if each.sku == sku), None)
    if style is None:
        return see_other("/cart")
    if not 1 <= quantity <= domain.MOST_PIECES:
        error = say("Enter a number from 1 to {most}.", most=domain.MOST_PIECES)
        return await cart_page(site, visitor, error=error, status=422)
    if quantity > style.available:
        error = say("Only {count} left.", count=style.available)
        if not style.available:
            error = say("Sold out")
        return await cart_page(site, visitor, error=error, status=409)
    changed = domain.line_of(found.product, style, quantity)
    await site.customers.change_cart(visitor.session, lambda lines: domain.replaced(lines, changed))
    return see_other("/cart")


async def buy(site: Site, _: Request, visitor: Visitor, form: dict[str, str]) -> Response:
    """Buy the cart of a page; the same page again, tapped twice or after going back, buys once."""
    say = site.say(visitor)
    token = form.get("cart", "")[:64]
    known = site.customers.bought(visitor.session, token)
    if known is not None:
        return see_other(f"/purchase/{token}")
    given = given_in(form)
    payment = payment_of(given, cards=site.hearing.takes_cards)
    if isinstance(payment, str):
        again = Given(given.method) if payment is CARD_NUMBER else given
        return await cart_page(site, visitor, error=say(payment), status=422, given=again)
    total = whole(form.get("total", ""))
    if total < 0:
        raise HTTPException(400)
    try:
        await site.customers.buy_cart(
            visitor.session,
            token,
            form.get("goods", ""),
            payment,
            form.get("pickup") or None,
            total,
        )
    except WrongState:
        error = say("The cart has changed meanwhile. Look at it once more.")
        return await cart_page(site, visitor, error=error, status=409)
    except ValidationError:
        raise HTTPException(400) from None
    return see_other(f"/purchase/{token}")


async def purchase(site: Site, request: Request, visitor: Visitor) -> Response:
    """What became of a purchase; while it is under way the page asks again by itself."""
    token = request.path_params["token"][:64]
    identifier = site.customers.bought(visitor.session, token)
    if identifier is None:
        raise HTTPException(404)
    try:
        async with asyncio.timeout(_WAIT):
            bought = await site.customers.outcome(identifier)
    except TimeoutError:
        return site.page(visitor, "waiting.html", token=token)
    if bought.receipt is not None:
        return see_other(f"/order/{bought.receipt.order}")
    say = site.say(visitor)
    if bought.state == "unknown" or bought.problem is None:
        sentence = say(
            "The store did not answer in time. Whether it was bought is not known yet; this page"
            " goes on asking. Please ask the staff before you buy again."
        )
        return site.page(visitor, "unknown.html", 504, sentence=sentence, token=token)
    sentence = problem_in_words(say, bought.problem)
    return site.page(visitor, "refused.html", 409, sentence=sentence)
