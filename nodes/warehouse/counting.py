"""Stock counts: a person says what lies at a location, and both books are corrected."""

import sqlite3
from collections.abc import Callable

from bus.contract.catalog import RESTOCK, WRITE_OFF, Restock, StockLevel, WriteOff
from bus.contract.errors import Refused
from bus.contract.warehouse import COUNT, Counted, CountGoods, CountList, Counts
from bus.runtime.requests import Answer, Request
from bus.runtime.unit_of_work import UnitOfWork
from nodes.warehouse import counts, store, troubles
from nodes.warehouse.domain import BookStock


class Counting:
    """Carries out counts, and answers them once the catalog has confirmed.

    Args:
        assign_jobs: called when there are more or fewer goods than before.
    """

    def __init__(self, assign_jobs: Callable[[UnitOfWork], object]) -> None:
        self._assign_jobs = assign_jobs

    def count(self, unit: UnitOfWork, request: Request[CountGoods]) -> Counted | None:
        """Correct the books of a location by what is certainly wrong."""
        data, rows = request.data, unit.connection
        location = data.location or counts.place_of(rows, data.sku)
        store.refuse_unknown_location(rows, location)
        if not data.counted:
            counts.refuse_never_seen(rows, data.sku)
        if troubles.counted(rows, data.sku, location):
            unit.alarm()
        book_stock = counts.book_stock(rows, data.sku, location)
        change = book_stock.correction(data.counted)
        row = counts.StockCount(
            request.caller, request.id, data.sku, location,
            book_stock.booked, data.counted, change, data.reason,
        )  # fmt: skip
        if not change:
            counts.save(rows, row, unit.now, None)
            return _counted(row, book_stock)
        store.move(rows, data.sku, location, change)
        if change > 0:
            message = unit.send(RESTOCK, "catalog", Restock(sku=data.sku, quantity=change))
            receipt = store.GoodsReceipt(request.caller, request.id, data.sku, location, change)
            store.save_receipt(rows, receipt, message)
            counts.save(rows, row, unit.now, message)
            return None
        message = unit.send(WRITE_OFF, "catalog", WriteOff(sku=data.sku, quantity=-change))
        number = counts.save(rows, row, unit.now, message)
        store.adjust(rows, data.sku, location, change, now=unit.now, count=number)
        self._assign_jobs(unit)
        return None

    def told(self, unit: UnitOfWork, answer: Answer[StockLevel]) -> int | None:
        """The catalog has confirmed or refused: answer the count, if there is one.

        Returns:
            The number of the count; None if the command was not about one.
        """
        found = counts.take_told(unit.connection, answer.id)
        if found is None:
            return None
        number, row = found
        if answer.problem is None:
            book_stock = counts.book_stock(unit.connection, row.sku, row.location)
            unit.answer(COUNT, row.caller, row.request, _counted(row, book_stock, answer.data))
            return number
        if row.change > 0:
            counts.forget(unit.connection, number)
        unit.answer(COUNT, row.caller, row.request, Refused(answer.problem))
        return number


def show(connection: sqlite3.Connection, request: Request[Counts]) -> CountList:
    """Past counts."""
    return CountList(counts=counts.past(connection, request.data.sku, request.data.limit))


def _counted(
    row: counts.StockCount, book_stock: BookStock, level: StockLevel | None = None
) -> Counted:
    """What was counted, and what the books say now."""
    return Counted(
        sku=row.sku,
        location=row.location,
        booked=row.booked,
        counted=row.counted,
        change=row.change,
        reason=row.reason,
        quantity=book_stock.booked,
        under_way=book_stock.leaving,
        level=level,
    )
