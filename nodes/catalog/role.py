"""Wires the catalog's decisions to its channels."""

import sqlite3
from collections.abc import Sequence
from typing import TypeVar

from bus.contract.catalog import (
    COMMIT,
    LOOKUP,
    REGISTERED,
    REINSTATE,
    RELEASE,
    RESERVE,
    RESTOCK,
    RETIRE,
    RETIRED,
    SEARCH,
    STOCK_CHANGED,
    UPSERT,
    WRITE_OFF,
    Found,
    Lookup,
    OrderOnly,
    Product,
    Registered,
    RegisteredList,
    RegisteredQuery,
    Release,
    Reserve,
    Reserved,
    Restock,
    Retire,
    RetiredList,
    RetiredQuery,
    RetireReply,
    Search,
    SearchResult,
    StockChanged,
    StockLevel,
    Upsert,
    Upserted,
    WriteOff,
)
from bus.contract.errors import TooLarge
from bus.contract.values import MAX_PAYLOAD
from bus.runtime.requests import Request
from bus.runtime.role import Role
from bus.runtime.unit_of_work import UnitOfWork
from nodes.catalog import domain, stock_range, store
from nodes.catalog.codes import codes_of, refuse_taken
from nodes.catalog.product_index import ProductIndex
from nodes.catalog.registration import register

ProductT = TypeVar("ProductT", Product, Registered)
_ROOM = MAX_PAYLOAD * 3 // 4
"""The bytes of a payload that products may take in a reply."""
_PRODUCT, _LEVEL = "product", "level"
"""What a commit has changed: all of a product, or how many of a style are left."""


class Catalog:
    """The first server role."""

    def __init__(self) -> None:
        self._index = ProductIndex()
        self.role = Role(
            kind="catalog",
            schemas=(store.SCHEMA,),
            queries={
                LOOKUP: self._look_up,
                SEARCH: self._search,
                RETIRED: _show_retired,
                REGISTERED: _show_registered,
            },
            long_queries=frozenset({RETIRED, REGISTERED}),
            commands={
                RESERVE: _reserve,
                COMMIT: _commit,
                RELEASE: _release,
                RESTOCK: _restock,
                WRITE_OFF: _write_off,
                UPSERT: _upsert,
                RETIRE: _retire,
                REINSTATE: _reinstate,
            },
            started=_begin,
            committed=self._refresh,
        )

    def _look_up(self, _: sqlite3.Connection, request: Request[Lookup]) -> Found:
        return self._index.look_up(request.data.code)

    def _search(self, _: sqlite3.Connection, request: Request[Search]) -> SearchResult:
        found = self._index.search(request.data.text, request.data.limit, request.data.after)
        return SearchResult(products=_fitting(found))

    def _refresh(self, connection: sqlite3.Connection, touched: frozenset[str]) -> None:
        for key in touched:
            kind, _, name = key.partition(" ")
            if kind == _LEVEL:
                self._index.level(name, store.stock_or_refuse(connection, name).available)
                continue
            product = store.product(connection, name)
            if product is not None:
                self._index.put(product, stock_range.codes(connection, name))


def _fitting(products: Sequence[ProductT]) -> list[ProductT]:
    """The first products, as many as fit into one reply."""
    room, fitting = _ROOM, list[ProductT]()
    for product in products:
        room -= len(product.model_dump_json())
        if room < 0 and fitting:
            break
        fitting.append(product)
    return fitting


def _begin(unit: UnitOfWork) -> None:
    for identifier in store.without_codes(unit.connection):
        record = store.record(unit.connection, identifier)
        if record is not None:
            store.save_codes(unit.connection, identifier, codes_of(record))
    for identifier in store.product_ids(unit.connection):
        unit.touch(f"{_PRODUCT} {identifier}")


def _reserve(unit: UnitOfWork, request: Request[Reserve]) -> Reserved:
    data = request.data
    decision = domain.reserve(
        data.order,
        data.lines,
        store.stock(unit.connection, [line.sku for line in data.lines]),
        store.reservation(unit.connection, data.order),
    )
    _save(unit, decision)
    return Reserved(order=data.order, lines=list(decision.reservation.lines))


def _commit(unit: UnitOfWork, request: Request[OrderOnly]) -> OrderOnly:
    order = request.data.order
    existing, stock = _held(unit, order)
    _save(unit, domain.commit(order, existing, stock))
    return OrderOnly(order=order)


def _release(unit: UnitOfWork, request: Request[Release]) -> OrderOnly:
    order, lines = request.data.order, request.data.lines
    existing, stock = _held(unit, order)
    if lines is None:
        _save(unit, domain.release(order, existing, stock))
    else:
        decision = domain.release_some(order, lines, existing, stock)
        _save(unit, decision)
        store.save_lines(unit.connection, decision.reservation)
    return OrderOnly(order=order)


def _held(
    unit: UnitOfWork, order: str
) -> tuple[domain.Reservation | None, dict[str, domain.Stock]]:
    """An order's reservation, and the stock of the styles in it."""
    existing = store.reservation(unit.connection, order)
    skus = [line.sku for line in existing.lines] if existing else []
    return existing, store.stock(unit.connection, skus)


def _restock(unit: UnitOfWork, request: Request[Restock]) -> StockLevel:
    stock = store.stock_or_refuse(unit.connection, request.data.sku)
    return _save_level(unit, domain.restock(stock, request.data.quantity))


def _write_off(unit: UnitOfWork, request: Request[WriteOff]) -> StockLevel:
    stock = store.stock_or_refuse(unit.connection, request.data.sku)
    return _save_level(unit, domain.write_off(stock, request.data.quantity))


def _save_level(unit: UnitOfWork, stock: domain.Stock) -> StockLevel:
    store.save_stock(unit.connection, [stock])
    _tell(unit, (stock,))
    return stock.level()


def _upsert(unit: UnitOfWork, request: Request[Upsert]) -> Upserted:
    created = 0
    for update in request.data.products:
        existing = store.record(unit.connection, update.id)
        record = register(existing, update)
        if len(record.model_dump_json()) > _ROOM:
            raise TooLarge(f"{record.id} does not fit into a reply.", limit=_ROOM)
        codes = codes_of(record)
        before = codes_of(existing) if existing else ()
        refuse_taken(codes, before, store.owners(unit.connection, codes))
        store.upsert(unit.connection, record, codes)
        created += existing is None
        unit.touch(f"{_PRODUCT} {record.id}")
    retired = [
        sku
        for record in request.data.products
        for sku, _ in stock_range.codes(unit.connection, record.id)
        if any(style.sku == sku for style in record.styles)
    ]
    return Upserted(created=created, updated=len(request.data.products) - created, retired=retired)


def _retire(unit: UnitOfWork, request: Request[Retire]) -> RetireReply:
    return _change_range(unit, request, retired=True)


def _reinstate(unit: UnitOfWork, request: Request[Retire]) -> RetireReply:
    return _change_range(unit, request, retired=False)


def _change_range(unit: UnitOfWork, request: Request[Retire], *, retired: bool) -> RetireReply:
    data = request.data
    product, styles = stock_range.styles(unit.connection, data)
    changed, shown = domain.change_range(styles, retired=retired)
    stock_range.save(
        unit.connection, changed, caller=request.caller, reason=data.reason, now=unit.now
    )
    unit.touch(f"{_PRODUCT} {product}")
    return RetireReply(product=product, styles=shown)


def _show_retired(connection: sqlite3.Connection, request: Request[RetiredQuery]) -> RetiredList:
    data = request.data
    return RetiredList(styles=stock_range.retired(connection, data.after, data.limit))


def _show_registered(
    connection: sqlite3.Connection, request: Request[RegisteredQuery]
) -> RegisteredList:
    data = request.data
    found = stock_range.registered(connection, data.after, data.limit)
    return RegisteredList(products=_fitting(found))


def _save(unit: UnitOfWork, decision: domain.Decision) -> None:
    store.save(unit.connection, decision, unit.now)
    _tell(unit, decision.stock)


def _tell(unit: UnitOfWork, changed: tuple[domain.Stock, ...]) -> None:
    if changed:
        unit.emit(STOCK_CHANGED, StockChanged(levels=[stock.level() for stock in changed]))
    for stock in changed:
        unit.touch(f"{_LEVEL} {stock.sku}")
