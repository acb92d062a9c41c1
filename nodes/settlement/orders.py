"""Saves orders and emits their changes; shows and lists them."""

import sqlite3
from dataclasses import replace

from bus.contract.channel import role_of
from bus.contract.errors import Problem
from bus.contract.settlement import (
    ORDER_CHANGED,
    PURCHASE,
    OrderChanged,
    OrderList,
    Orders,
    OrderView,
    Receipt,
)
from bus.runtime.requests import Request
from bus.runtime.unit_of_work import UnitOfWork
from nodes.settlement import domain, store
from nodes.settlement.order import Order

_MOST_IN_A_REPLY = 200


def save(unit: UnitOfWork, order: Order) -> None:
    """Write an order, and emit an event for each state that it has entered."""
    store.save(unit.connection, order)
    for entered in order.entered:
        then = replace(order, state=entered.state, since=entered.since)
        told = store.summary(then).model_dump()
        unit.emit(ORDER_CHANGED, OrderChanged(**told, reason=entered.reason))


def answer_purchase(unit: UnitOfWork, order: Order, reply: Receipt | Problem) -> None:
    """Answer the purchase that an order came from."""
    unit.answer(PURCHASE, order.terminal, order.request, reply)


def show(connection: sqlite3.Connection, identifier: str, caller: str) -> OrderView:
    """An order by its id; a terminal sees only its own.

    Raises:
        UnknownOrder: there is none of this id, or it is another terminal's.
    """
    view = store.view(connection, identifier)
    domain.refuse_other_terminal(view.order, view.terminal, caller)
    return view


def list_orders(connection: sqlite3.Connection, request: Request[Orders]) -> OrderList:
    """Orders, newest first; a terminal sees only its own."""
    terminal = request.caller if role_of(request.caller) == "terminal" else None
    limit = min(request.data.limit, _MOST_IN_A_REPLY)
    return OrderList(orders=store.orders(connection, request.data.state, terminal, limit))
