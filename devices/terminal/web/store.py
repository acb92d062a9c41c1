"""The page's SQL: carts and purchases of browsers, wrong pickup codes, the secret."""

import sqlite3
from collections.abc import Sequence
from dataclasses import astuple, dataclass

from bus.contract.terminal import Remind
from bus.storage.journal import Schema
from devices.terminal import store
from devices.terminal.domain import Bought
from devices.terminal.web.domain import BrowserCart, CartLine, Guesses

SCHEMA = Schema("devices.terminal.web", "devices.terminal.web")

_MOST_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Kept:
    """A purchase of a browser."""

    cart: BrowserCart
    bought: Bought
    noted: bool
    """Whether the customer has dismissed the reminder."""
    reminder: Remind | None


def secret(connection: sqlite3.Connection) -> bytes | None:
    """The key that signs cookies and forms."""
    row = connection.execute("SELECT value FROM web_secret").fetchone()
    return None if row is None else bytes(row["value"])


def save_secret(connection: sqlite3.Connection, value: bytes) -> None:
    """Store the key, unless there is one."""
    connection.execute("INSERT INTO web_secret VALUES (1, ?) ON CONFLICT DO NOTHING", (value,))


def open_cart(connection: sqlite3.Connection, session: str) -> BrowserCart | None:
    """The open cart of a browser."""
    row = connection.execute(
        "SELECT token FROM web_cart WHERE session = ? AND purchase IS NULL", (session,)
    ).fetchone()
    return None if row is None else BrowserCart(row["token"], _lines(connection, row["token"]))


def cart(connection: sqlite3.Connection, session: str, token: str) -> BrowserCart | None:
    """A cart of a browser, open or bought."""
    row = connection.execute(
        "SELECT purchase FROM web_cart WHERE token = ? AND session = ?", (token, session)
    ).fetchone()
    return None if row is None else BrowserCart(token, _lines(connection, token), row["purchase"])


def save_cart(connection: sqlite3.Connection, session: str, kept: BrowserCart, now: int) -> None:
    """Store an open cart."""
    connection.execute(
        "INSERT INTO web_cart (token, session, at) VALUES (?, ?, ?)"
        " ON CONFLICT (token) DO UPDATE SET at = excluded.at",
        (kept.token, session, now),
    )
    save_lines(connection, kept.token, kept.lines)


def save_lines(connection: sqlite3.Connection, token: str, lines: Sequence[CartLine]) -> None:
    """Store the lines of a cart."""
    connection.execute("DELETE FROM web_line WHERE token = ?", (token,))
    connection.executemany(
        "INSERT INTO web_line (token, place, sku, gtin, name, style, quantity, amount, currency,"
        " tax_rate) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [(token, place, *astuple(line)) for place, line in enumerate(lines)],
    )


def mark_sent(connection: sqlite3.Connection, token: str, purchase: str, now: int) -> None:
    """Record the message that buys the cart."""
    connection.execute(
        "UPDATE web_cart SET purchase = ?, at = ? WHERE token = ?", (purchase, now, token)
    )


def owner(connection: sqlite3.Connection, purchase: str) -> tuple[str, BrowserCart] | None:
    """The browser of a purchase, and its cart."""
    row = connection.execute(
        "SELECT session, token FROM web_cart WHERE purchase = ?", (purchase,)
    ).fetchone()
    if row is None:
        return None
    return row["session"], BrowserCart(row["token"], _lines(connection, row["token"]), purchase)


def owner_of_order(connection: sqlite3.Connection, order: str) -> str | None:
    """The browser that bought an order."""
    row = connection.execute(
        "SELECT session FROM web_cart JOIN purchase ON purchase.id = web_cart.purchase"
        " WHERE order_id = ?",
        (order,),
    ).fetchone()
    return None if row is None else str(row["session"])


def kept(connection: sqlite3.Connection, session: str, order: str) -> Kept | None:
    """An order of a browser."""
    row = connection.execute(
        "SELECT web_cart.purchase, noted FROM purchase"
        " JOIN web_cart ON web_cart.purchase = purchase.id"
        " WHERE order_id = ? AND session = ?",
        (order, session),
    ).fetchone()
    return None if row is None else _kept(connection, row)


def all_kept(connection: sqlite3.Connection, session: str) -> list[Kept]:
    """The latest purchases of a browser, newest first."""
    rows = connection.execute(
        "SELECT purchase, noted FROM web_cart WHERE session = ? AND purchase IS NOT NULL"
        " ORDER BY at DESC LIMIT ?",
        (session, _MOST_SHOWN),
    ).fetchall()
    return [_kept(connection, row) for row in rows]


def note(connection: sqlite3.Connection, session: str, order: str) -> None:
    """Record that the customer has dismissed the reminder of an order."""
    connection.execute(
        "UPDATE web_cart SET noted = 1 WHERE session = ?"
        " AND purchase = (SELECT id FROM purchase WHERE order_id = ?)",
        (session, order),
    )


def guesses(connection: sqlite3.Connection, client: str) -> Guesses:
    """The wrong pickup codes of a browser or an IP address."""
    row = connection.execute(
        "SELECT wrong, at, locked_until FROM web_guess WHERE client = ?", (client,)
    ).fetchone()
    return Guesses() if row is None else Guesses(*row)


def save_guesses(connection: sqlite3.Connection, client: str, row: Guesses) -> None:
    """Store them."""
    connection.execute(
        "INSERT INTO web_guess VALUES (?, ?, ?, ?) ON CONFLICT (client) DO UPDATE"
        " SET wrong = excluded.wrong, at = excluded.at, locked_until = excluded.locked_until",
        (client, row.wrong, row.at, row.locked_until),
    )


def forget_older(connection: sqlite3.Connection, carts: int, wrong: int) -> None:
    """Delete carts, open or bought, and wrong codes from before these times.

    A cart whose purchase has no answer yet is kept.
    """
    connection.execute(
        "DELETE FROM web_cart WHERE at < ? AND NOT EXISTS ("
        " SELECT 1 FROM purchase WHERE purchase.id = web_cart.purchase AND state = 'sent')",
        (carts,),
    )
    connection.execute("DELETE FROM web_guess WHERE at < ?", (wrong,))


def _kept(connection: sqlite3.Connection, row: sqlite3.Row) -> Kept:
    found = owner(connection, row["purchase"])
    assert found is not None
    bought = store.purchase(connection, row["purchase"])
    order = bought.receipt.order if bought.receipt else None
    reminder = store.shown(connection, order) if order else None
    return Kept(found[1], bought, bool(row["noted"]), reminder)


def _lines(connection: sqlite3.Connection, token: str) -> tuple[CartLine, ...]:
    rows = connection.execute(
        "SELECT sku, gtin, name, style, quantity, amount, currency, tax_rate FROM web_line"
        " WHERE token = ? ORDER BY place",
        (token,),
    )
    return tuple(CartLine(*row) for row in rows)
