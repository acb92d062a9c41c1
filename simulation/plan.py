"""What is to be simulated: a seed, and what is left out of it to make a story short."""

from collections.abc import Iterable
from dataclasses import dataclass

ORDERS = 10
"""Customers of a simulation unless told otherwise."""
STORM = 120.0
"""Seconds that the faults go on unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One simulation."""

    seed: int
    customers: tuple[int, ...] = tuple(range(ORDERS))
    """Which of the seed's customers come."""
    without: tuple[str, ...] = ()
    """Kinds of fault that are switched off."""
    storm: float = STORM
    """Seconds after which the faults end."""

    def command(self) -> str:
        """How to run exactly this again."""
        words = ["python -m simulation", f"--first {self.seed} --seeds 1"]
        if self.customers == tuple(range(len(self.customers))):
            words.append(f"--orders {len(self.customers)}")
        else:
            words.append(f"--only {_listed(self.customers)}")
        if self.without:
            words.append(f"--without {_listed(self.without)}")
        if self.storm != STORM:
            words.append(f"--storm {self.storm:g}")
        return " ".join(words)


def _listed(things: Iterable[object]) -> str:
    return ",".join(map(str, things))
