"""No question of a turn goes through a whole table: a store with 100,000 orders is not slower."""

import sqlite3
from collections.abc import Callable

import pytest
from settlement_orders import order
from unit_rows import tables

from bus.contract.catalog import Line
from bus.storage.journal import Schema
from nodes.catalog import stock_range
from nodes.catalog import store as catalog
from nodes.catalog.codes import Code, Owner
from nodes.settlement import refusals
from nodes.settlement import store as settlement
from nodes.warehouse import counts
from nodes.warehouse import store as warehouse
from nodes.warehouse.domain import Job

JOB = Job("j-1", "o-1", "north", (Line(sku="SHIRT", quantity=2),))
CODES = [Code("MUG", "MUG", Owner("mug", "MUG"))]
Work = Callable[[sqlite3.Connection], object]


@pytest.mark.parametrize(
    ("schema", "work"),
    [
        (settlement.SCHEMA, lambda rows: settlement.save(rows, order())),
        (settlement.SCHEMA, lambda rows: settlement.order_by_code(rows, "123456")),
        (settlement.SCHEMA, lambda rows: settlement.orders(rows, None, None, 10)),
        (settlement.SCHEMA, lambda rows: settlement.orders(rows, "ready", None, 10)),
        (settlement.SCHEMA, lambda rows: settlement.orders(rows, None, "terminal-1", 10)),
        (settlement.SCHEMA, lambda rows: settlement.orders(rows, "ready", "terminal-1", 10)),
        (settlement.SCHEMA, lambda rows: refusals.of_order(rows, order())),
        (settlement.SCHEMA, lambda rows: refusals.resolutions(rows, "o-1")),
        (warehouse.SCHEMA, lambda rows: counts.take_told(rows, "m-1")),
        (warehouse.SCHEMA, lambda rows: counts.past(rows, "MUG", 10)),
        (catalog.SCHEMA, lambda rows: stock_range.codes(rows, "mug")),
        (catalog.SCHEMA, lambda rows: catalog.owners(rows, CODES)),
        (warehouse.SCHEMA, lambda rows: warehouse.save_job(rows, JOB, 0)),
        (warehouse.SCHEMA, lambda rows: warehouse.job_of_order(rows, "o-1")),
        (warehouse.SCHEMA, lambda rows: warehouse.waiting(rows, 10)),
        (warehouse.SCHEMA, warehouse.busy),
        (warehouse.SCHEMA, lambda rows: warehouse.job_of_sorter(rows, "sorter-1")),
    ],
    ids=[
        "save an order",
        "an order by its pickup code",
        "all orders",
        "orders in a state",
        "orders of a terminal",
        "orders of a terminal in a state",
        "the refused refunds of an order",
        "what became of an order's refused refunds",
        "the count that the catalog answers",
        "the counts of a style",
        "the retired styles of a product",
        "whom a code belongs to",
        "save a job",
        "the job of an order",
        "waiting jobs",
        "busy sorters",
        "the job of a sorter",
    ],
)
def test_a_query_goes_by_an_index(schema: Schema, work: Work) -> None:
    with tables(schema) as rows:
        statements: list[str] = []
        rows.set_trace_callback(statements.append)
        work(rows)
        rows.set_trace_callback(None)
        asked = [each for each in statements if each.startswith(("SELECT", "INSERT", "UPDATE"))]
        assert asked
        for statement in asked:
            steps = [row[3] for row in rows.execute(f"EXPLAIN QUERY PLAN {statement}")]
            assert not [step for step in steps if _goes_through_all(step)], statement


def _goes_through_all(step: str) -> bool:
    """A table, or an index that only spares reading the table, or all of it to be sorted."""
    if "job_by_place" in step or "order_by_time" in step:
        return False  # from their ends: the last place, the newest orders
    without_limits = step.startswith("SEARCH") and "(" not in step
    return (
        without_limits
        or "TEMP B-TREE" in step
        or (step.startswith("SCAN ") and step != "SCAN CONSTANT ROW")
    )
