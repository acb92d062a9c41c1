"""I7: a command has one effect and one reply, however often it arrives and with whatever body."""

from collections import Counter
from typing import Any

from audit.audited_store import AuditedStore, parsed
from audit.history import History, Key, Reply
from audit.reading import Row
from audit.result import AuditResult
from bus.contract.channel import ROLES
from bus.contract.envelope import Reading, body_digest
from bus.contract.errors import Problem

_REMEMBERED = 24 * 3_600_000
"""Milliseconds during which every node still remembers an answered command."""


def check_messages(store: AuditedStore, result: AuditResult) -> None:
    """Check what nodes remember, then what was recorded."""
    times = Counter((order["terminal"], order["request"]) for order in store.orders.values())
    for (terminal, request), count in times.items():
        text = f"the purchase {request} of {terminal} became {count} orders"
        result.check("I7", count == 1, text)
    for node in store.databases:
        _inbox(store, result, node)
    if store.history is not None:
        for key in sorted({*store.history.by_key, *store.history.replies_by_key}):
            _heard(store, result, store.history, key)


# -- what nodes remember --------------------------------------------------------------------------


def _inbox(store: AuditedStore, result: AuditResult, node: str) -> None:
    database = store.databases[node]
    undecided = {
        (order["terminal"], order["request"])
        for order in store.orders.values()
        if order["state"] in ("reserving", "charging")
    }
    later = None if store.running else _answered_later(store, node)
    for row in database.rows("SELECT caller, id, operation, reply FROM inbox"):
        what = f"{row['operation']} {row['id']} of {row['caller']}"
        if row["reply"] is None:
            begun = row["operation"] == "purchase" and (row["caller"], row["id"]) in undecided
            others = later is None or (row["caller"], row["id"]) in later
            waits = begun or (row["operation"] != "purchase" and others)
            result.check("I7", waits, f"{node} carried out {what} and never answered")
            continue
        try:
            envelope = Reading(row["reply"]).envelope()
        except Problem:
            result.check("I7", None, f"{node} repeats an answer to {what} that cannot be read")
            continue
        own = envelope.correlation_id == row["id"]
        result.check("I7", own, f"{node} repeats an answer to {what} that belongs to another")
    for row in database.rows("SELECT * FROM outbox WHERE kind = 'command'"):
        sent = Reading(row["payload"])
        right = sent.envelope().id == row["id"]
        result.check("I7", right, f"{node} sends {row['id']} under another id")


def _answered_later(store: AuditedStore, node: str) -> set[tuple[str, str]]:
    """Commands, by caller and id, that a closed node will answer at its next start."""
    if node == "warehouse":
        jobs = store.jobs.values()
        goods = {(each["withdrawer"], each["withdrawal"]) for each in jobs if _withdraws(each)}
        rows = store.warehouse.rows("SELECT caller, request FROM receipt")
        return goods | {(row["caller"], row["request"]) for row in rows}
    calls = (each for each in store.pending if each.node == node and each.row["kind"] == "call")
    return {(each.data["caller"], each.data["request"]) for each in calls if "request" in each.data}


def _withdraws(job: Row) -> bool:
    return bool(job["state"] == "withdrawing")


# -- what was heard -------------------------------------------------------------------------------


def _heard(store: AuditedStore, result: AuditResult, history: History, key: Key) -> None:
    caller, callee, identifier = key
    replies = [reply for reply in history.replies_by_key.get(key, ()) if reply.is_final]
    requests = history.by_key.get(key, [])
    bodies = {request.digest for request in requests}
    row = _remembered(store, key)
    what = f"{identifier} of {caller}"
    if replies:
        _one_reply(result, callee, what, replies)
    if callee not in store.databases:
        return
    if row is None:
        for reply in replies[:1]:
            asked = f"{callee} answered {what}, which nobody has sent"
            result.check("I7", requests, asked)
            new = reply.at > store.busy_until(store.databases[callee]) - _REMEMBERED
            result.check("I7", not new, f"{callee} answered {what} and has forgotten it")
        return
    for reply in replies:
        same = reply.payload == row["reply"]
        result.check("I7", same, f"{callee} said one thing to {what} and remembers another")
        operation = reply.operation == row["operation"]
        result.check("I7", operation, f"{callee} carried out {reply.operation} under the id {what}")
    if requests:
        known = bytes(row["digest"]) in bodies
        result.check("I7", known, f"{callee} carried out another body of {what} than was sent")
        _effect(store, result, history, key, bytes(row["digest"]))


def _one_reply(result: AuditResult, callee: str, what: str, replies: list[Reply]) -> None:
    """Server roles repeat a reply byte for byte; small devices repeat at least its content."""
    if callee in ROLES:
        different = len({reply.payload for reply in replies}) - 1
    else:
        different = (
            len({(each.problem, body_digest(each.operation, each.data)) for each in replies}) - 1
        )
    result.check("I7", not different, f"{callee} gave {different + 1} replies to {what}")


def _effect(
    store: AuditedStore, result: AuditResult, history: History, key: Key, digest: bytes
) -> None:
    """An order holds the goods of its own purchase, and of no other body."""
    order = store.by_request.get((key[0], key[2])) if key[1] == "settlement" else None
    if order is None:
        return
    kept = _lines(parsed(order["lines"], store.settlement, "orders"))
    for request in history.by_key[key]:
        if request.digest == digest and request.operation == "purchase":
            same = kept == _lines(request.data["lines"])
            result.check("I7", same, f"{order['id']} is not of the goods that were asked for")


def _lines(lines: list[dict[str, Any]]) -> list[tuple[str, int]]:
    return [(line["sku"], line["quantity"]) for line in lines]


def _remembered(store: AuditedStore, key: Key) -> Row | None:
    caller, callee, identifier = key
    if callee not in store.databases:
        return None
    found = store.databases[callee].rows(
        "SELECT * FROM inbox WHERE caller = ? AND id = ?", caller, identifier
    )
    return found[0] if found else None
