"""At the pickup point: collect by the code, or ask by it where the order is.

A point's sign leads to its page. Who types wrong codes is locked out for a while, whichever they
ask for; an address from which many come is answered slowly, for others stand behind it, too.
"""

import asyncio
from collections.abc import Awaitable, Callable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from bus.contract.errors import NoAnswer, Problem
from bus.contract.refusals import UnknownPickupCode
from bus.contract.settlement import COLLECT, ORDER, Collect, OrderQuery, OrderStateReply, OrderView
from bus.contract.warehouse import PickupPoint
from devices.terminal.code import pickup_code
from devices.terminal.web.site import Site
from devices.terminal.web.visitor import Visitor
from devices.terminal.web.words import state_in_words


async def collect(site: Site, request: Request, visitor: Visitor) -> Response:
    """Where the pickup code is typed in: at a point, or wherever the customer is."""
    return _page(site, visitor, _point(site, request))


async def collected(
    site: Site, request: Request, visitor: Visitor, form: dict[str, str]
) -> Response:
    """Collect a parcel by its code, or say where it is."""
    point, say = _point(site, request), site.say(visitor)
    customers = site.customers
    if seconds := customers.seconds_locked(visitor.session):
        return _locked(site, visitor, point, seconds)
    code = pickup_code(form.get("code", ""))
    if code is None:
        error = say("A pickup code has six digits.")
        return _page(site, visitor, point, 422, error=error)
    answer: Callable[..., Awaitable[Response]] = _tell if form.get("do") == "ask" else _hand_over
    if customers.knows_code(visitor.session, code):  # who bought here need not guess
        return await answer(site, visitor, point, code)
    async with site.guessing(visitor.client):
        if not (seconds := customers.seconds_locked(visitor.session)):
            await asyncio.sleep(customers.seconds_slowed(visitor.client))
            try:
                return await answer(site, visitor, point, code)
            except UnknownPickupCode:
                await customers.guessed_wrong(visitor.session, visitor.client)
            seconds = customers.seconds_locked(visitor.session)
    if seconds:
        return _locked(site, visitor, point, seconds)
    error = say("No parcel waits under this code. Check the six digits.")
    return _page(site, visitor, point, 422, error=error)


async def _hand_over(
    site: Site, visitor: Visitor, point: PickupPoint | None, code: str
) -> Response:
    """The order is collected, unless the customer stands at another point than its parcel."""
    if point is not None:
        view = await _ask(site, code)
        if view.pickup_point != point.id:
            say, there = site.say(visitor), site.hearing.point_name(view.pickup_point)
            error = say("This order is brought to another pickup point: {point}.", point=there)
            return _page(site, visitor, point, 409, error=error)
    try:
        reply: OrderStateReply = await site.customers.node.ask(
            COLLECT, "settlement", Collect(code=code)
        )
    except Problem as problem:
        raise _known(problem) from None
    return site.page(visitor, "collected.html", order=reply.order)


async def _tell(site: Site, visitor: Visitor, point: PickupPoint | None, code: str) -> Response:
    """Where an order is, and where it will be collected."""
    view = await _ask(site, code)
    say = site.say(visitor)
    told = (
        say("Order {order}", order=view.order),
        state_in_words(say, view.state),
        say("Collect it here: {point}", point=site.hearing.point_name(view.pickup_point)),
    )
    return _page(site, visitor, point, told=told)


async def _ask(site: Site, code: str) -> OrderView:
    try:
        view: OrderView = await site.ask(ORDER, OrderQuery(code=code))
    except Problem as problem:
        raise _known(problem) from None
    return view


def _known(problem: Problem) -> Problem:
    """A wrong code as the error that it is; others as they came."""
    data = problem.to_data()
    return UnknownPickupCode(data.detail) if data.code == UnknownPickupCode.code else problem


def _point(site: Site, request: Request) -> PickupPoint | None:
    """The pickup point whose sign was scanned; none where no sign was.

    Raises:
        HTTPException: 404, there is no such point.
        NoAnswer: it is not known yet which points there are.
    """
    wanted = request.path_params.get("point")
    if wanted is None:
        return None
    if site.hearing.points is None:
        raise NoAnswer("The warehouse has not said which pickup points there are.")
    found = next((each for each in site.hearing.points.points if each.id == wanted), None)
    if found is None:
        raise HTTPException(404)
    return found


def _page(
    site: Site,
    visitor: Visitor,
    point: PickupPoint | None,
    status: int = 200,
    *,
    error: str = "",
    told: tuple[str, ...] = (),
) -> Response:
    return site.page(visitor, "collect.html", status, point=point, error=error, told=told)


def _locked(site: Site, visitor: Visitor, point: PickupPoint | None, seconds: int) -> Response:
    say = site.say(visitor)
    error = say(
        "Too many wrong codes. You can try again in {seconds} seconds, or ask the staff.",
        seconds=seconds,
    )
    response = _page(site, visitor, point, 429, error=error)
    response.headers["retry-after"] = str(seconds)
    return response
