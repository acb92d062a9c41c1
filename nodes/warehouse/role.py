"""Wires the warehouse's decisions to its channels."""

import sqlite3
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from bus.contract.catalog import (
    RESTOCK,
    WRITE_OFF,
    OrderOnly,
    Restock,
    StockLevel,
)
from bus.contract.channel import State
from bus.contract.delivery import Delivery
from bus.contract.errors import Refused
from bus.contract.every import PRESENCE
from bus.contract.refusals import WrongState
from bus.contract.sorter import ABORT, PICK
from bus.contract.values import MAX_ENTRIES, Empty, Model
from bus.contract.warehouse import (
    COUNT,
    COUNTS,
    DELIVERED,
    FAULT,
    FULFIL,
    LOCATE,
    PACKED,
    PICKUP_POINTS,
    PICKUP_POINTS_STATE,
    REASSIGN,
    RECEIVE,
    RESUME,
    RETURNS,
    SHORT_PICK,
    WITHDRAW,
    BinLevel,
    Fulfil,
    Locate,
    Located,
    PickupPoints,
    Receive,
    Return,
    Returns,
)
from bus.runtime.deliveries import brought_before, delivered, note
from bus.runtime.requests import Answer, Request
from bus.runtime.role import Role, Timer
from bus.runtime.unit_of_work import UnitOfWork
from nodes.warehouse import counting, domain, goods_return, returns, store, troubles
from nodes.warehouse.job_assigner import JobAssigner, JobTimeout
from nodes.warehouse.settings import WarehouseSettings
from nodes.warehouse.withdrawals import finish_withdrawal

_RETURNS = 100
"""The most returns in one reply."""


class Warehouse:
    """The third server role.

    Args:
        points: the pickup points, and which is the default.
        locations: the storage locations; those of earlier starts stay.
        settings: how long it waits for its sorters.
    """

    def __init__(
        self,
        points: PickupPoints,
        locations: Iterable[str] = (),
        settings: WarehouseSettings | None = None,
    ) -> None:
        self._points = points
        self._locations = tuple(locations)
        self._assigner = JobAssigner(settings or WarehouseSettings())
        self._counting = counting.Counting(self._assigner.assign_jobs)
        self.role = Role(
            kind="warehouse",
            schemas=(store.SCHEMA,),
            queries={
                PICKUP_POINTS: self._show_points,
                LOCATE: _locate,
                RETURNS: _show_returns,
                COUNTS: counting.show,
                DELIVERED: delivered,
            },
            long_queries=frozenset({RETURNS, COUNTS}),
            commands={
                FULFIL: self._fulfil,
                WITHDRAW: self._withdraw,
                PACKED: self._assigner.packed,
                FAULT: self._assigner.fault,
                SHORT_PICK: self._assigner.short_pick,
                REASSIGN: self._assigner.reassign,
                RESUME: self._assigner.resume,
                RECEIVE: self._receive,
                COUNT: self._counting.count,
            },
            answers={
                PICK: self._assigner.taken,
                ABORT: self._assigner.aborted,
                RESTOCK: self._restocked,
                WRITE_OFF: self._written_off,
            },
            watches={PRESENCE: self._assigner.presence},
            timers=(
                Timer("dispatch", Empty, self._assigner.due),
                Timer("patience", JobTimeout, self._assigner.timed_out),
            ),
            started=self._start,
            states=self._states,
            alarms=troubles.alarms,
        )

    def _start(self, unit: UnitOfWork) -> None:
        store.save_locations(unit.connection, self._locations)

    def _states(self, _: sqlite3.Connection) -> Iterable[tuple[State[Any], Model]]:
        return [(PICKUP_POINTS_STATE, self._points)]

    def _show_points(self, _: sqlite3.Connection, __: Request[Empty]) -> PickupPoints:
        return self._points

    # -- goods in -----------------------------------------------------------------------------

    def _receive(self, unit: UnitOfWork, request: Request[Receive]) -> BinLevel | None:
        data = request.data
        store.refuse_unknown_location(unit.connection, data.location)
        if data.parcel is not None:
            return self._put_back(unit, data, data.parcel)
        row = store.GoodsReceipt(
            *(request.caller, request.id, data.sku, data.location, data.quantity),
            *((data.delivery.name, data.delivery.content) if data.delivery else ()),
        )
        if data.delivery is not None:
            already = brought_before(unit.connection, data.delivery, row.item, row.quantity)
            if already is not None:
                return _level(unit, row, already)
            if store.is_on_its_way(unit.connection, row):
                raise WrongState(f"{row.item} of {row.delivery} is being received.", state="held")
        store.move(unit.connection, data.sku, data.location, data.quantity)
        restock = unit.send(RESTOCK, "catalog", Restock(sku=data.sku, quantity=data.quantity))
        store.save_receipt(unit.connection, row, restock)
        return None

    def _restocked(self, unit: UnitOfWork, answer: Answer[StockLevel]) -> None:
        row = store.take_receipt(unit.connection, answer.id)
        if row is None:
            return
        count = self._counting.told(unit, answer)
        if answer.problem is not None:
            store.move(unit.connection, row.sku, row.location, -row.quantity)
            if count is None:
                unit.answer(RECEIVE, row.caller, row.request, Refused(answer.problem))
            return
        store.adjust(
            unit.connection, row.sku, row.location, row.quantity, now=unit.now, count=count
        )
        if row.delivery is not None:
            delivery = Delivery(name=row.delivery, content=row.content)
            note(unit.connection, delivery, row.item, row.quantity, now=unit.now)
        if count is None:
            unit.answer(RECEIVE, row.caller, row.request, _level(unit, row))
        self._assigner.assign_jobs(unit)

    def _written_off(self, unit: UnitOfWork, answer: Answer[StockLevel]) -> None:
        self._counting.told(unit, answer)

    def _put_back(self, unit: UnitOfWork, data: Receive, parcel: str) -> BinLevel:
        goods = returns.goods_return(unit.connection, parcel)
        goods = goods_return.put_back(goods, data.sku, data.quantity)
        returns.save_return(unit.connection, goods, unit.steady)
        unit.alarm()
        quantity = store.move(unit.connection, data.sku, data.location, data.quantity)
        job = store.job(unit.connection, goods.job)
        self._assigner.assign_jobs(unit, finish_withdrawal(unit, job))
        return BinLevel(sku=data.sku, location=data.location, quantity=quantity)

    # -- orders -------------------------------------------------------------------------------

    def _fulfil(self, unit: UnitOfWork, request: Request[Fulfil]) -> OrderOnly:
        data = request.data
        existing = store.job_of_order(unit.connection, data.order)
        if existing is None:
            job = domain.Job(
                unit.environment.reference("j-"), data.order, data.pickup_point, tuple(data.lines)
            )
            self._assigner.assign_jobs(unit, job)
        elif existing.lines != tuple(data.lines) or existing.pickup_point != data.pickup_point:
            raise WrongState(f"Order {data.order} already has another job.", state=existing.state)
        return OrderOnly(order=data.order)

    def _withdraw(self, unit: UnitOfWork, request: Request[OrderOnly]) -> OrderOnly | None:
        """Undo a job; answered when all goods of the order are back on their shelves."""
        order = request.data.order
        job = store.job_of_order(unit.connection, order)
        if job is None:  # a tombstone: a late fulfil is refused
            job = domain.Job(unit.environment.reference("j-"), order, "none", (), "withdrawn")
            store.save_job(unit.connection, job, unit.now)
        if job.state == "withdrawn":
            return OrderOnly(order=order)
        if job.state == "assigned":
            job = self._assigner.supersede(unit, job)
        elif job.state == "packed":
            assert job.parcel is not None
            goods = goods_return.GoodsReturn(job.parcel, job.id, order, job.lines, job.pickup_point)
            returns.save_return(unit.connection, goods, unit.steady)
            unit.alarm()
        elif job.state == "waiting":
            for pick in job.picks:
                store.move(unit.connection, pick.sku, pick.location, pick.quantity)
        job = replace(
            job, picks=(), state="withdrawing", withdrawer=request.caller, withdrawal=request.id
        )
        self._assigner.assign_jobs(unit, finish_withdrawal(unit, job))
        return None


def _level(unit: UnitOfWork, row: store.GoodsReceipt, already: str | None = None) -> BinLevel:
    """How many pieces lie where goods were received."""
    quantity = store.move(unit.connection, row.sku, row.location, 0)
    return BinLevel(sku=row.sku, location=row.location, quantity=quantity, already=already)


def _locate(connection: sqlite3.Connection, request: Request[Locate]) -> Located:
    sku = request.data.sku
    received, written_off = store.accounted(connection, sku)
    bins = store.bins(connection, sku)[:MAX_ENTRIES]
    return Located(sku=sku, bins=bins, received=received, written_off=written_off)


def _show_returns(connection: sqlite3.Connection, _: Request[Empty]) -> Returns:
    return Returns(
        returns=[
            Return(parcel=goods.parcel, order=goods.order, lines=list(goods.lines))
            for goods in returns.goods_returns(connection, _RETURNS)
        ]
    )
