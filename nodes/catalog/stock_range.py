"""The catalog's SQL for its range: which styles are retired, by whom and why."""

import sqlite3

from bus.contract.catalog import Registered, Retire, RetiredSince, RetiredStyle
from bus.contract.errors import InvalidField
from bus.contract.refusals import UnknownProduct
from bus.contract.timestamp import rfc3339
from nodes.catalog.store import record, stock_or_refuse


def product_of(connection: sqlite3.Connection, asked: Retire) -> str:
    """The product that is asked about.

    Raises:
        UnknownSku: there is no such style.
        UnknownProduct: there is no such product.
        InvalidField: both are named, or neither.
    """
    if asked.sku is not None and asked.product is None:
        return stock_or_refuse(connection, asked.sku).product
    if asked.product is None or asked.sku is not None:
        raise InvalidField("Give either `sku` or `product`.", field="sku")
    if not connection.execute("SELECT 1 FROM product WHERE id = ?", (asked.product,)).fetchone():
        raise UnknownProduct(f"There is no product {asked.product}.", product=asked.product)
    return asked.product


def change(
    connection: sqlite3.Connection, asked: Retire, *, retired: bool, caller: str, now: int
) -> list[RetiredStyle]:
    """Retire a style or all of a product's, or take them back; returns those that were not so."""
    rows = connection.execute(
        "UPDATE style SET retired = :retired"
        " WHERE (sku = :sku OR product = :product) AND retired <> :retired"
        " RETURNING sku, product, on_hand, reserved",
        {"retired": retired, "sku": asked.sku, "product": asked.product},
    ).fetchall()
    connection.executemany(
        "INSERT INTO retirement (at, sku, retired, caller, reason) VALUES (?, ?, ?, ?, ?)",
        [(now, row["sku"], retired, caller, asked.reason) for row in rows],
    )
    return sorted((_style(row) for row in rows), key=lambda style: style.sku)


def retired(connection: sqlite3.Connection, after: str | None, limit: int) -> list[RetiredSince]:
    """What is retired, with the last word on each, in the order of SKUs."""
    rows = connection.execute(
        "SELECT style.sku, product, on_hand, reserved, at, caller, reason FROM style"
        " JOIN retirement ON retirement.id ="
        " (SELECT max(id) FROM retirement WHERE retirement.sku = style.sku)"
        " WHERE style.retired AND style.sku > ? ORDER BY style.sku LIMIT ?",
        (after or "", limit),
    )
    return [
        RetiredSince(
            **_style(row).model_dump(),
            by=row["caller"],
            at=rfc3339(row["at"]),
            reason=row["reason"],
        )
        for row in rows
    ]


def _style(row: sqlite3.Row) -> RetiredStyle:
    return RetiredStyle(
        sku=row["sku"], product=row["product"], on_hand=row["on_hand"], reserved=row["reserved"]
    )


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
