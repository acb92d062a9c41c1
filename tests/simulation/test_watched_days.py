"""A console beside simulated stores: over healthy orders it raises nothing that is not so."""

import pytest

from simulation.operator import Operator
from simulation.plan import Plan
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
