"""Writes many open orders into the databases of a stopped store, as a long outage leaves them."""

import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from bus.contract.outbound import MessageFactory
from bus.contract.settlement import READY, Ready
from bus.contract.terminal import REMIND, Remind
from bus.contract.topics import Topics
from bus.contract.values import Model
from bus.runtime.environment import Environment

TERMINALS = 50
_TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def open_orders(data: Path, count: int) -> None:
    """Settlement: all await their terminals. Warehouse: half wait for a sorter, half for us."""
    now = time.time_ns() // 1_000_000
    with closing(sqlite3.connect(data / "settlement.db")) as database, database:
        for number in range(count):
            _order(database, number, now - count + number)
    with closing(sqlite3.connect(data / "warehouse.db")) as database, database:
        for number in range(count):
            _job(database, number, now - count + number)


def _order(database: sqlite3.Connection, number: int, at: int) -> None:
    order, terminal = f"o-{number:010}", f"terminal-{100 + number % TERMINALS}"
    price = {"amount": 2600, "currency": "EUR"}
    row = {
        "id": order,
        "terminal": terminal,
        "request": f"0123456789ab-{number:x}",
        "state": "ready",
        "since": at,
        "lines": json.dumps([{"sku": "KIT-RED", "quantity": 1, "price": price}]),
        "expected_amount": 2600,
        "currency": "EUR",
        "total": 2600,
        "payment": json.dumps({"method": "account", "account": "C-1004"}),
        "reference": f"{order}.charge",
        "pickup_point": "north",
        "pickup_code": f"{number:06}",
        "parcel": f"p-{number:010}",
    }
    names = ", ".join(row)
    values = ", ".join(f":{name}" for name in row)
    database.execute(f"INSERT INTO orders ({names}) VALUES ({values})", row)  # noqa: S608
    states = enumerate(("reserving", "charging", "settled", "ready"))
    database.executemany(
        "INSERT INTO order_state (order_id, place, state, at) VALUES (?, ?, ?, ?)",
        [(order, place, state, at) for place, state in states],
    )
    _inbox(database, terminal, str(row["request"]), "purchase", at)
    reminder = Remind(
        order=order,
        pickup_point="north",
        pickup_point_name="North door",
        pickup_code=f"{number:06}",
    )
    _outbox(database, "settlement", terminal, REMIND.name, reminder, number, at)


def _job(database: sqlite3.Connection, number: int, at: int) -> None:
    order, packed = f"o-{number:010}", number % 2
    pick = {"sku": "KIT-RED", "location": "D-05-3", "quantity": 1}
    row = {
        "id": f"j-{number:010}",
        "order_id": order,
        "pickup_point": "north",
        "lines": json.dumps([{"sku": "KIT-RED", "quantity": 1}]),
        "state": "packed" if packed else "waiting",
        "assignment": packed,
        "sorter": "sorter-1" if packed else None,
        "picks": json.dumps([pick]) if packed else None,
        "parcel": f"p-{number:010}" if packed else None,
        "created_at": at,
        "place": number + 1,
    }
    names = ", ".join(row)
    values = ", ".join(f":{name}" for name in row)
    database.execute(f"INSERT INTO job ({names}) VALUES ({values})", row)  # noqa: S608
    _inbox(database, "settlement", f"0123456789ac-{number:x}", "fulfil", at)
    if packed:
        ready = Ready(order=order, parcel=f"p-{number:010}", pickup_point="north")
        _outbox(database, "warehouse", "settlement", READY.name, ready, number, at)


def _inbox(
    database: sqlite3.Connection, caller: str, request: str, operation: str, at: int
) -> None:
    row = (caller, request, operation, b"\0" * 32, b"{}", None, _TRACE, at, at, None)
    database.execute("INSERT INTO inbox VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)


def _outbox(
    database: sqlite3.Connection,
    node: str,
    callee: str,
    operation: str,
    data: Model,
    number: int,
    at: int,
) -> None:
    identifier = f"0123456789ad-{number:x}"
    messages = MessageFactory(Topics("main"), node, Environment())
    payload = messages.request(
        callee, operation, data, identifier=identifier, at=at, trace=_TRACE
    ).to_bytes()
    row = (identifier, "command", callee, operation, payload, _TRACE, at, None)
    database.execute("INSERT INTO outbox VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
