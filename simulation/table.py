"""How many seeds it takes to find each planted bug, and which promise it broke."""

from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cache, partial

from simulation.plan import Plan
from simulation.planted import BUGS
from simulation.run import simulate


@dataclass(frozen=True, slots=True)
class Hunt:
    """What became of the hunt for one bug."""

    bug: str
    seeds: int | None
    """How many it took; None if it was not found."""
    found_as: str = ""
    """The first promise that it broke, in a sentence."""


def hunts(executor: Executor, limit: int, first: int = 1) -> Iterator[Hunt]:
    """Hunt for every planted bug.

    Args:
        executor: where.
        limit: how many seeds each may take.
        first: the first of them.
    """
    return executor.map(partial(hunt, limit=limit, first=first), range(len(BUGS)))


def hunt(number: int, limit: int, first: int = 1) -> Hunt:
    """Hunt for one planted bug, by its number."""
    bug = BUGS[number]
    for count in range(1, limit + 1):
        plan = Plan(first + count - 1)
        with bug.planted():
            broken = simulate(plan).broken
        if broken and _is_kept(plan):
            return Hunt(bug.name, count, broken[0])
    return Hunt(bug.name, None)


@cache
def _is_kept(plan: Plan) -> bool:
    """Whether every promise is kept without a bug: a seed that fails anyway proves nothing."""
    return not simulate(plan).broken
