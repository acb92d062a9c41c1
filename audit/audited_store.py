"""A store as the audit sees it: its files, its orders, and what is still under way."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic_core import from_json

from audit.history import History
from audit.reading import Database, Files, Row
from bus.contract.channel import role_of
from bus.contract.errors import JournalError

PAID = frozenset({"settled", "short", "ready", "reminded", "collected"})
"""States in which the store holds money and owes goods, or has handed them over."""
UNDOING = frozenset({"cancelling", "expiring"})
FINAL = frozenset({"collected", "refused", "declined", "cancelled", "expired"})
ANSWER_IGNORED = frozenset({"commit", "fulfil", "ready", "failed", "write-off", "fault"})
"""Commands whose answers change nothing; they leave the outbox with the next transaction."""
_TO_DEVICES = frozenset({"remind", "pick", "abort"})
"""Commands to devices. Roles need not agree about them, since a device may be off for any time."""


@dataclass(frozen=True, slots=True)
class UnfinishedRow:
    """A command or call in a node's outbox."""

    node: str
    row: Row
    data: dict[str, Any]
    order: str | None
    """The order that it is about, if it names one."""
    heard: str
    """For a command: `answered` or `accepted` by its callee, or empty if not received."""

    @property
    def what(self) -> str:
        """Its operation or adapter."""
        return str(self.row["operation"] or self.row["target"])


class AuditedStore:
    """The data that the checks read.

    Args:
        files: the store's files.
        history: the recorded messages, if there are any.
        running: leave out what holds only at rest.
        at: when the store was closed, in milliseconds since the epoch; None for the time when each
            node was last active.
    """

    def __init__(
        self, files: Files, history: History | None, *, running: bool, at: int | None
    ) -> None:
        self.databases = files.databases
        self.records = files.records
        self.history = history
        self.running = running
        self._at = at
        self.catalog = files.databases["catalog"]
        self.settlement = files.databases["settlement"]
        self.warehouse = files.databases["warehouse"]

    def of_kind(self, kind: str) -> Iterator[Database]:
        """The databases of all devices of a kind."""
        return (each for node, each in self.databases.items() if role_of(node) == kind)

    @cached_property
    def orders(self) -> dict[str, Row]:
        """All orders that settlement knows, by id."""
        return {row["id"]: row for row in self.settlement.rows("SELECT * FROM orders ORDER BY id")}

    @cached_property
    def by_request(self) -> dict[tuple[str, str], Row]:
        """The orders by terminal and id of the purchase message."""
        return {(row["terminal"], row["request"]): row for row in self.orders.values()}

    @cached_property
    def histories(self) -> dict[str, list[Row]]:
        """The states that each order went through, in order."""
        found: dict[str, list[Row]] = {order: [] for order in self.orders}
        for row in self.settlement.rows("SELECT * FROM order_state ORDER BY order_id, place"):
            found.setdefault(row["order_id"], []).append(row)
        return found

    def reached(self, order: str, state: str) -> bool:
        """Whether an order was ever in a state."""
        return any(row["state"] == state for row in self.histories.get(order, ()))

    def lines(self, order: Row) -> list[dict[str, Any]]:
        """The ordered lines: SKU, quantity and, once it is known, the price."""
        lines: list[dict[str, Any]] = parsed(order["lines"], self.settlement, "orders")
        return lines

    def missing(self, order: Row) -> Counter[str]:
        """How many of the ordered pieces could not be delivered, by SKU."""
        return pieces(parsed(order["missing"], self.settlement, "orders"))

    def delivered(self, order: Row) -> Counter[str]:
        """What the customer receives, by SKU."""
        return pieces(self.lines(order)) - self.missing(order)

    @cached_property
    def refused(self) -> dict[str, list[Row]]:
        """Refunds that the payment provider refused and nobody has resolved yet, by order."""
        found: dict[str, list[Row]] = {}
        for row in self.settlement.rows("SELECT * FROM refused_refund WHERE open = 1"):
            found.setdefault(row["order_id"], []).append(row)
        return found

    @cached_property
    def refused_steps(self) -> dict[str, list[Row]]:
        """Compensating steps that a role refused and nobody has resolved yet, by order."""
        found: dict[str, list[Row]] = {}
        for row in self.settlement.rows("SELECT * FROM refused_step WHERE open = 1"):
            found.setdefault(row["order_id"], []).append(row)
        return found

    @cached_property
    def unauthorised(self) -> frozenset[str]:
        """Orders whose payment waits until the provider accepts the store's credentials."""
        rows = self.settlement.rows(
            "SELECT payload FROM outbox"
            " WHERE kind = 'timer' AND target IN ('acquirer-again', 'refund-again')"
        )
        return frozenset(parsed(row["payload"], self.settlement, "outbox")["order"] for row in rows)

    @cached_property
    def waits_for_payment(self) -> frozenset[str]:
        """Orders whose payment waits for a person."""
        return self.unauthorised | self.refused.keys()

    @cached_property
    def jobs(self) -> dict[str, Row]:
        """The warehouse's jobs, by order."""
        return {row["order_id"]: row for row in self.warehouse.rows("SELECT * FROM job")}

    @cached_property
    def pending(self) -> list[UnfinishedRow]:
        """All commands and calls that are still in an outbox."""
        found = []
        for node, database in self.databases.items():
            for row in database.rows("SELECT * FROM outbox WHERE kind <> 'timer'"):
                content = parsed(row["payload"], database, "outbox")
                data = content if row["kind"] == "call" else content["data"]
                found.append(
                    UnfinishedRow(
                        node, row, data, self._order_of(row, data), self._heard(node, row)
                    )
                )
        return found

    def _order_of(self, row: Row, data: Mapping[str, Any]) -> str | None:
        name: str | None = data.get("order") or data.get("job")
        if row["kind"] == "call":  # its key begins with the order or the job
            name = row["id"].partition(".")[0]
        if name is None:
            return None
        return self._order_by_job.get(name, name)

    @cached_property
    def _order_by_job(self) -> dict[str, str]:
        return {row["id"]: row["order_id"] for row in self.jobs.values()}

    def _heard(self, node: str, row: Row) -> str:
        callee = self.databases.get(row["target"])
        if row["kind"] == "call" or callee is None:
            return ""
        found = callee.rows("SELECT reply FROM inbox WHERE caller = ? AND id = ?", node, row["id"])
        if not found:
            return ""
        return "accepted" if found[0]["reply"] is None else "answered"

    def asked(self, order: str) -> frozenset[str]:
        """What settlement has begun for an order and not seen completed."""
        return self._asked.get(order, frozenset())

    @cached_property
    def _asked(self) -> dict[str, frozenset[str]]:
        found: dict[str, frozenset[str]] = {}
        for each in self.pending:
            if each.node == "settlement" and each.order is not None:
                found[each.order] = found.get(each.order, frozenset()) | {each.what}
        return found

    @cached_property
    def in_transit(self) -> frozenset[str | None]:
        """Orders about which the roles may not have the same information yet.

        In a running store, orders with anything under way; in a closed one, orders with a command
        between two roles, or its answer, under way.
        """
        if self.running:
            return frozenset(each.order for each in self.pending)
        return frozenset(
            each.order
            for each in self.pending
            if each.row["kind"] == "command"
            and each.heard != "accepted"
            and not (each.heard == "answered" and each.what in ANSWER_IGNORED)
            and each.what not in _TO_DEVICES
        )

    @cached_property
    def being_returned(self) -> frozenset[str]:
        """Orders with goods to put back, or whose sorter has not reported what it took."""
        rows = self.warehouse.rows("SELECT job FROM goods_return UNION SELECT job FROM superseded")
        return frozenset(self._order_by_job.get(row["job"], row["job"]) for row in rows)

    @cached_property
    def by_hand(self) -> frozenset[str]:
        """Orders with a step done or to be done by hand; the role that refused it does not know."""
        rows = self.settlement.rows(
            "SELECT order_id FROM refused_step WHERE open = 1"
            " UNION SELECT order_id FROM step_resolution WHERE how = 'by-hand'"
        )
        return frozenset(row["order_id"] for row in rows)

    def still(self, order: str) -> bool:
        """Whether all nodes must agree about an order now."""
        return order not in self.in_transit and order not in self.by_hand

    def busy_until(self, database: Database) -> int:
        """When a closed node was last active, in milliseconds since the epoch."""
        if self._at is not None:
            return self._at
        ((latest,),) = database.rows("SELECT coalesce(max(received_at), 0) FROM inbox")
        return int(latest)


def pieces(lines: Iterable[Mapping[str, Any]]) -> Counter[str]:
    """How many of each SKU."""
    sums = Counter[str]()
    for line in lines:
        sums[line["sku"]] += line["quantity"]
    return sums


def parsed(text: str | bytes, database: Database, where: str) -> Any:
    """Parse JSON from a database.

    Raises:
        JournalError: it is not JSON.
    """
    try:
        return from_json(text)
    except ValueError as error:
        raise JournalError(f"{database.path} is damaged: {where} holds no JSON") from error
