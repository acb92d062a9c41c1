"""A console beside simulated stores: over healthy orders it raises nothing that is not so."""

import re

import pytest

from simulation.operator import Operator
from simulation.plan import Plan
from simulation.planted import BUGS
from simulation.run import simulate
from simulation.weather import KINDS

NEWS = {"low-stock", "dead-letter"}
"""What is so on a healthy day, too: goods run out."""
WORK = {"waits for its goods to be put back on their shelves"}
"""What people are there for: in some stores, parcels that nobody collects go back."""


@pytest.mark.parametrize("first", range(1, 41, 10))
def test_a_thousand_healthy_orders_raise_no_alarm(first: int) -> None:
    orders = 0
    for seed in range(first, first + 10):
        operator = Operator()
        plan = Plan(seed, customers=tuple(range(25)), without=KINDS)
        outcome = simulate(plan, operator)
        assert not outcome.broken
        found = {key: text for key, text in operator.raised.items() if key[0] not in NEWS}
        assert not found, plan.command()
        assert set(operator.wrong.values()) <= WORK, plan.command()
        orders += len(operator.model.orders)
    assert orders == 250


@pytest.mark.parametrize("first", range(1, 41, 10))
def test_whatever_the_weather_the_books_are_said_to_differ_only_when_they_do(first: int) -> None:
    for seed in range(first, first + 10):
        operator = Operator()
        plan = Plan(seed, customers=tuple(range(6)))
        assert not simulate(plan, operator).broken
        found = {key: text for key, text in operator.raised.items() if key[0] == "disagreement"}
        assert not found, plan.command()


def test_books_that_the_audit_finds_to_differ_are_an_alarm_and_no_others() -> None:
    (twice,) = [bug for bug in BUGS if bug.name.startswith("no inbox check")]
    days_that_differed = 0
    for seed in range(3, 23):
        operator = Operator()
        with twice.planted():
            outcome = simulate(Plan(seed, customers=tuple(range(6))), operator)
        found = re.findall(r"(\S+): the catalog accounts for", " ".join(outcome.broken))
        alarmed = {subject for kind, subject in operator.raised if kind == "disagreement"}
        assert alarmed == set(found)
        days_that_differed += bool(found)
        if days_that_differed == 2:
            return
    pytest.fail("the bug did not show in twenty days")
