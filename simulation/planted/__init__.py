"""Bugs that are planted into the product while a simulation runs, to see whether it finds them.

Each is a mistake that somebody could make, and a way to patch it in; the product has no switch.
"""

from simulation.planted import roles, runtime, short_picks, ways_back
from simulation.planted.bug import Bug

BUGS: tuple[Bug, ...] = (*runtime.BUGS, *roles.BUGS, *ways_back.BUGS, *short_picks.BUGS)

__all__ = ["BUGS", "Bug"]
