"""Wires the warehouse's decisions to its channels."""

import sqlite3
from collections.abc import Iterable
from dataclasses import replace

from bus.contract.catalog import RESTOCK, OrderOnly, Restock, StockLevel
from bus.contract.channel import State, role_of
from bus.contract.every import PRESENCE, Presence
from bus.contract.settlement import READY, Ready
from bus.contract.sorter import PICK, Pick, PickReply
from bus.contract.values import Empty, Model
from bus.contract.warehouse import (
    FULFIL,
    LOCATE,
    PACKED,
    PICKUP_POINTS,
    PICKUP_POINTS_STATE,
    RECEIVE,
    BinLevel,
    Fulfil,
    JobOnly,
    Locate,
    Located,
    Packed,
    PickupPoints,
    Receive,
)
from bus.errors import Refused, WrongState
from bus.intake import Answer, Observed, Request
from bus.role import Role, Timer
from bus.turn import Turn
from nodes.warehouse import domain, store

_LOOK_AGAIN = 1000
"""Milliseconds until a job that a sorter did not take is offered again."""
_SORTERS = 100
"""The most sorters that one turn gives jobs to."""


class Warehouse:
    """The third server role.

    Args:
        points: the pickup points and the default.
        locations: the storage locations; those of an earlier start stay.
    """

    def __init__(self, points: PickupPoints, locations: Iterable[str] = ()) -> None:
        self._points = points
        self._locations = tuple(locations)
        self.role = Role(
            kind="warehouse",
            package="nodes.warehouse",
            queries={PICKUP_POINTS: self._show_points, LOCATE: _locate},
            commands={FULFIL: _fulfil, PACKED: _packed, RECEIVE: _receive},
            answers={PICK: _taken, RESTOCK: _restocked},
            watches={PRESENCE: _presence},
            timers=(Timer("dispatch", Empty, _look_again),),
            started=self._start,
            states=self._states,
        )

    def _start(self, turn: Turn) -> None:
        store.save_locations(turn.connection, self._locations)

    def _states(self, _: sqlite3.Connection) -> Iterable[tuple[State[PickupPoints], Model]]:
        return [(PICKUP_POINTS_STATE, self._points)]

    def _show_points(self, _: sqlite3.Connection, __: Request[Empty]) -> PickupPoints:
        return self._points


def _locate(connection: sqlite3.Connection, request: Request[Locate]) -> Located:
    sku = request.data.sku
    return Located(sku=sku, bins=store.bins(connection, sku))


def _receive(turn: Turn, request: Request[Receive]) -> None:
    data = request.data
    store.refuse_unknown_location(turn.connection, data.location)
    store.move(turn.connection, data.sku, data.location, data.quantity)
    restock = turn.send(RESTOCK, "catalog", Restock(sku=data.sku, quantity=data.quantity))
    row = store.GoodsReceipt(request.caller, request.id, data.sku, data.location, data.quantity)
    store.save_receipt(turn.connection, row, restock)


def _restocked(turn: Turn, answer: Answer[StockLevel]) -> None:
    row = store.take_receipt(turn.connection, answer.id)
    if row is None:
        return
    if answer.problem is not None:
        store.move(turn.connection, row.sku, row.location, -row.quantity)
        turn.answer(RECEIVE, row.caller, row.request, Refused(answer.problem))
        return
    quantity = store.move(turn.connection, row.sku, row.location, 0)
    level = BinLevel(sku=row.sku, location=row.location, quantity=quantity)
    turn.answer(RECEIVE, row.caller, row.request, level)
    _dispatch(turn)


def _fulfil(turn: Turn, request: Request[Fulfil]) -> OrderOnly:
    data = request.data
    existing = store.job_of_order(turn.connection, data.order)
    if existing is None:
        job = domain.Job(
            turn.identity.reference("j-"), data.order, data.pickup_point, tuple(data.lines)
        )
        store.save_job(turn.connection, job, turn.now)
        _dispatch(turn)
    elif existing.lines != tuple(data.lines) or existing.pickup_point != data.pickup_point:
        raise WrongState(f"Order {data.order} already has another job.", state=existing.state)
    return OrderOnly(order=data.order)


def _dispatch(turn: Turn) -> None:
    """Give waiting jobs to free sorters, as far as the bins hold their goods."""
    online = [name for name in turn.online if role_of(name) == "sorter"]
    if not online:
        return
    busy = store.busy(turn.connection)
    ready: list[domain.Job] = []
    for job in store.waiting(turn.connection, _SORTERS):
        if len(ready) >= len(online) - len(busy & set(online)):
            break
        picks = job.picks or domain.allocate(job.lines, store.held(turn.connection, job.lines))
        if picks is None:
            continue
        if not job.picks:
            for pick in picks:
                store.move(turn.connection, pick.sku, pick.location, -pick.quantity)
        ready.append(replace(job, picks=picks))
    for job, sorter in domain.assign(ready, busy, online):
        store.save_job(turn.connection, job, turn.now)
        turn.send(PICK, sorter, domain.pick(job))


def _taken(turn: Turn, answer: Answer[PickReply]) -> None:
    """A sorter took its job, or did not: then the job waits again."""
    if answer.data is not None and answer.data.accepted:
        return
    sent: Pick = answer.request
    job = store.job(turn.connection, sent.job)
    if job.state == "assigned" and job.assignment == sent.assignment:
        store.save_job(turn.connection, domain.returned(job), turn.now)
        turn.after(_LOOK_AGAIN, "dispatch", Empty())


def _look_again(turn: Turn, _: Empty) -> None:
    _dispatch(turn)


def _presence(turn: Turn, observed: Observed[Presence]) -> None:
    if observed.data.status == "online" and role_of(observed.node) == "sorter":
        _dispatch(turn)


def _packed(turn: Turn, request: Request[Packed]) -> JobOnly:
    report = request.data
    before = store.job(turn.connection, report.job)
    job = domain.packed(before, request.caller, report)
    if job != before:
        store.save_job(turn.connection, job, turn.now)
        ready = Ready(order=job.order, parcel=report.parcel, pickup_point=job.pickup_point)
        turn.send(READY, "settlement", ready)
        _dispatch(turn)
    return JobOnly(job=job.id)
