"""The catalog's SQL: loads the rows that a decision needs, and saves what was decided."""

import sqlite3
from collections.abc import Iterable
from typing import Any

from pydantic_core import from_json, to_json

from bus.contract.catalog import Price, PricedLine, Product, ProductRecord, Style, StyleRecord
from bus.contract.refusals import UnknownSku
from bus.storage.journal import Schema
from nodes.catalog.codes import Code, Owner
from nodes.catalog.domain import Decision, Reservation, Stock

SCHEMA = Schema("nodes.catalog", "nodes.catalog")

_STOCK = (
    "SELECT sku, product, amount, currency, on_hand, reserved, received, written_off, short,"
    " retired FROM style"
)


def stock(connection: sqlite3.Connection, skus: Iterable[str]) -> dict[str, Stock]:
    """The stock of SKUs; those that are not registered are left out."""
    rows = (connection.execute(f"{_STOCK} WHERE sku = ?", (sku,)).fetchone() for sku in skus)
    return {row["sku"]: _stock(row) for row in rows if row is not None}


def stock_of_product(connection: sqlite3.Connection, product: str) -> list[Stock]:
    """The stock of all styles of a product."""
    return [_stock(row) for row in connection.execute(f"{_STOCK} WHERE product = ?", (product,))]


def _stock(row: Any) -> Stock:
    return Stock(**{**dict(row), "retired": bool(row["retired"])})


def reservation(connection: sqlite3.Connection, order: str) -> Reservation | None:
    """An order's reservation; None if it has none."""
    row = connection.execute(
        "SELECT state FROM reservation WHERE order_id = ?", (order,)
    ).fetchone()
    if row is None:
        return None
    lines = connection.execute(
        "SELECT sku, quantity, amount, currency FROM reservation_line"
        " WHERE order_id = ? ORDER BY place",
        (order,),
    )
    return Reservation(order, row["state"], tuple(_line(line) for line in lines))


def save(connection: sqlite3.Connection, decision: Decision, now: int) -> None:
    """Write a decision."""
    kept = decision.reservation
    new = connection.execute(
        "INSERT INTO reservation VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (kept.order, kept.state, now),
    ).rowcount
    if new:
        _insert_lines(connection, kept)
    else:
        connection.execute(
            "UPDATE reservation SET state = ?, at = ? WHERE order_id = ? AND state <> ?",
            (kept.state, now, kept.order, kept.state),
        )
    save_stock(connection, decision.stock)


def save_lines(connection: sqlite3.Connection, kept: Reservation) -> None:
    """Write the lines of a reservation that has become smaller."""
    connection.execute("DELETE FROM reservation_line WHERE order_id = ?", (kept.order,))
    _insert_lines(connection, kept)


def _insert_lines(connection: sqlite3.Connection, kept: Reservation) -> None:
    connection.executemany(
        "INSERT INTO reservation_line VALUES (?, ?, ?, ?, ?, ?)",
        [
            (kept.order, place, line.sku, line.quantity, line.price.amount, line.price.currency)
            for place, line in enumerate(kept.lines)
        ],
    )


def save_stock(connection: sqlite3.Connection, rows: Iterable[Stock]) -> None:
    """Write the levels of styles."""
    connection.executemany(
        "UPDATE style SET on_hand = ?, reserved = ?, received = ?, written_off = ?, short = ?"
        " WHERE sku = ?",
        [
            (row.on_hand, row.reserved, row.received, row.written_off, row.short, row.sku)
            for row in rows
        ],
    )


def stock_or_refuse(connection: sqlite3.Connection, sku: str) -> Stock:
    """The stock of one SKU.

    Raises:
        UnknownSku: there is no such style.
    """
    found = stock(connection, [sku])
    if sku not in found:
        raise UnknownSku(f"There is no style {sku}.", sku=sku)
    return found[sku]


def record(connection: sqlite3.Connection, identifier: str) -> ProductRecord | None:
    """A product as it is registered, with its retired styles."""
    row = connection.execute("SELECT * FROM product WHERE id = ?", (identifier,)).fetchone()
    if row is None:
        return None
    styles = connection.execute(
        "SELECT * FROM style WHERE product = ? ORDER BY place, sku", (identifier,)
    )
    return ProductRecord(**dict(row), styles=[StyleRecord(**_registered(each)) for each in styles])


def upsert(connection: sqlite3.Connection, record: ProductRecord, codes: Iterable[Code]) -> None:
    """Write a product with all of its styles, in their order, and its codes; levels stay."""
    connection.execute(
        "INSERT INTO product VALUES (:id, :name, :description, :url) ON CONFLICT (id) DO UPDATE"
        " SET name = :name, description = :description, url = :url",
        {
            "id": record.id,
            "name": record.name,
            "description": record.description,
            "url": record.url,
        },
    )
    for place, style in enumerate(record.styles):
        _upsert_style(connection, record.id, place, style)
    save_codes(connection, record.id, codes)


def owners(connection: sqlite3.Connection, codes: Iterable[Code]) -> dict[str, list[Owner]]:
    """The present owners of codes, by spelling."""
    query = "SELECT product, nullif(sku, '') AS sku FROM code WHERE spelling = ?"
    return {
        code.spelling: [Owner(**dict(row)) for row in connection.execute(query, (code.spelling,))]
        for code in codes
    }


def save_codes(connection: sqlite3.Connection, product: str, codes: Iterable[Code]) -> None:
    """Write all codes of a product in place of those that it had."""
    connection.execute("DELETE FROM code WHERE product = ?", (product,))
    connection.executemany(
        "INSERT INTO code VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        [(code.spelling, product, code.owner.sku or "") for code in codes],
    )


def without_codes(connection: sqlite3.Connection) -> list[str]:
    """The products without stored codes, which an older Storebus registered."""
    rows = connection.execute(
        "SELECT id FROM product WHERE NOT EXISTS (SELECT 1 FROM code WHERE product = product.id)"
    )
    return [row["id"] for row in rows]


def _upsert_style(
    connection: sqlite3.Connection, product: str, place: int, style: StyleRecord
) -> None:
    connection.execute(
        "INSERT INTO style (sku, product, place, gtin, attributes, amount, currency, tax_rate)"
        " VALUES (:sku, :product, :place, :gtin, :attributes, :amount, :currency, :tax_rate)"
        " ON CONFLICT (sku) DO UPDATE SET place = :place, gtin = :gtin, attributes = :attributes,"
        " amount = :amount, currency = :currency, tax_rate = :tax_rate",
        {
            "sku": style.sku,
            "product": product,
            "place": place,
            "gtin": style.gtin,
            "attributes": to_json(style.attributes).decode(),
            "amount": style.price.amount,
            "currency": style.price.currency,
            "tax_rate": style.tax_rate,
        },
    )


def product_ids(connection: sqlite3.Connection) -> list[str]:
    """The ids of all products."""
    return [row["id"] for row in connection.execute("SELECT id FROM product ORDER BY id")]


def product(connection: sqlite3.Connection, identifier: str) -> Product | None:
    """A product with the styles that are sold now, which may be none; None if it is unknown."""
    row = connection.execute("SELECT * FROM product WHERE id = ?", (identifier,)).fetchone()
    if row is None:
        return None
    styles = connection.execute(
        "SELECT * FROM style WHERE product = ? AND NOT retired ORDER BY place, sku",
        (identifier,),
    )
    return Product(
        id=row["id"],
        name=row["name"],
        description=row["description"],
        url=row["url"],
        styles=[_style(style) for style in styles],
    )


def _style(row: Any) -> Style:
    return Style(**_registered(row), available=row["on_hand"] - row["reserved"])


def _registered(row: Any) -> dict[str, Any]:
    return {
        "sku": row["sku"],
        "gtin": row["gtin"],
        "attributes": from_json(row["attributes"]),
        "price": Price(amount=row["amount"], currency=row["currency"]),
        "tax_rate": row["tax_rate"],
    }


def _line(row: Any) -> PricedLine:
    return PricedLine(
        sku=row["sku"],
        quantity=row["quantity"],
        price=Price(amount=row["amount"], currency=row["currency"]),
    )
