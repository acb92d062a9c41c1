"""Load, decide, save: no message makes a role read a row twice, or write it twice."""

import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from role_bench import DAY, SECOND, Bench, reply
from settlement_orders import POINTS, priced
from unit_rows import tables

from bus.contract.catalog import (
    COMMIT,
    REINSTATE,
    RELEASE,
    RESERVE,
    RESTOCK,
    RETIRE,
    UPSERT,
    WRITE_OFF,
    Line,
    OrderOnly,
    ProductUpdate,
    Release,
    Reserve,
    Reserved,
    Restock,
    Retire,
    StockLevel,
    Upsert,
    WriteOff,
)
from bus.contract.delivery import Delivery
from bus.contract.every import PRESENCE, Presence
from bus.contract.refusals import SoldOut, WrongState
from bus.contract.settlement import (
    ADJUST,
    CANCEL,
    COLLECT,
    DEPOSIT,
    FAILED,
    PURCHASE,
    READY,
    RENAME,
    RESOLVE,
    AccountPayment,
    AdjustAccount,
    CardPayment,
    Collect,
    Deposit,
    Failed,
    How,
    Purchase,
    Ready,
    RenameAccount,
    Resolve,
)
from bus.contract.sorter import Aborted, PickReply
from bus.contract.terminal import Shown
from bus.contract.values import Model, Money
from bus.contract.warehouse import (
    COUNT,
    FAULT,
    FULFIL,
    PACKED,
    PICKUP_POINTS_STATE,
    REASSIGN,
    RECEIVE,
    RESUME,
    SHORT_PICK,
    WITHDRAW,
    CountGoods,
    Fault,
    Fulfil,
    Packed,
    Receive,
    Resume,
    ShortPick,
)
from bus.runtime.processor import Input, ReplyReceived
from bus.runtime.requests import Request
from bus.runtime.role import Role
from bus.runtime.unit_of_work import UnitOfWork
from nodes.catalog.role import Catalog
from nodes.settlement.acquirer.outcomes import Captured, Declined, Refunded, RefusedRefund
from nodes.settlement.role import Settlement
from nodes.settlement.settings import SettlementSettings
from nodes.warehouse.role import Warehouse

KEYS = {
    "orders": "id", "account": "id", "style": "sku", "product": "id", "reservation": "order_id",
    "job": "id", "goods_return": "parcel",
}  # fmt: skip
"""The tables whose rows a role decides by, and the key of each."""
_A_ROW = 4
"""So many columns of a table are a row that is loaded; fewer only say which rows there are."""


class Watched(Bench):
    """A role on a bench that looks, after each message, how often its rows were read and written.

    Args:
        role: what is tried.
        connection: with the role's tables.
    """

    def __init__(self, role: Role, connection: sqlite3.Connection) -> None:
        self._role = role
        self._statements: list[str] = []
        self._read: Counter[tuple[str, str]] = Counter()
        self.told: set[str] = set()
        """The operations whose requests or answers came."""
        connection.execute("CREATE TEMP TABLE written (name TEXT, key TEXT)")
        self._columns = {
            table: {row[1] for row in connection.execute(f"PRAGMA table_info({table})")}
            for table in KEYS
        }
        for table in filter(self._columns.get, KEYS):
            # that an account is opened says nothing of its balance
            for change in ("UPDATE",) if table == "account" else ("INSERT", "UPDATE"):
                note = f"INSERT INTO written VALUES ('{table}', new.{KEYS[table]})"  # noqa: S608 - constants
                connection.execute(
                    f"CREATE TEMP TRIGGER {change}_{table} AFTER {change} ON {table}"
                    f" BEGIN {note}; END"
                )
        connection.row_factory = self._row
        super().__init__(role, role.kind, connection)

    def _row(self, cursor: sqlite3.Cursor, values: tuple[Any, ...]) -> sqlite3.Row:
        row = sqlite3.Row(cursor, values)
        names = set(row.keys())
        for table, key in KEYS.items():
            if key in names and names <= self._columns[table] and len(names) >= _A_ROW:
                self._read[table, row[key]] += 1
        return row

    def _carry_out(self, item: Input) -> UnitOfWork:
        self._read.clear()
        self._statements.clear()
        self.connection.execute("DELETE FROM written")
        self.connection.set_trace_callback(self._statements.append)
        unit = super()._carry_out(item)
        self.connection.set_trace_callback(None)
        written = Counter(map(tuple, self.connection.execute("SELECT name, key FROM written")))
        asked = Counter(each for each in self._statements if _is_the_roles(each))
        orders = [each for each in asked.elements() if re.search("(FROM|JOIN) orders", each)]
        assert not _repeated(written), f"written more than once: {_name(item)}"
        assert not _repeated(self._read), f"read more than once: {_name(item)}"
        assert not _repeated(asked), f"asked more than once: {_name(item)}"
        assert len(orders) <= 1, f"read more than once: {_name(item)}"
        if isinstance(item, Request) and unit.refused is None:
            self.told.add(item.operation.name)
        elif isinstance(item, ReplyReceived):
            self.told.add(item.row.operation)
        return unit

    def sent(self, operation: str) -> Any:
        """The data of the last command of this name that waits for an answer."""
        return self.asked(operation)[-1]


def _is_the_roles(statement: str) -> bool:
    """Whether it is a question of the role's own, and not of the runtime about an order's trace."""
    return statement.startswith("SELECT") and "FROM order_trace" not in statement


def _name(item: Input) -> str:
    if isinstance(item, Request):
        return item.operation.name
    return f"answer to {item.row.operation}" if isinstance(item, ReplyReceived) else repr(item)


def _repeated(counted: Counter[Any]) -> list[Any]:
    return [each for each, times in counted.items() if times > 1]


@contextmanager
def watched(role: Role) -> Iterator[Watched]:
    """A role on a bench, with empty tables; all its commands and answers have to come."""
    with tables(*role.schemas) as connection:
        found = Watched(role, connection)
        yield found
        assert {each.name for each in (*role.commands, *role.answers)} <= found.told


LINES = [Line(sku="SHIRT", quantity=2)]
ONE = [Line(sku="SHIRT", quantity=1)]
TOTAL = Money(amount=11_800, currency="EUR")
ACCOUNT = AccountPayment(method="account", account="C-1")
CARD = CardPayment(method="card", token="tok_1")
DONE = Declined("card declined"), Declined("no currency", refused=True), Captured("acq-1")
Payment = AccountPayment | CardPayment


def _place(settlement: Watched, payment: Payment, held: Model | Exception | None = None) -> str:
    purchase = Purchase(lines=LINES, payment=payment, expected_total=TOTAL)
    settlement.tell(PURCHASE, purchase, "terminal-1")
    order = str(settlement.sent("reserve")["order"])
    row = settlement.waiting("reserve")[-1]
    lines = Reserved(order=order, lines=[priced("SHIRT", 2, 5_900)])
    settlement.answer(row, held or lines)  # type: ignore[arg-type]
    return order


def _paid(settlement: Watched, payment: Payment) -> str:
    order = _place(settlement, payment)
    if payment is CARD:
        settlement.done("acquirer", Captured("acq-1"))
    return order


def _state(settlement: Watched, order: str) -> str:
    return str(settlement.value("SELECT state FROM orders WHERE id = ?", order))


def _answer_back(settlement: Watched, *, refused: bool = False) -> None:
    """Other roles do, or refuse, whatever step back they were asked for."""
    while steps := settlement.waiting("withdraw") + [
        row for row in settlement.waiting("release") if b'"lines":[' not in row.payload
    ]:
        problem = WrongState("The warehouse has lost its books.")
        settlement.answer(steps[0], problem if refused else OrderOnly(order="o-1"))


@pytest.mark.parametrize("payment", [ACCOUNT, CARD], ids=["prepaid", "card"])
def test_settlement_loads_and_saves_an_order_once_for_each_message(payment: Payment) -> None:
    patience = SettlementSettings(remind_again=DAY / SECOND, expire_after=2 * DAY / SECOND)
    with watched(Settlement(object(), patience).role) as settlement:  # type: ignore[arg-type]
        settlement.see(PICKUP_POINTS_STATE, "warehouse", POINTS)
        for delivery in (None, Delivery(name="monday"), Delivery(name="monday")):
            amount = Money(amount=90_000, currency="EUR")
            paid_in = Deposit(account="C-1", name="Ada", amount=amount, delivery=delivery)
            settlement.tell(DEPOSIT, paid_in, "console-1")
        change = AdjustAccount(account="C-1", change=-1, currency="EUR", reason="a mistake")
        settlement.tell(ADJUST, change, "console-1")
        renamed = RenameAccount(account="C-1", name="Ada B.", reason="married")
        settlement.tell(RENAME, renamed, "console-1")
        _place(settlement, payment, SoldOut("Not enough left.", available={"SHIRT": 0}))
        cancelled = _paid(settlement, payment)
        answer = reply(settlement.tell(CANCEL, OrderOnly(order=cancelled), "terminal-1"))
        assert answer["state"] == "cancelling"
        settlement.tell(CANCEL, OrderOnly(order=cancelled), "terminal-1")
        _refund(settlement)
        _answer_back(settlement)
        assert _state(settlement, cancelled) == "cancelled"
        short = _paid(settlement, payment)
        gone = Failed(order=short, reason="lost", lines=ONE)
        settlement.tell(FAILED, gone, "warehouse")
        _refund(settlement)
        settlement.answer_only("release", OrderOnly(order=short))
        settlement.tell(FAILED, Failed(order=short, reason="lost"), "warehouse")
        _refund(settlement)
        _answer_back(settlement)
        assert _state(settlement, short) == "cancelled"
        _collected(settlement, _paid(settlement, payment))
        expired = _ready(settlement, _paid(settlement, payment))
        settlement.wait(settlement.steady + 2 * DAY)
        _refund(settlement)
        _answer_back(settlement)
        assert _state(settlement, expired) == "expired"
        hows: tuple[How, How] = ("retry", "by-hand")
        for how in hows:
            stuck = _paid(settlement, payment)
            settlement.tell(CANCEL, OrderOnly(order=stuck), "terminal-1")
            _refund(settlement, RefusedRefund("closed"))
            _answer_back(settlement, refused=True)
            settlement.tell(RESOLVE, Resolve(order=stuck, how=how, reason="seen"), "console-1")
            _refund(settlement)
            _answer_back(settlement)
            assert _state(settlement, stuck) == "cancelled"


def test_settlement_loads_and_saves_a_cancelled_charge_once_for_each_message() -> None:
    with tables(*Settlement(object()).role.schemas) as connection:  # type: ignore[arg-type]
        settlement = Watched(Settlement(object()).role, connection)  # type: ignore[arg-type]
        settlement.see(PICKUP_POINTS_STATE, "warehouse", POINTS)
        for outcome in DONE:
            order = _place(settlement, CARD)
            settlement.tell(CANCEL, OrderOnly(order=order), "terminal-1")
            settlement.done("acquirer", outcome)
            _refund(settlement)
            _answer_back(settlement)
            assert _state(settlement, order) == "cancelled"


def _refund(settlement: Watched, outcome: Any = None) -> None:
    """The provider gives money back where it is asked to."""
    if settlement.waiting("refund"):
        settlement.done("refund", outcome or Refunded("ref-1"))


def _ready(settlement: Watched, order: str) -> str:
    ready = Ready(order=order, parcel=f"p-{order}", pickup_point="north")
    settlement.tell(READY, ready, "warehouse")
    settlement.answer_only("remind", Shown(shown=True))
    settlement.wait(settlement.steady + DAY)
    settlement.answer_only("remind", Shown(shown=True))
    return order


def _collected(settlement: Watched, order: str) -> None:
    _ready(settlement, order)
    settlement.tell(COLLECT, Collect(code="000000"), "console-1")
    code = str(settlement.value("SELECT pickup_code FROM orders WHERE id = ?", order))
    settlement.tell(COLLECT, Collect(code=code), "terminal-1")
    assert _state(settlement, order) == "collected"


def _product(identifier: str, *skus: str) -> ProductUpdate:
    styles = [
        {
            "sku": sku,
            "gtin": gtin,
            "attributes": {},
            "price": {"amount": 5_900, "currency": "EUR"},
        }
        for sku, gtin in zip(skus, ("04012345678901", "04012345678918"), strict=False)
    ]
    url = f"https://shop.example/{identifier}"
    update = {"id": identifier, "name": identifier, "url": url, "styles": styles}
    return ProductUpdate.model_validate(update)


def test_the_catalog_loads_and_saves_a_row_once_for_each_message() -> None:
    with watched(Catalog().role) as catalog:
        upsert = Upsert(products=[_product("shirt", "SHIRT", "SHIRT-L")])
        for _ in range(2):
            catalog.tell(UPSERT, upsert, "console-1")
        for sku in ("SHIRT", "SHIRT-L"):
            catalog.tell(RESTOCK, Restock(sku=sku, quantity=9), "warehouse")
        catalog.tell(WRITE_OFF, WriteOff(sku="SHIRT", quantity=1), "warehouse")
        both = [Line(sku="SHIRT", quantity=2), Line(sku="SHIRT-L", quantity=1)]
        for order in ("o-1", "o-2"):
            catalog.tell(RESERVE, Reserve(order=order, lines=both), "settlement")
        catalog.tell(COMMIT, OrderOnly(order="o-1"), "settlement")
        for order in ("o-1", "o-2"):
            catalog.tell(RELEASE, Release(order=order, lines=ONE), "settlement")
            catalog.tell(RELEASE, Release(order=order), "settlement")
        catalog.tell(RELEASE, Release(order="o-3"), "settlement")
        for asked in (Retire(sku="SHIRT", reason="old"), Retire(product="shirt", reason="old")):
            catalog.tell(RETIRE, asked, "console-1")
            catalog.tell(REINSTATE, asked, "console-1")
        catalog.tell(RETIRE, Retire(sku="SHIRT", reason="old"), "console-1")
        assert reply(catalog.tell(UPSERT, upsert, "console-1"))["retired"] == ["SHIRT"]
        levels = catalog.connection.execute("SELECT on_hand, reserved FROM style ORDER BY sku")
        assert [tuple(row) for row in levels] == [(8, 0), (9, 0)]


HERE, THERE = "A-01-1", "A-01-2"


def _received(warehouse: Watched, location: str, quantity: int) -> None:
    goods = Receive(sku="SHIRT", location=location, quantity=quantity)
    warehouse.tell(RECEIVE, goods, "tester-1")
    _catalog_knows(warehouse)


def _catalog_knows(warehouse: Watched) -> None:
    for row in warehouse.waiting("restock") + warehouse.waiting("write-off"):
        warehouse.answer(row, StockLevel(sku="SHIRT", on_hand=9, reserved=0, available=9))


def _job(warehouse: Watched, order: str) -> tuple[str, int, str]:
    """Id, assignment and sorter of an order's job."""
    query = "SELECT id, assignment, sorter FROM job WHERE order_id = ?"
    ((job, assignment, sorter),) = warehouse.connection.execute(query, (order,)).fetchall()
    return job, assignment, sorter


def _fulfil(warehouse: Watched, order: str) -> tuple[str, int, str]:
    warehouse.tell(FULFIL, Fulfil(order=order, lines=LINES, pickup_point="north"), "settlement")
    return _job(warehouse, order)


def _packed(warehouse: Watched, order: str) -> str:
    job, assignment, sorter = _job(warehouse, order)
    parcel = f"p-{order}"
    packed = Packed(job=job, assignment=assignment, order=order, parcel=parcel, lines=LINES)
    warehouse.tell(PACKED, packed, sorter)
    return parcel


def _aborted(warehouse: Watched, taken: list[Line]) -> None:
    for row in warehouse.waiting("abort"):
        warehouse.answer(row, Aborted(job="j-1", taken=taken))


def _put_back(warehouse: Watched) -> None:
    query = "SELECT parcel, json_extract(lines, '$[0].quantity') AS pieces FROM goods_return"
    for parcel, pieces in warehouse.connection.execute(query).fetchall():
        goods = Receive(sku="SHIRT", location=HERE, quantity=pieces, parcel=parcel)
        warehouse.tell(RECEIVE, goods, "tester-1")


def test_the_warehouse_loads_and_saves_a_job_once_for_each_message() -> None:
    with watched(Warehouse(POINTS, [HERE, THERE]).role) as warehouse:
        _received(warehouse, HERE, 40)
        _received(warehouse, THERE, 40)
        for sorter in ("sorter-1", "sorter-2"):
            warehouse.comes(sorter)
        for act in (_bring, _refuse, _reassign, _break_down, _find_too_few, _cancel, _go, _count):
            act(warehouse)
            _aborted(warehouse, ONE)
            _put_back(warehouse)
            _catalog_knows(warehouse)
            for row in warehouse.waiting("failed") + warehouse.waiting("ready"):
                warehouse.answer(row, OrderOnly(order="o-1"))
            for sorter in ("sorter-1", "sorter-2"):
                warehouse.comes(sorter)
                warehouse.tell(RESUME, Resume(sorter=sorter), "console-1")
        states = warehouse.connection.execute("SELECT DISTINCT state FROM job ORDER BY state")
        assert [state for (state,) in states] == ["packed", "withdrawn"]


def _bring(warehouse: Watched) -> None:
    job, _, _ = _fulfil(warehouse, "o-bring")
    warehouse.answer_only("pick", PickReply(job=job, accepted=True))
    _packed(warehouse, "o-bring")
    warehouse.tell(WITHDRAW, OrderOnly(order="o-bring"), "settlement")
    warehouse.tell(WITHDRAW, OrderOnly(order="o-never-seen"), "settlement")


def _refuse(warehouse: Watched) -> None:
    job, _, sorter = _fulfil(warehouse, "o-refuse")
    warehouse.answer_only("pick", PickReply(job=job, accepted=False))
    assert _job(warehouse, "o-refuse")[2] != sorter
    _packed(warehouse, "o-refuse")


def _reassign(warehouse: Watched) -> None:
    _fulfil(warehouse, "o-reassign")
    for _ in range(2):
        warehouse.tell(REASSIGN, OrderOnly(order="o-reassign"), "console-1")
    assert _job(warehouse, "o-reassign")[2] is None
    warehouse.tell(REASSIGN, OrderOnly(order="o-reassign"), "console-1")
    _aborted(warehouse, LINES)
    warehouse.tell(RESUME, Resume(sorter="sorter-1"), "console-1")
    _packed(warehouse, "o-reassign")


def _break_down(warehouse: Watched) -> None:
    job, assignment, sorter = _fulfil(warehouse, "o-break-down")
    fault = Fault(job=job, assignment=assignment, reason="jammed")
    warehouse.tell(FAULT, fault, sorter)
    _packed(warehouse, "o-break-down")


def _find_too_few(warehouse: Watched) -> None:
    job, assignment, sorter = _fulfil(warehouse, "o-too-few")
    (pick,) = warehouse.sent("pick")["picks"]
    found = ShortPick(
        job=job, assignment=assignment, sku="SHIRT", location=pick["location"], found=1
    )
    warehouse.tell(SHORT_PICK, found, sorter)
    _packed(warehouse, "o-too-few")


def _cancel(warehouse: Watched) -> None:
    _fulfil(warehouse, "o-cancel")
    warehouse.tell(WITHDRAW, OrderOnly(order="o-cancel"), "settlement")


def _go(warehouse: Watched) -> None:
    _, _, sorter = _fulfil(warehouse, "o-go")
    warehouse.see(PRESENCE, sorter, Presence(status="offline", boot="b-1", since=""))
    warehouse.comes("warehouse")
    warehouse.wait(warehouse.steady + 40 * SECOND)
    assert _job(warehouse, "o-go")[2] not in (None, sorter)
    _packed(warehouse, "o-go")


def _count(warehouse: Watched) -> None:
    for counted in (50, 0, 0, 9):
        count = CountGoods(sku="SHIRT", location=HERE, counted=counted, reason="stock-taking")
        warehouse.tell(COUNT, count, "console-1")
        _catalog_knows(warehouse)


def test_the_watch_notices_a_row_that_is_read_or_written_twice() -> None:
    def twice(work: Callable[[sqlite3.Connection], object]) -> None:
        role = Settlement().role
        role.commands = {CANCEL: lambda unit, _: [work(unit.connection) for _ in range(2)] and None}  # type: ignore[dict-item]
        with tables(*role.schemas) as connection:
            connection.execute("INSERT INTO account VALUES ('cash:EUR', 'Cash', 'EUR', 0)")
            Watched(role, connection).tell(CANCEL, OrderOnly(order="o-1"), "terminal-1")

    twice(lambda _: None)
    for statement in ("SELECT * FROM account", "UPDATE account SET balance = balance + 1"):
        with pytest.raises(AssertionError, match="more than once"):
            twice(lambda rows, statement=statement: rows.execute(statement).fetchall())  # type: ignore[misc]
