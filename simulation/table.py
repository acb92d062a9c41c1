"""How many seeds it takes to find a planted bug."""

from simulation.plan import Plan
from simulation.planted import Bug
from simulation.run import simulate


def seeds_until_caught(bug: Bug, limit: int, first: int = 1) -> tuple[int | None, str]:
    """The number of seeds until one broke a promise, and which; None if none of `limit` did.

    A seed that breaks a promise without the bug as well proves nothing and does not count.
    """
    for number in range(1, limit + 1):
        plan = Plan(first + number - 1)
        with bug.planted():
            broken = simulate(plan).broken
        if broken and not simulate(plan).broken:
            return number, broken[0]
    return None, ""
