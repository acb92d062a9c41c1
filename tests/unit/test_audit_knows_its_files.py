"""The audit reads the newest tables, and its own table of legal ways is the settlement's."""

from importlib import resources

from cli.audit.orders import LEGAL
from cli.audit.reading import SCHEMAS
from cli.audit.store import FINAL, UNDOING
from nodes.settlement import domain


def test_the_audit_knows_the_last_migration_of_each_package() -> None:
    """Who adds a migration looks at cli/audit, and raises the number there."""
    for package, number in SCHEMAS.items():
        scripts = (resources.files(package) / "migrations").iterdir()
        assert sum(entry.name.endswith(".sql") for entry in scripts) == number, package


def test_the_legal_ways_are_told_twice_and_agree() -> None:
    told = {state: ways for state, ways in LEGAL.items() if state}
    assert told == {state: ways for state, ways in domain.LEGAL.items() if ways}
    assert (domain.FINAL, set(domain.UNDOING)) == (FINAL, set(UNDOING))
