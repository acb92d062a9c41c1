"""I1, I4 and I9: no accepted purchase is lost or stuck, and orders make only legal transitions."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, get_args

from pydantic import ValidationError

from audit.audited_store import FINAL, AuditedStore, parsed
from audit.history import Request
from audit.open_items import job_is_explained, order_is_explained
from audit.reading import Row
from audit.result import AuditResult
from bus.contract.envelope import is_problem
from bus.contract.settlement import OrderState, Receipt

LEGAL: dict[str, frozenset[str]] = {
    "": frozenset({"reserving"}),
    "reserving": frozenset({"charging", "refused", "cancelling"}),
    "charging": frozenset({"settled", "declined", "cancelling"}),
    "settled": frozenset({"short", "ready", "cancelling"}),
    "short": frozenset({"short", "ready", "cancelling"}),
    "ready": frozenset({"reminded", "collected", "cancelling", "expiring"}),
    "reminded": frozenset({"collected", "cancelling", "expiring"}),
    "cancelling": frozenset({"cancelled"}),
    "expiring": frozenset({"expired"}),
}
"""The legal transitions of an order; the empty state is the one before it exists."""
_WAITS_FOR_CUSTOMER = frozenset({"ready", "reminded"})
_ON_ITS_WAY = 60_000
"""Milliseconds that a message may be under way: its `expiresin` counts from its receipt."""
_LATE = 60_000
"""Milliseconds that a timer may be late."""

Statement = tuple[str, str, str, Any]
"""The source, the terminal, the id of its purchase, and the answer."""


def check_orders(store: AuditedStore, result: AuditResult) -> None:
    """Check every order and every purchase."""
    for said in _answers(store, problem=False):
        _survives(store, result, *said)
    for said in _answers(store, problem=True):
        _is_refused(store, result, *said)
    for name, order in store.orders.items():
        _transitions(store, result, name, order)
        if store.history is not None:
            _was_wanted(store, result, name, order)
    if not store.running:
        _rest(store, result)
    _watched(store, result)


# -- I1 -------------------------------------------------------------------------------------------


def _answers(store: AuditedStore, *, problem: bool) -> Iterator[Statement]:
    """Every statement that a purchase is paid or has failed, from every source."""
    state = "refused" if problem else "settled"
    for terminal in store.of_kind("terminal"):
        for row in terminal.rows("SELECT * FROM purchase WHERE state = ?", state):
            answer = parsed(row["answer"] or "null", terminal, "purchase")
            yield terminal.node, terminal.node, row["id"], answer
    for caller, request, event in _stored(store):
        if is_problem(event) == problem:
            yield "settlement", caller, request, event["data"]
    for reply in store.history.replies if store.history else ():
        if reply.operation == "purchase" and reply.problem == problem and reply.is_final:
            yield "the history", reply.key[0], reply.key[2], reply.data


def _stored(store: AuditedStore) -> Iterator[tuple[str, str, Any]]:
    """The answers to purchases that settlement repeats."""
    for row in store.settlement.rows(
        "SELECT caller, id, reply FROM inbox WHERE operation = 'purchase' AND reply IS NOT NULL"
    ):
        yield row["caller"], row["id"], parsed(row["reply"], store.settlement, "inbox")


def _survives(
    store: AuditedStore, result: AuditResult, source: str, terminal: str, request: str, answer: Any
) -> None:
    try:
        receipt = Receipt.model_validate(answer)
    except ValidationError:
        result.check("I1", None, f"{source} has no receipt for {request} of {terminal}")
        return
    name, order = receipt.order, store.orders.get(receipt.order)
    if order is None or (order["terminal"], order["request"]) != (terminal, request):
        text = f"{request} of {terminal} is paid as {name}, which settlement does not know"
        result.check("I1", None, f"{source} says that {text}")
        return
    result.check("I1", order["reference"], f"{source} says that {name} is paid, but it never was")
    told = receipt.model_dump(include={"lines", "total", "pickup_point", "pickup_code"})
    kept = {
        "lines": store.lines(order),
        "total": {"amount": order["total"], "currency": order["currency"]},
        "pickup_point": order["pickup_point"],
        "pickup_code": order["pickup_code"],
    }
    result.check("I1", told == kept, f"{name} is not what the receipt says that {source} has")


def _is_refused(
    store: AuditedStore, result: AuditResult, source: str, terminal: str, request: str, problem: Any
) -> None:
    order = store.by_request.get((terminal, request))
    state = order["state"] if order else None
    code = problem["code"]
    fitting = ("cancelling", "cancelled") if code == "cancelled" else (None, "refused", "declined")
    result.check(
        "I1",
        state in fitting,
        f"{source} says that {request} of {terminal} was refused ({code}), but it is {state}",
    )


def _was_wanted(store: AuditedStore, result: AuditResult, name: str, order: Row) -> None:
    """Everything done for an order was requested, and in time."""
    assert store.history is not None
    states = store.histories[name]
    began = states[0]["at"] if states else order["since"]
    copies = store.history.by_key.get((order["terminal"], "settlement", order["request"]), ())
    reserved = store.history.first("reserve", name)
    late = bool(copies) and all(_is_late(copy, began, reserved) for copy in copies)
    result.check("I1", not late, f"{name} was begun after the customer's deadline")
    if order["state"] in ("cancelling", "cancelled") and store.history.is_whole_since(began):
        asked = store.history.about("cancel") | store.history.about("failed")
        result.check(
            "I1", name in asked, f"{name} is {order['state']}, but nobody has cancelled it"
        )


def _is_late(copy: Request, began: int, reserved: int | None) -> bool:
    """Whether an order began after this copy of its purchase had expired.

    Args:
        copy: the recorded request; copies may differ in their deadlines, since a sender that was
            told that its clock is wrong corrects them.
        began: on settlement's clock, which deadlines refer to.
        reserved: on the recorder's clock, from which the seconds after receipt are counted.
    """
    if copy.expires_in == 0:
        return True  # it asks what has become of it, and begins nothing
    verdicts = []
    if copy.deadline is not None:
        verdicts.append(began > copy.deadline)
    if copy.expires_in is not None and reserved is not None:
        way = 0 if verdicts else _ON_ITS_WAY
        verdicts.append(reserved > copy.at + copy.expires_in * 1000 + way)
    return bool(verdicts) and all(verdicts)  # one clock may have been set, not both


# -- I9 -------------------------------------------------------------------------------------------


def _transitions(store: AuditedStore, result: AuditResult, name: str, order: Row) -> None:
    states = [row["state"] for row in store.histories[name]]
    for before, after in pairwise(["", *states]):
        legal = after in LEGAL.get(before, ()) and after in get_args(OrderState)
        result.check("I9", legal, f"{name} went from {before or 'nothing'} to {after}")
    last = states[-1] if states else "nothing"
    result.check(
        "I9",
        last == order["state"],
        f"{name} is {order['state']}, but its history ends with {last}",
    )
    times = [row["at"] for row in store.histories[name]]
    places = [row["place"] for row in store.histories[name]]
    in_order = times == sorted(times) and places == list(range(len(places)))
    result.check("I9", in_order, f"{name} has a history out of order")


# -- I4 -------------------------------------------------------------------------------------------


def _rest(store: AuditedStore, result: AuditResult) -> None:
    """In a closed store, whatever is unfinished will continue or waits for somebody."""
    for name, order in store.orders.items():
        state = order["state"]
        quiet = state in FINAL or state in _WAITS_FOR_CUSTOMER
        quiet = quiet or order_is_explained(store, name)
        result.check("I4", quiet, f"{name} is still {state}, and nothing will take it further")
        finals = [row["state"] for row in store.histories[name] if row["state"] in FINAL]
        several = len(finals) > 1
        result.check("I4", not several, f"{name} has several ends: {', '.join(finals)}")
    sent = {(each.node, each.row["id"]) for each in store.pending}
    for terminal in store.of_kind("terminal"):
        for row in terminal.rows("SELECT id, state FROM purchase"):
            text = f"{terminal.node} still waits for an answer to {row['id']}, and does not ask"
            asks = row["state"] != "sent" or (terminal.node, row["id"]) in sent
            result.check("I4", asks, text)
    for name, job in store.jobs.items():
        done = job["state"] in ("packed", "withdrawn") or job_is_explained(store, name)
        text = f"the job of {name} is still {job['state']}, and nothing will take it further"
        result.check("I4", done, text)
    for sorter in store.of_kind("sorter"):
        busy = {each.order for each in store.pending if each.node == sorter.node}
        for row in sorter.rows("SELECT * FROM job"):
            text = f"{sorter.node} is still {row['step']} for {row['order_id']}, and does nothing"
            goes_on = row["step"] in ("done", "aborted") or row["order_id"] in busy
            result.check("I4", goes_on, text)


def _watched(store: AuditedStore, result: AuditResult) -> None:
    """A parcel that waits for its customer has a timer; goods with a sorter have a command."""
    expiries: dict[str, int] = {}
    for row in store.settlement.rows("SELECT payload FROM outbox WHERE target = 'unclaimed'"):
        timer = parsed(row["payload"], store.settlement, "outbox")
        expiries[timer["order"]] = timer["expires_at"]
    now = store.busy_until(store.settlement)
    for name, order in store.orders.items():
        if order["state"] not in _WAITS_FOR_CUSTOMER:
            continue
        result.check("I4", name in expiries, f"{name} is {order['state']}, and no timer watches it")
        overdue = not store.running and expiries.get(name, now) < now - _LATE
        result.check("I4", not overdue, f"{name} is {order['state']} and should have expired")
    asked = {
        (data["job"], data["assignment"])
        for row in store.warehouse.rows("SELECT payload FROM outbox WHERE operation = 'abort'")
        for data in [parsed(row["payload"], store.warehouse, "outbox")["data"]]
    }
    for row in store.warehouse.rows("SELECT job, assignment FROM superseded"):
        name = f"{row['job']}.{row['assignment']}"
        result.check(
            "I4",
            (row["job"], row["assignment"]) in asked,
            f"nobody has said what became of the goods of {name}, and nobody asks",
        )
