"""The catalog's SQL for its range: which styles are retired, by whom and why."""

import sqlite3
from collections.abc import Sequence

from bus.contract.catalog import Registered, Retire, RetiredSince
from bus.contract.errors import InvalidField
from bus.contract.refusals import UnknownProduct
from bus.contract.timestamp import rfc3339
from nodes.catalog.domain import Stock
from nodes.catalog.store import record, stock_of_product, stock_or_refuse


def styles(connection: sqlite3.Connection, asked: Retire) -> tuple[str, list[Stock]]:
    """The product that is named, or whose style is, and its styles that are to change.

    Raises:
        UnknownSku: there is no such style.
        UnknownProduct: there is no such product.
        InvalidField: both are named, or neither.
    """
    if asked.sku is not None and asked.product is None:
        stock = stock_or_refuse(connection, asked.sku)
        return stock.product, [stock]
    if asked.product is None or asked.sku is not None:
        raise InvalidField("Give either `sku` or `product`.", field="sku")
    if not connection.execute("SELECT 1 FROM product WHERE id = ?", (asked.product,)).fetchone():
        raise UnknownProduct(f"There is no product {asked.product}.", product=asked.product)
    return asked.product, stock_of_product(connection, asked.product)


def save(
    connection: sqlite3.Connection, changed: Sequence[Stock], *, caller: str, reason: str, now: int
) -> None:
    """Write styles that were retired or reinstated, and who did it and why."""
    connection.executemany(
        "UPDATE style SET retired = ? WHERE sku = ?",
        [(stock.retired, stock.sku) for stock in changed],
    )
    connection.executemany(
        "INSERT INTO retirement (at, sku, retired, caller, reason) VALUES (?, ?, ?, ?, ?)",
        [(now, stock.sku, stock.retired, caller, reason) for stock in changed],
    )


def retired(connection: sqlite3.Connection, after: str | None, limit: int) -> list[RetiredSince]:
    """The retired styles, in the order of SKUs, each with who retired it last, and why."""
    rows = connection.execute(
        "SELECT style.sku, product, on_hand, reserved, at, caller, reason FROM style"
        " JOIN retirement ON retirement.id ="
        " (SELECT max(id) FROM retirement WHERE retirement.sku = style.sku)"
        " WHERE style.retired AND style.sku > ? ORDER BY style.sku LIMIT ?",
        (after or "", limit),
    )
    return [
        RetiredSince(
            sku=row["sku"],
            product=row["product"],
            on_hand=row["on_hand"],
            reserved=row["reserved"],
            by=row["caller"],
            at=rfc3339(row["at"]),
            reason=row["reason"],
        )
        for row in rows
    ]


def codes(connection: sqlite3.Connection, product: str) -> list[tuple[str, str]]:
    """The SKU and GTIN of each retired style of a product."""
    rows = connection.execute(
        "SELECT sku, gtin FROM style WHERE product = ? AND retired", (product,)
    )
    return [(row["sku"], row["gtin"]) for row in rows]


def registered(connection: sqlite3.Connection, after: str | None, limit: int) -> list[Registered]:
    """Products with all of their styles, in the order of their ids."""
    ids = connection.execute(
        "SELECT id FROM product WHERE id > ? ORDER BY id LIMIT ?", (after or "", limit)
    ).fetchall()
    found = (record(connection, row["id"]) for row in ids)
    return [
        Registered(**dict(each), retired=[sku for sku, _ in codes(connection, each.id)])
        for each in found
        if each is not None
    ]
