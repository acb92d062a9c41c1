"""Wires the warehouse's decisions to its channels."""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from bus.contract.catalog import (
    RESTOCK,
    WRITE_OFF,
    Line,
    OrderOnly,
    Restock,
    StockLevel,
    WriteOff,
)
from bus.contract.channel import State, role_of
from bus.contract.every import PRESENCE, Presence
from bus.contract.settlement import FAILED, READY, Failed, Ready
from bus.contract.sorter import ABORT, PICK, Abort, Aborted, Pick, PickReply
from bus.contract.values import Empty, Model, Reference
from bus.contract.warehouse import (
    ALARMS_STATE,
    FAULT,
    FULFIL,
    LOCATE,
    PACKED,
    PICKUP_POINTS,
    PICKUP_POINTS_STATE,
    RECEIVE,
    RETURNS,
    SHORT_PICK,
    WITHDRAW,
    Alarms,
    BinLevel,
    Fault,
    Fulfil,
    JobOnly,
    Locate,
    Located,
    Packed,
    PickupPoints,
    Receive,
    Return,
    Returns,
    ShortPick,
    ShortPickReply,
)
from bus.errors import Refused, WrongState
from bus.intake import Answer, Observed, Request
from bus.role import Role, Timer
from bus.turn import Turn
from nodes.warehouse import domain, returns, store
from nodes.warehouse.settings import WarehouseSettings

_LOOK_AGAIN = 1000
"""Milliseconds until a job that a sorter did not take is offered again."""
_SORTERS = 100
"""The most sorters that one turn gives jobs to."""
_RETURNS = 100
"""The most returns in one reply."""


class Patience(Model):
    """Set when a job may have to be given to another sorter."""

    job: Reference
    assignment: int
    if_lost: bool
    """Only if its sorter is not there."""


class Warehouse:
    """The third server role.

    Args:
        points: the pickup points and the default.
        locations: the storage locations; those of an earlier start stay.
        settings: how long it waits for its sorters.
    """

    def __init__(
        self,
        points: PickupPoints,
        locations: Iterable[str] = (),
        settings: WarehouseSettings | None = None,
    ) -> None:
        settings = settings or WarehouseSettings()
        self._points = points
        self._locations = tuple(locations)
        self._lost_sorter = round(settings.lost_sorter * 1000)
        self._slow_job = round(settings.slow_job * 1000)
        self._fault_pause = round(settings.fault_pause * 1000)
        self.role = Role(
            kind="warehouse",
            package="nodes.warehouse",
            queries={PICKUP_POINTS: self._show_points, LOCATE: _locate, RETURNS: _show_returns},
            commands={
                FULFIL: self._fulfil,
                WITHDRAW: self._withdraw,
                PACKED: self._packed,
                FAULT: self._fault,
                SHORT_PICK: self._short_pick,
                RECEIVE: self._receive,
            },
            answers={PICK: self._taken, ABORT: self._aborted, RESTOCK: self._restocked},
            watches={PRESENCE: self._presence},
            timers=(
                Timer("dispatch", Empty, lambda turn, _: self._dispatch(turn)),
                Timer("patience", Patience, self._out_of_patience),
            ),
            started=self._start,
            states=self._states,
        )

    def _start(self, turn: Turn) -> None:
        store.save_locations(turn.connection, self._locations)

    def _states(self, rows: sqlite3.Connection) -> Iterable[tuple[State[Any], Model]]:
        return [
            (PICKUP_POINTS_STATE, self._points),
            (ALARMS_STATE, Alarms(alarms=returns.alarms(rows))),
        ]

    def _show_points(self, _: sqlite3.Connection, __: Request[Empty]) -> PickupPoints:
        return self._points

    # -- goods in -----------------------------------------------------------------------------

    def _receive(self, turn: Turn, request: Request[Receive]) -> BinLevel | None:
        data = request.data
        store.refuse_unknown_location(turn.connection, data.location)
        if data.parcel is not None:
            return self._put_back(turn, data, data.parcel)
        store.move(turn.connection, data.sku, data.location, data.quantity)
        restock = turn.send(RESTOCK, "catalog", Restock(sku=data.sku, quantity=data.quantity))
        row = store.GoodsReceipt(request.caller, request.id, data.sku, data.location, data.quantity)
        store.save_receipt(turn.connection, row, restock)
        return None

    def _restocked(self, turn: Turn, answer: Answer[StockLevel]) -> None:
        row = store.take_receipt(turn.connection, answer.id)
        if row is None:
            return
        if answer.problem is not None:
            store.move(turn.connection, row.sku, row.location, -row.quantity)
            turn.answer(RECEIVE, row.caller, row.request, Refused(answer.problem))
            return
        store.adjust(turn.connection, row.sku, row.location, row.quantity, now=turn.now)
        quantity = store.move(turn.connection, row.sku, row.location, 0)
        level = BinLevel(sku=row.sku, location=row.location, quantity=quantity)
        turn.answer(RECEIVE, row.caller, row.request, level)
        self._dispatch(turn)

    def _put_back(self, turn: Turn, data: Receive, parcel: str) -> BinLevel:
        goods = returns.goods_return(turn.connection, parcel)
        goods = domain.put_back(goods, data.sku, data.quantity)
        returns.save_return(turn.connection, goods, turn.now)
        quantity = store.move(turn.connection, data.sku, data.location, data.quantity)
        self._finish_withdrawal(turn, goods.job)
        self._dispatch(turn)
        return BinLevel(sku=data.sku, location=data.location, quantity=quantity)

    # -- orders -------------------------------------------------------------------------------

    def _fulfil(self, turn: Turn, request: Request[Fulfil]) -> OrderOnly:
        data = request.data
        existing = store.job_of_order(turn.connection, data.order)
        if existing is None:
            job = domain.Job(
                turn.identity.reference("j-"), data.order, data.pickup_point, tuple(data.lines)
            )
            store.save_job(turn.connection, job, turn.now)
            self._dispatch(turn)
        elif existing.lines != tuple(data.lines) or existing.pickup_point != data.pickup_point:
            raise WrongState(f"Order {data.order} already has another job.", state=existing.state)
        return OrderOnly(order=data.order)

    def _withdraw(self, turn: Turn, request: Request[OrderOnly]) -> OrderOnly | None:
        """Answered when all goods of the order are back on their shelves."""
        order = request.data.order
        job = store.job_of_order(turn.connection, order)
        if job is None:  # a tombstone: a late fulfil is refused
            job = domain.Job(turn.identity.reference("j-"), order, "none", (), "withdrawn")
            store.save_job(turn.connection, job, turn.now)
        if job.state == "withdrawn":
            return OrderOnly(order=order)
        if job.state == "assigned":
            job = self._supersede(turn, job)
        elif job.state == "packed":
            assert job.parcel is not None
            goods = domain.GoodsReturn(job.parcel, job.id, order, job.lines)
            returns.save_return(turn.connection, goods, turn.now)
        elif job.state == "waiting":
            for pick in job.picks:
                store.move(turn.connection, pick.sku, pick.location, pick.quantity)
        job = replace(
            job, picks=(), state="withdrawing", withdrawer=request.caller, withdrawal=request.id
        )
        store.save_job(turn.connection, job, turn.now)
        self._finish_withdrawal(turn, job.id)
        self._dispatch(turn)
        return None

    def _finish_withdrawal(self, turn: Turn, identifier: str) -> None:
        job = store.job(turn.connection, identifier)
        if job.state != "withdrawing" or not returns.is_back(turn.connection, job.id):
            return
        store.save_job(turn.connection, replace(job, state="withdrawn"), turn.now)
        assert job.withdrawer is not None
        assert job.withdrawal is not None
        turn.answer(WITHDRAW, job.withdrawer, job.withdrawal, OrderOnly(order=job.order))

    # -- sorters ------------------------------------------------------------------------------

    def _dispatch(self, turn: Turn) -> None:
        """Give waiting jobs to free sorters, as far as the bins hold their goods."""
        online = {name for name in turn.online if role_of(name) == "sorter"}
        online -= returns.paused(turn.connection, turn.now)
        busy = store.busy(turn.connection) & online
        waiting = store.waiting(turn.connection, _SORTERS)
        ready: list[domain.Job] = []
        for job in waiting:
            if len(ready) >= len(online) - len(busy):
                break
            allocated = self._allocate(turn, job)
            if allocated is not None:
                ready.append(allocated)
        for job, sorter in domain.assign(ready, busy, online):
            message = turn.send(PICK, sorter, domain.pick(job))
            store.save_job(turn.connection, replace(job, pick_message=message), turn.now)
            patience = Patience(job=job.id, assignment=job.assignment, if_lost=False)
            turn.after(self._slow_job, "patience", patience)
        self._raise_alarms(turn, nobody=bool(waiting) and not online)

    def _allocate(self, turn: Turn, job: domain.Job) -> domain.Job | None:
        """A waiting job with its goods taken out of the bins' books; None if it has to wait on.

        What no bin holds and nobody will put back cannot be had: the job goes on without it.
        """
        if job.picks:
            return job
        held = store.held(turn.connection, job.lines)
        missing = domain.lacking(job.lines, held)
        if any(returns.is_coming_back(turn.connection, line.sku) for line in missing):
            return None
        if missing:
            job = domain.go_without(job, missing)
            store.save_job(turn.connection, job, turn.now)
            _tell_missing(turn, job, missing)
        picks = domain.allocate(job.lines, held)
        if not picks:
            return None
        for pick in picks:
            store.move(turn.connection, pick.sku, pick.location, -pick.quantity)
        return replace(job, picks=picks)

    def _raise_alarms(self, turn: Turn, *, nobody: bool) -> None:
        detail = "No sorter is there that could bring the goods." if nobody else None
        if returns.set_alarm(turn.connection, "no-sorter", detail, turn.now):
            turn.show(ALARMS_STATE, Alarms(alarms=returns.alarms(turn.connection)))

    def _taken(self, turn: Turn, answer: Answer[PickReply]) -> None:
        """A sorter took its job, or did not: then the job waits again."""
        if answer.data is not None and answer.data.accepted:
            return
        sent: Pick = answer.request
        job = store.job(turn.connection, sent.job)
        if job.state == "assigned" and job.assignment == sent.assignment:
            store.save_job(turn.connection, self._supersede(turn, job), turn.now)
            turn.after(_LOOK_AGAIN, "dispatch", Empty())

    def _packed(self, turn: Turn, request: Request[Packed]) -> JobOnly:
        report = request.data
        before = store.job(turn.connection, report.job)
        job = domain.packed(before, request.caller, report)
        if job != before:
            store.save_job(turn.connection, job, turn.now)
            ready = Ready(order=job.order, parcel=report.parcel, pickup_point=job.pickup_point)
            turn.send(READY, "settlement", ready)
            self._dispatch(turn)
        return JobOnly(job=job.id)

    def _fault(self, turn: Turn, request: Request[Fault]) -> JobOnly:
        job = store.job(turn.connection, request.data.job)
        if job.sorter != request.caller or job.assignment != request.data.assignment:
            raise WrongState(f"Job {job.id} is not {request.caller}'s.", state=job.state)
        if job.state == "assigned":
            self._give_to_another(turn, job)
        return JobOnly(job=job.id)

    def _short_pick(self, turn: Turn, request: Request[ShortPick]) -> ShortPickReply:
        """A location holds fewer than the books say: they are corrected, here and at the catalog.

        The sorter took all there was: whatever else the books have there is not there either.
        """
        data = request.data
        before = store.job(turn.connection, data.job)
        held = {place.location: place.quantity for place in store.bins(turn.connection, data.sku)}
        short = domain.short_pick(before, request.caller, data, held)
        left = held.get(data.location, 0)
        store.move(turn.connection, data.sku, data.location, -left)
        gone = short.absent + left
        store.adjust(turn.connection, data.sku, data.location, -gone, now=turn.now, job=before.id)
        turn.send(WRITE_OFF, "catalog", WriteOff(sku=data.sku, quantity=gone))
        for pick in short.elsewhere:
            store.move(turn.connection, pick.sku, pick.location, -pick.quantity)
        store.save_job(turn.connection, short.job, turn.now)
        if short.missing:
            _tell_missing(turn, short.job, short.missing)
        if short.job.state == "withdrawn":
            turn.drop(before.pick_message)
            self._dispatch(turn)
        return ShortPickReply(job=before.id, picks=list(short.elsewhere))

    def _presence(self, turn: Turn, observed: Observed[Presence]) -> None:
        if role_of(observed.node) != "sorter":
            return
        job = store.job_of_sorter(turn.connection, observed.node)
        if observed.data.status != "online" and job is not None:
            patience = Patience(job=job.id, assignment=job.assignment, if_lost=True)
            turn.after(self._lost_sorter, "patience", patience)
        self._dispatch(turn)

    def _out_of_patience(self, turn: Turn, patience: Patience) -> None:
        """A sorter is slow, or gone for too long: its job is given to another."""
        job = store.job(turn.connection, patience.job)
        if job.state != "assigned" or job.assignment != patience.assignment:
            return
        if patience.if_lost and turn.node not in turn.online:
            turn.after(_LOOK_AGAIN, "patience", patience)  # we have just started: who is there?
        elif not (patience.if_lost and job.sorter in turn.online):
            self._give_to_another(turn, job)

    def _give_to_another(self, turn: Turn, job: domain.Job) -> None:
        """Its sorter cannot be relied on now: it gets no job for a while."""
        assert job.sorter is not None
        returns.pause(turn.connection, job.sorter, turn.now + self._fault_pause)
        turn.after(self._fault_pause, "dispatch", Empty())
        store.save_job(turn.connection, self._supersede(turn, job), turn.now)
        self._dispatch(turn)

    def _supersede(self, turn: Turn, job: domain.Job) -> domain.Job:
        """Take a job from its sorter: what that one had taken, it says when it is back."""
        assert job.sorter is not None
        returns.save_superseded(turn.connection, job)
        turn.drop(job.pick_message)
        turn.send(ABORT, job.sorter, Abort(job=job.id, assignment=job.assignment))
        return domain.supersede(job)

    def _aborted(self, turn: Turn, answer: Answer[Aborted]) -> None:
        sent: Abort = answer.request
        picks = returns.take_superseded(turn.connection, sent.job, sent.assignment)
        if picks is None:
            return
        job = store.job(turn.connection, sent.job)
        # A sorter that cannot say has to be looked after by a person: all counts as taken.
        taken = list(answer.data.taken) if answer.data is not None else list(job.lines)
        there, gone = domain.split_taken(picks, taken)
        for pick in there:
            store.move(turn.connection, pick.sku, pick.location, pick.quantity)
        goods = domain.GoodsReturn(f"{job.id}.{sent.assignment}", job.id, job.order, gone)
        returns.save_return(turn.connection, goods, turn.now)
        self._finish_withdrawal(turn, job.id)
        self._dispatch(turn)


def _tell_missing(turn: Turn, job: domain.Job, missing: Sequence[Line]) -> None:
    """Settlement gives the money back: of those lines, or of all if nothing is left."""
    what = ", ".join(f"{line.quantity} of {line.sku}" for line in missing)
    lines = list(missing) if job.lines else None
    failed = Failed(order=job.order, reason=f"{what} could not be found"[:200], lines=lines)
    turn.send(FAILED, "settlement", failed)


def _locate(connection: sqlite3.Connection, request: Request[Locate]) -> Located:
    sku = request.data.sku
    return Located(sku=sku, bins=store.bins(connection, sku))


def _show_returns(connection: sqlite3.Connection, _: Request[Empty]) -> Returns:
    return Returns(
        returns=[
            Return(parcel=goods.parcel, order=goods.order, lines=list(goods.lines))
            for goods in returns.goods_returns(connection, _RETURNS)
        ]
    )
