"""The shortest story of a failure: faults, customers and time are left out while it still fails."""

from collections.abc import Iterator
from dataclasses import replace

from simulation.plan import Plan
from simulation.run import SimulationOutcome, simulate
from simulation.weather import KINDS


def shortest(failed: SimulationOutcome) -> SimulationOutcome:
    """A smaller simulation that breaks the same promise, or the same one."""
    promise = _promise(failed.broken[0])
    best, smaller = failed, True
    while smaller:
        smaller = False
        for plan in _smaller(best.plan):
            outcome = simulate(plan)
            if any(_promise(sentence) == promise for sentence in outcome.broken):
                best, smaller = outcome, True
                break
    return best


def _smaller(plan: Plan) -> Iterator[Plan]:
    """The same with one thing less."""
    for kind in KINDS:
        if kind not in plan.without:
            yield replace(plan, without=(*plan.without, kind))
    half = len(plan.customers) // 2
    if half > 1:
        yield replace(plan, customers=plan.customers[:half])
        yield replace(plan, customers=plan.customers[half:])
    for customer in plan.customers:
        yield replace(plan, customers=tuple(one for one in plan.customers if one != customer))
    for part in (0.25, 0.5, 0.75, 0.9):
        if plan.storm * part > 1:
            yield replace(plan, storm=round(plan.storm * part, 1))


def _promise(sentence: str) -> str:
    return sentence.partition(":")[0]
