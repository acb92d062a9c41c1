"""Databases of an older Storebus are brought up to date with all they hold."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

from clocks import Host

from bus.contract.terminal import Remind
from bus.runtime.clock import NodeClock
from bus.runtime.outbox import near_timers
from bus.storage.journal import SCHEMA as JOURNAL
from bus.storage.journal import Schema, migrate
from devices.sorter.store import SCHEMA as SORTER
from devices.terminal.role import Showing
from devices.terminal.store import SCHEMA as TERMINAL
from nodes.catalog.store import SCHEMA as CATALOG
from nodes.settlement.store import SCHEMA as SETTLEMENT
from nodes.warehouse.store import SCHEMA as WAREHOUSE

JOB = "INSERT INTO job VALUES (?, ?, ?, 'north', ?, ?, ?, 5, NULL, ?)"


PICKS = '[{"sku":"MUG","location":"A-1","quantity":3},{"sku":"HAT","location":"A-1","quantity":1}]'


@contextmanager
def older(schema: Schema, number: int) -> Iterator[sqlite3.Connection]:
    """Tables as the first `number` migrations made them."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as rows:
        rows.row_factory = sqlite3.Row
        rows.execute("PRAGMA foreign_keys = 1")
        as_it_was = Schema(schema.name, schema.package)
        vars(as_it_was)["scripts"] = schema.scripts[:number]
        migrate(rows, as_it_was)
        yield rows


def test_what_a_catalog_had_received_is_what_it_has_and_has_sold() -> None:
    with older(CATALOG, 1) as rows:
        rows.execute("INSERT INTO product VALUES ('mug', 'Mug', '', 'urn:mug')")
        rows.execute("INSERT INTO style VALUES ('MUG', 'mug', 0, '1', '{}', 100, 'EUR', 7, 2)")
        for order, state, quantity in (
            ("a", "held", 2),
            ("b", "committed", 3),
            ("c", "released", 4),
        ):
            rows.execute("INSERT INTO reservation VALUES (?, ?, 0)", (order, state))
            rows.execute(
                "INSERT INTO reservation_line VALUES (?, 0, 'MUG', ?, 100, 'EUR')",
                (order, quantity),
            )
        migrate(rows, CATALOG)
        row = rows.execute("SELECT received, written_off, short FROM style").fetchone()
        assert tuple(row) == (10, 0, 0)


def test_what_a_warehouse_had_received_is_wherever_it_is_now() -> None:
    with older(WAREHOUSE, 2) as rows:
        rows.execute("INSERT INTO location VALUES ('A-1')")
        rows.execute("INSERT INTO bin VALUES ('A-1', 'MUG', 10)")
        rows.execute("INSERT INTO receipt VALUES ('tester-1', 'm', 'MUG', 'A-1', 4, 'r')")
        rows.execute(
            "INSERT INTO job VALUES"
            " ('j', 'o', 'north', '[]', 'packed', 1, 'sorter-1', ?, 'p', 0, 1, NULL, NULL, NULL)",
            (PICKS,),
        )
        rows.execute("INSERT INTO superseded VALUES ('j', 1, ?)", (PICKS,))
        rows.execute(
            """INSERT INTO goods_return VALUES ('p', 'j', 'o', '[{"sku":"HAT","quantity":5}]', 0)"""
        )
        migrate(rows, WAREHOUSE)
        found = {row["sku"]: row["change"] for row in rows.execute("SELECT * FROM adjustment")}
        assert found == {"MUG": 10 - 4 + 3 + 3, "HAT": 1 + 1 + 5}


def test_a_settlement_goes_on_with_the_refunds_it_had_begun() -> None:
    with older(SETTLEMENT, 2) as rows:
        for name, undo, refunded in (
            ("a", '["refund"]', 0),
            ("b", "[]", 900),
            ("c", '["release"]', 900),
        ):
            rows.execute(
                "INSERT INTO orders VALUES (?, 'terminal-1', ?, 'cancelling', 0, '[]', 900,"
                " 'EUR', 900, '{}', 'r', 'north', ?, NULL, ?, ?, NULL)",
                (name, name, name, undo, refunded),
            )
        migrate(rows, SETTLEMENT)
        found = [tuple(row) for row in rows.execute("SELECT refunding, missing FROM orders")]
        assert found == [(900, "[]")] * 3


def test_a_sorter_knows_what_it_had_taken() -> None:
    with older(SORTER, 2) as rows:
        for name, step, pick, taken in (
            ("a", "done", 1, 0),
            ("b", "aborted", 1, 1),
            ("c", "picking", 1, 0),
            ("d", "aborted", 0, 0),
        ):
            rows.execute(JOB, (name, 1, name, PICKS, step, pick, taken))
        migrate(rows, SORTER)
        found = {row["id"]: row["found"] for row in rows.execute("SELECT * FROM job")}
        assert found == {"a": "[3,1]", "b": "[3]", "c": "[3]", "d": "[]"}


def test_a_terminal_answers_the_reminder_that_it_was_about_to_show() -> None:
    reminder = Remind(
        order="o-1", pickup_point="north", pickup_point_name="North door", pickup_code="482913"
    )
    content = reminder.model_dump_json()
    with older(TERMINAL, 1) as rows:
        migrate(rows, JOURNAL)
        later = ("o-1", content, "settlement", "m-2")
        rows.execute("INSERT INTO reminder VALUES (?, ?, ?, ?, NULL)", later)
        rows.execute(
            "INSERT INTO outbox VALUES ('o-1.m-1', 'call', 'screen', '', ?, '', 0, NULL)",
            (content.encode(),),
        )
        migrate(rows, TERMINAL)
        call = rows.execute("SELECT payload FROM outbox").fetchone()["payload"]
        waiting = Showing.model_validate_json(call)
        assert waiting == Showing(reminder=reminder, caller="settlement", request="m-1")
        kept = rows.execute("SELECT * FROM reminder").fetchone()
        assert tuple(kept) == ("o-1", content, "m-2", None, None)


def test_a_deadline_that_was_refused_for_good_may_be_mended_after_the_update() -> None:
    with older(JOURNAL, 3) as rows:
        for identifier, reply in (
            ("late", b'{"id":"1","data":{"status":410,"code":"expired","retryable":false}}'),
            ("sold-out", b'{"id":"2","data":{"status":409,"code":"sold-out"}}'),
            ("says so", b'{"id":"3","data":{"note":"\\"code\\":\\"expired\\""}}'),
            ("open", None),
        ):
            rows.execute(
                "INSERT INTO inbox VALUES ('tester-1', ?, 'upsert', x'00', ?, NULL, '', 5, 5)",
                (identifier, reply),
            )
        migrate(rows, JOURNAL)
        left = [row["id"] for row in rows.execute("SELECT id FROM inbox ORDER BY id")]
        assert left == ["open", "says so", "sold-out"]


def test_a_timer_of_before_is_due_when_it_was_to_be() -> None:
    with older(JOURNAL, 3) as rows:
        host = Host()
        due = host.wall + 60_000
        rows.execute(
            "INSERT INTO outbox VALUES ('t', 'timer', 'unclaimed', '', x'7b7d', '', ?, NULL)",
            (due,),
        )
        migrate(rows, JOURNAL)
        environment = host.process()
        clock = NodeClock(environment)
        clock.resume(rows)
        assert not list(near_timers(rows, environment.steady() - 1))
        (timer,) = near_timers(rows, environment.steady())
        assert timer.due_at - environment.steady() == 60_000
