"""Mistakes of the ways back: cancelling, refunding, giving a job to another sorter."""
# ruff: noqa: SLF001 - a bug is planted where nobody else has a hand

from contextlib import AbstractContextManager
from dataclasses import replace
from itertools import count
from typing import Any
from unittest.mock import patch

from bus.contract.catalog import OrderOnly
from bus.contract.sorter import ABORT
from bus.contract.warehouse import WITHDRAW
from bus.runtime.unit_of_work import UnitOfWork
from nodes.catalog import role as catalog_role
from nodes.settlement import domain as settlement
from nodes.settlement.card_calls import CardCalls
from nodes.warehouse import domain as warehouse
from nodes.warehouse import store as warehouse_store
from nodes.warehouse.role import Warehouse
from simulation.planted.bug import Bug, never_sent


def _no_fence() -> AbstractContextManager[Any]:
    """A late `packed` of a superseded assignment is taken for the present one."""
    packed = warehouse.packed

    def planted(job: Any, caller: str, report: Any) -> Any:
        if job.state == "packed":
            return job
        fitting = replace(job, sorter=caller, assignment=report.assignment)
        return replace(packed(fitting, caller, report), sorter=job.sorter)

    return patch.object(warehouse, "packed", planted)


def _refunded_again() -> AbstractContextManager[Any]:
    """The acquirer is asked for a refund under another key each time, and for half of it."""
    give_back = CardCalls._give_back
    numbers = count()

    async def planted(self: Any, key: str, call: Any) -> None:
        half = call.total.model_copy(update={"amount": call.total.amount // 2})
        call = call.model_copy(update={"total": half})
        await give_back(self, f"{key}.{next(numbers)}", call)

    return patch.object(CardCalls, "_give_back", planted)


def _not_refunded() -> AbstractContextManager[Any]:
    """Only goods come back, money does not."""
    ways = {state: steps - {"refund"} for state, steps in settlement._WAYS_BACK.items()}
    return patch.object(settlement, "_WAYS_BACK", ways)


def _charge_forgotten() -> AbstractContextManager[Any]:
    """Cancelled while the acquirer is asked: what it answers then is of no interest."""
    ways = {state: steps - {"charge"} for state, steps in settlement._WAYS_BACK.items()}
    return patch.object(settlement, "_WAYS_BACK", ways)


def _no_tombstone() -> AbstractContextManager[Any]:
    """Released before it was reserved: the late reserve holds goods for nobody."""
    release = catalog_role._release

    def planted(unit: UnitOfWork, request: Any) -> OrderOnly:
        order = request.data.order
        known = unit.connection.execute("SELECT 1 FROM reservation WHERE order_id = ?", (order,))
        return release(unit, request) if known.fetchone() else OrderOnly(order=order)

    return patch.object(catalog_role, "_release", planted)


def _no_withdrawal_tombstone() -> AbstractContextManager[Any]:
    """Withdrawn before it was to be brought: the late `fulfil` brings it."""
    withdraw = Warehouse._withdraw

    def planted(self: Warehouse, unit: UnitOfWork, request: Any) -> Any:
        if warehouse_store.job_of_order(unit.connection, request.data.order) is None:
            return OrderOnly(order=request.data.order)
        return withdraw(self, unit, request)

    return patch.object(Warehouse, "_withdraw", planted)


BUGS = (
    Bug("a late `packed` of a superseded assignment is believed", _no_fence),
    Bug("a refund is asked for under another key each time", _refunded_again),
    Bug("a cancelled order's money stays", _not_refunded),
    Bug("a charge that was under way when it was cancelled is kept", _charge_forgotten),
    Bug("a release that came first does not stop the reserve", _no_tombstone),
    Bug("a withdrawal that came first does not stop the fulfil", _no_withdrawal_tombstone),
    Bug("a superseded sorter is not told to stop", lambda: never_sent(ABORT)),
    Bug("the warehouse is not told of a cancellation", lambda: never_sent(WITHDRAW)),
)
