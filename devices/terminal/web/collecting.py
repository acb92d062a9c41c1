"""The page at a pickup point: collect an order by its code, or ask where it is.

The sign at the point leads to this page. A browser that sends wrong codes is locked out for a
while. An IP address that sends many is only slowed down, since others may share it.
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
from devices.terminal.web.session import BrowserSession
from devices.terminal.web.site import Site
from devices.terminal.web.words import state_in_words


async def collect(site: Site, request: Request, session: BrowserSession) -> Response:
    """The form for the pickup code, at a pickup point or elsewhere."""
    return _page(site, session, _point(site, request))


async def collected(
    site: Site, request: Request, session: BrowserSession, form: dict[str, str]
) -> Response:
    """Collect an order by its code, or say where it is."""
    point, say = _point(site, request), site.say(session)
    customers = site.customers
    if seconds := customers.seconds_locked(session.id):
        return _locked(site, session, point, seconds)
    code = pickup_code(form.get("code", ""))
    if code is None:
        error = say("A pickup code has six digits.")
        return _page(site, session, point, 422, error=error)
    answer: Callable[..., Awaitable[Response]] = _tell if form.get("do") == "ask" else _hand_over
    if customers.knows_code(session.id, code):  # its own code is no guess
        return await answer(site, session, point, code)
    async with site.guessing(session.client):
        if not (seconds := customers.seconds_locked(session.id)):
            await asyncio.sleep(customers.seconds_slowed(session.client))
            try:
                return await answer(site, session, point, code)
            except UnknownPickupCode:
                await customers.guessed_wrong(session.id, session.client)
            seconds = customers.seconds_locked(session.id)
    if seconds:
        return _locked(site, session, point, seconds)
    error = say("There is no parcel for this code. Check the six digits.")
    return _page(site, session, point, 422, error=error)


async def _hand_over(
    site: Site, session: BrowserSession, point: PickupPoint | None, code: str
) -> Response:
    """Collect the order, unless its parcel is at another pickup point."""
    if point is not None:
        view = await _ask(site, code)
        if view.pickup_point != point.id:
            say, there = site.say(session), site.notifier.point_name(view.pickup_point)
            error = say("This order goes to another pickup point: {point}.", point=there)
            return _page(site, session, point, 409, error=error)
    try:
        reply: OrderStateReply = await site.customers.node.ask(
            COLLECT, "settlement", Collect(code=code)
        )
    except Problem as problem:
        raise _known(problem) from None
    return site.page(session, "collected.html", order=reply.order)


async def _tell(
    site: Site, session: BrowserSession, point: PickupPoint | None, code: str
) -> Response:
    """Say where an order is, and where it can be collected."""
    view = await _ask(site, code)
    say = site.say(session)
    told = (
        say("Order {order}", order=view.order),
        state_in_words(say, view.state),
        say("Collect it here: {point}", point=site.notifier.point_name(view.pickup_point)),
    )
    return _page(site, session, point, told=told)


async def _ask(site: Site, code: str) -> OrderView:
    try:
        view: OrderView = await site.ask(ORDER, OrderQuery(code=code))
    except Problem as problem:
        raise _known(problem) from None
    return view


def _known(problem: Problem) -> Problem:
    """The problem, as `UnknownPickupCode` if that is what it says."""
    data = problem.to_data()
    return UnknownPickupCode(data.detail) if data.code == UnknownPickupCode.code else problem


def _point(site: Site, request: Request) -> PickupPoint | None:
    """The pickup point whose sign was scanned; None if none was.

    Raises:
        HTTPException: 404, there is no such point.
        NoAnswer: the pickup points are not known yet.
    """
    wanted = request.path_params.get("point")
    if wanted is None:
        return None
    if site.notifier.points is None:
        raise NoAnswer("The warehouse has not said which pickup points there are.")
    found = next((each for each in site.notifier.points.points if each.id == wanted), None)
    if found is None:
        raise HTTPException(404)
    return found


def _page(
    site: Site,
    session: BrowserSession,
    point: PickupPoint | None,
    status: int = 200,
    *,
    error: str = "",
    told: tuple[str, ...] = (),
) -> Response:
    return site.page(session, "collect.html", status, point=point, error=error, told=told)


def _locked(
    site: Site, session: BrowserSession, point: PickupPoint | None, seconds: int
) -> Response:
    say = site.say(session)
    error = say(
        "Too many wrong codes. You can try again in {seconds} seconds, or ask the staff.",
        seconds=seconds,
    )
    response = _page(site, session, point, 429, error=error)
    response.headers["retry-after"] = str(seconds)
    return response
