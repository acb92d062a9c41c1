"""What can be done to the files of a closed store: at least two things for each promise."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

from audited_day import PLENTY, RARE, Day

Tampering = Callable[[Day], None]
Line = dict[str, Any]


def sql(node: str, *statements: str) -> Tampering:
    """Change a node's database; `:account` ... are the orders of the day."""

    def tamper(day: Day) -> None:
        folder = day.elsewhere if node.startswith("terminal") else day.data
        names = day.orders | {"plenty": PLENTY, "rare": RARE}
        with closing(sqlite3.connect(folder / f"{node}.db", isolation_level=None)) as database:
            database.execute("PRAGMA ignore_check_constraints = 1")
            for statement in statements:
                done = database.execute(statement, names)
                assert done.rowcount, f"nothing was changed by {statement}"

    return tamper


def lines(name: str, change: Callable[[list[Line], Day], list[Line] | None]) -> Tampering:
    """Change a file of JSON lines: in place, or into what is returned."""

    def tamper(day: Day) -> None:
        places = (day.data / name, day.elsewhere / name, day.data.parent / name)
        path = next(path for path in places if path.exists())
        before = path.read_text()
        entries = [json.loads(line) for line in before.splitlines()]
        changed = change(entries, day)
        entries = entries if changed is None else changed
        path.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
        assert path.read_text() != before

    return tamper


def history(change: Callable[[list[Line], Day], list[Line] | None]) -> Tampering:
    """Change the recorded messages."""
    return lines("history.jsonl", change)


def heard(entries: list[Line], topic: str) -> list[Line]:
    """The recorded messages on topics that end so."""
    found = [entry for entry in entries if entry.get("topic", "").endswith(topic)]
    assert found, f"nothing was heard on {topic}"
    return found


def edit(entry: Line, change: Callable[[Any], None]) -> None:
    """Change what a recorded message says."""
    document = json.loads(entry["payload"])
    change(document)
    entry["payload"] = json.dumps(document)


def _forged_receipt(entries: list[Line], _: Day) -> None:
    reply = heard(entries, "rep/terminal-1/settlement/purchase")[0]
    edit(reply, lambda document: document["data"].update(order="o-0000000000"))


def _second_reply(entries: list[Line], _: Day) -> None:
    reply = heard(entries, "rep/terminal-9/settlement/purchase")[1]
    edit(reply, lambda document: document.update(time="2026-01-01T00:00:00.000Z"))


def _settled_instead_of_reused(entries: list[Line], _: Day) -> None:
    *_, first, reused = heard(entries, "rep/terminal-9/settlement/purchase")
    assert "id-reused" in reused["payload"]
    receipt = json.loads(first["payload"])
    receipt["data"]["lines"][0]["quantity"] = 3
    reused["payload"] = json.dumps(receipt)


def _answer_out_of_nowhere(entries: list[Line], _: Day) -> list[Line]:
    reply = dict(heard(entries, "rep/console-1/settlement/collect")[-1])
    edit(reply, lambda document: document.update(correlationid="never-sent"))
    return [*entries, reply]


def _reminded_first(entries: list[Line], day: Day) -> None:
    remind = next(
        entry
        for entry in heard(entries, "req/settlement/terminal-1/remind")
        if day.orders["account"] in entry["payload"]
    )
    entries.remove(remind)
    entries.insert(1, remind | {"ms": entries[0]["ms"]})


def _reminded_elsewhere(entries: list[Line], day: Day) -> None:
    for entry in heard(entries, "req/settlement/terminal-1/remind"):
        if day.orders["account"] in entry["payload"]:
            entry["topic"] = entry["topic"].replace("terminal-1", "terminal-2")


def _own(entries: list[Line], order: str) -> list[Line]:
    return [entry for entry in entries if entry["key"].startswith(order)]


def _shown_twice(entries: list[Line], day: Day) -> list[Line]:
    return [*entries, *_own(entries, day.orders["account"])]


def _never_shown(entries: list[Line], day: Day) -> list[Line]:
    shown = _own(entries, day.orders["account"])
    return [entry for entry in entries if entry not in shown]


def _shown_at_the_wrong_terminal(entries: list[Line], day: Day) -> list[Line]:
    return [entry | {"order": day.orders["account"]} for entry in entries]


def _captured_twice(entries: list[Line], day: Day) -> list[Line]:
    (capture,) = _own(entries, day.orders["card"])
    return [*entries, capture | {"key": capture["key"] + ".again"}]


def _never_refunded(entries: list[Line], day: Day) -> list[Line]:
    back = [each for each in _own(entries, day.orders["cancelled"]) if each["kind"] == "refund"]
    assert back
    return [entry for entry in entries if entry not in back]


def _refunded_too_much(entries: list[Line], day: Day) -> None:
    for entry in _own(entries, day.orders["short"]):
        if entry["kind"] == "refund":
            entry["amount"] += 1


def _moved_twice(entries: list[Line], _: Day) -> list[Line]:
    return [*entries, entries[-1]]


def _never_packed(entries: list[Line], _: Day) -> list[Line]:
    return [entry for entry in entries if entry["step"] != "packing"]


def _took_one_more(entries: list[Line], _: Day) -> None:
    next(entry for entry in entries if entry["step"] == "picking")["found"] += 1


def _page_torn_out(day: Day) -> None:
    """An index that leads nowhere."""
    with closing(sqlite3.connect(day.data / "settlement.db", isolation_level=None)) as database:
        (page,) = database.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'order_by_state'"
        ).fetchone()
        (size,) = database.execute("PRAGMA page_size").fetchone()
    with (day.data / "settlement.db").open("r+b") as file:
        file.seek((page - 1) * size + 3)
        file.write(b"\0\0")  # the count of its cells (SQLite file format, section 1.6)


_COPIED = (
    "INSERT INTO orders SELECT 'o-again', terminal, request, state, since, lines,"
    " expected_amount, currency, total, payment, reference, pickup_point, '000000', parcel,"
    " undo, refunded, reminder, missing, refunding FROM orders WHERE id = :collected"
)

TAMPERINGS: list[tuple[str, str, Tampering]] = [
    ("I1", "a paid order is gone", sql(
        "settlement",
        "DELETE FROM order_state WHERE order_id = :collected",
        "DELETE FROM orders WHERE id = :collected",
    )),
    ("I1", "a paid order was never paid", sql(
        "settlement", "UPDATE orders SET reference = NULL WHERE id = :account",
    )),
    ("I1", "a terminal has a receipt for more", sql(
        "terminal-1",
        "UPDATE purchase SET answer = json_set(answer, '$.total.amount', 1)"
        " WHERE order_id = :account",
    )),
    ("I1", "a terminal was told no", sql(
        "terminal-1",
        "UPDATE purchase SET state = 'refused', order_id = NULL,"
        " answer = '{\"code\":\"sold-out\"}' WHERE order_id = :account",
    )),
    ("I1", "somebody heard of another order", history(_forged_receipt)),
    ("I2", "a card is captured twice", lines("acquirer.jsonl", _captured_twice)),
    ("I2", "a refund is not in the acquirer's log", lines("acquirer.jsonl", _never_refunded)),
    ("I2", "the acquirer gave back too much", lines("acquirer.jsonl", _refunded_too_much)),
    ("I2", "an order forgets its refund", sql(
        "settlement", "UPDATE orders SET refunded = 0, refunding = 0 WHERE id = :short",
    )),
    ("I2", "an order misses more than was paid back", sql(
        "settlement",
        "UPDATE orders SET missing = json_set(missing, '$[0].quantity', 2) WHERE id = :short",
    )),
    ("I2", "what was paid by hand is not in the ledger", sql(
        "settlement",
        "INSERT INTO refused_refund VALUES ('r', :cancelled, 5, 'no', 0, 0)",
        "INSERT INTO resolution (at, refund, order_id, how, caller, reason)"
        " VALUES (0, 'r', :cancelled, 'by-hand', 'tester-1', 'in cash')",
    )),
    ("I2", "a refusal waits for a person, and no money is to go back", sql(
        "settlement", "INSERT INTO refused_refund VALUES ('r', :cancelled, 5, 'no', 0, 1)",
    )),
    ("I3", "what was counted is not in the books", sql(
        "warehouse",
        "INSERT INTO stock_count"
        " (at, caller, request, sku, location, booked, counted, change, reason)"
        " VALUES (0, 'tester-1', 'm', :plenty, 'A-01-2', 3, 2, -1, 'inventory')",
    )),
    ("I3", "a piece appears at the catalog", sql(
        "catalog", "UPDATE style SET on_hand = on_hand + 1 WHERE sku = :plenty",
    )),
    ("I3", "a piece vanishes from a bin", sql(
        "warehouse", "UPDATE bin SET quantity = quantity - 1 WHERE sku = :plenty",
    )),
    ("I3", "the goods of a paid order are for sale", sql(
        "catalog", "UPDATE reservation SET state = 'released' WHERE order_id = :account",
    )),
    ("I3", "a write-off is forgotten", sql(
        "warehouse", "DELETE FROM adjustment WHERE sku = :rare AND kind = 'written-off'",
    )),
    ("I3", "less than nothing is reserved", sql(
        "catalog", "UPDATE style SET reserved = -1 WHERE sku = :plenty",
    )),
    ("I4", "an order is stuck", sql(
        "settlement",
        "UPDATE orders SET state = 'settled' WHERE id = :account",
        "DELETE FROM order_state WHERE order_id = :account AND state IN ('ready', 'reminded')",
    )),
    ("I4", "a parcel waits for ever", sql(
        "settlement",
        "DELETE FROM outbox WHERE target = 'unclaimed' AND payload ->> 'order' = :account",
    )),
    ("I4", "a parcel waits too long", sql(
        "settlement",
        "UPDATE outbox SET payload = CAST(json_set(payload, '$.expires_at', 1) AS BLOB)"
        " WHERE target = 'unclaimed' AND payload ->> 'order' = :account",
    )),
    ("I4", "a customer still waits for a word", sql(
        "terminal-2", "UPDATE purchase SET state = 'sent' WHERE order_id = :card",
    )),
    ("I5", "the parcel holds less", sql(
        "warehouse",
        "UPDATE job SET picks = json_remove(picks, '$[0]') WHERE order_id = :account",
    )),
    ("I5", "two orders share a parcel", sql(
        "warehouse",
        "UPDATE job SET parcel = (SELECT parcel FROM job WHERE order_id = :card)"
        " WHERE order_id = :account",
    )),
    ("I5", "goods are brought that nobody paid", sql(
        "warehouse", "UPDATE job SET state = 'waiting' WHERE order_id = :cancelled",
    )),
    ("I5", "an order is never brought", sql(
        "warehouse", "DELETE FROM job WHERE order_id = :card",
    )),
    ("I5", "a sorter packed something else", sql(
        "sorter-1",
        "UPDATE job SET found = json_set(found, '$[0]', 9) WHERE order_id = :account",
    )),
    ("I5", "a machine moved twice", lines("sorter-1.conveyor.jsonl", _moved_twice)),
    ("I5", "a machine never packed", lines("sorter-1.conveyor.jsonl", _never_packed)),
    ("I5", "a machine took one more", lines("sorter-1.conveyor.jsonl", _took_one_more)),
    ("I6", "a reminder is shown twice", lines("terminal-1.screen.jsonl", _shown_twice)),
    ("I6", "a reminder is never shown", lines("terminal-1.screen.jsonl", _never_shown)),
    ("I6", "a reminder is shown elsewhere", lines(
        "terminal-2.screen.jsonl", _shown_at_the_wrong_terminal,
    )),
    ("I6", "a reminder is sent elsewhere", history(_reminded_elsewhere)),
    ("I6", "a reminder comes before the parcel", history(_reminded_first)),
    ("I7", "a purchase becomes two orders", sql("settlement", _COPIED)),
    ("I7", "a repetition is answered otherwise", history(_second_reply)),
    ("I7", "a used id with another body is carried out", history(_settled_instead_of_reused)),
    ("I7", "an answer to nobody", history(_answer_out_of_nowhere)),
    ("I7", "a node remembers another answer", sql(
        "settlement",
        "UPDATE inbox SET reply = CAST(json_set(reply, '$.id', 'x') AS BLOB)"
        " WHERE caller = 'terminal-9' AND id = 'p-1'",
    )),
    ("I7", "a node remembers another body", sql(
        "settlement",
        "UPDATE inbox SET digest = x'00' WHERE caller = 'terminal-9' AND id = 'p-1'",
    )),
    ("I7", "a command is never answered", sql(
        "warehouse",
        "UPDATE inbox SET reply = NULL WHERE id = (SELECT max(id) FROM inbox)",
    )),
    ("I8", "money is made", sql(
        "settlement",
        "UPDATE posting SET amount = amount + 5 WHERE account LIKE 'sales:%'"
        " AND transfer LIKE :account || '%'",
    )),
    ("I8", "an account says more than its postings", sql(
        "settlement", "UPDATE account SET balance = balance + 5 WHERE id = 'customer:C-1001'",
    )),
    ("I9", "an order skips a state", sql(
        "settlement",
        "DELETE FROM order_state WHERE order_id = :account AND state = 'charging'",
    )),
    ("I9", "a collected order is reminded again", sql(
        "settlement",
        "INSERT INTO order_state SELECT order_id, max(place) + 1, 'reminded', max(at), NULL"
        " FROM order_state WHERE order_id = :collected",
    )),
    ("I9", "an order is not where its history ends", sql(
        "settlement", "UPDATE orders SET state = 'collected' WHERE id = :account",
    )),
    ("I10", "a command was never answered", sql(
        "settlement",
        "INSERT INTO outbox VALUES ('m-1', 'command', 'warehouse', 'fulfil',"
        " CAST('{\"id\":\"m-1\",\"data\":{\"order\":\"o-1\"}}' AS BLOB), '', 1, NULL)",
    )),
    ("I10", "a timer never went off", sql(
        "settlement", "UPDATE outbox SET due_at = 1 WHERE kind = 'timer'",
    )),
    ("I11", "rows refer to nothing", sql(
        "catalog", "DELETE FROM product WHERE id IN"
        " (SELECT product FROM style WHERE sku = :plenty)",
    )),
    ("I11", "a job is gone and its assignments are not", sql(
        "warehouse",
        "INSERT INTO superseded (job, assignment, picks) VALUES ('j-gone', 1, '[]')",
    )),
    ("I11", "an index leads nowhere", _page_torn_out),
]  # fmt: skip
"""The invariant that notices, what was done, and how."""
