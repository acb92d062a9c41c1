"""The audit reads the newest tables, and its own table of legal ways is the settlement's."""

from audit.orders import LEGAL
from audit.reading import SCHEMAS
from audit.store import FINAL, UNDOING
from nodes.settlement import order
from store import checkup


def test_the_audit_knows_the_last_migration_of_each_package() -> None:
    """Who adds a migration looks at audit, and raises the number there."""
    assert {
        schema.name: len(schema.scripts) for schema in checkup.SCHEMAS if schema.name in SCHEMAS
    } == SCHEMAS


def test_the_legal_ways_are_told_twice_and_agree() -> None:
    told = {state: ways for state, ways in LEGAL.items() if state}
    assert told == {state: ways for state, ways in order.LEGAL.items() if ways}
    assert (order.FINAL, set(order.UNDOING)) == (FINAL, set(UNDOING))
