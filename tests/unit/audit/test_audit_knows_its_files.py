"""The audit reads the newest tables, and its own table of legal ways is the settlement's."""

import pytest

from audit.audited_store import FINAL, UNDOING
from audit.orders import LEGAL
from audit.reading import SCHEMAS
from bus.storage.journal import Schema
from nodes.settlement import order
from store import checkup

NOT_COUNTED = {"devices.terminal.web"}
"""Nothing of it is a promise of the store's."""


@pytest.mark.parametrize("schema", checkup.SCHEMAS, ids=lambda schema: schema.name)
def test_the_audit_knows_the_last_migration_of_each_schema(schema: Schema) -> None:
    known, last = SCHEMAS.get(schema.name), len(schema.scripts)
    assert known in (last, None), (
        f"{schema.name} has {last} migrations, and the audit knows {known}: see whether the new one"
        " changes what audit/audited_store.py reads, then raise its number in audit/reading.py"
    )
    assert known is not None or schema.name in NOT_COUNTED, (
        f"the audit does not know {schema.name}: add it to audit/reading.py"
    )


def test_the_legal_ways_are_told_twice_and_agree() -> None:
    told = {state: ways for state, ways in LEGAL.items() if state}
    assert told == {state: ways for state, ways in order.LEGAL.items() if ways}
    assert (order.FINAL, set(order.UNDOING)) == (FINAL, set(UNDOING))
