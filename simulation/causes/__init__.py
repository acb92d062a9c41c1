"""Planted causes: why an order is stuck or a store unwell, and what the console must say of it.

A cause is one entry of a `CAUSES`. `make causes` prints what was said of them all; the tests hold
the same against the table.
"""

from simulation.causes import devices, roles, trade, watching, ways
from simulation.causes.cause import Cause, Verdict
from simulation.causes.report import lines, summary

CAUSES: tuple[Cause, ...] = (*roles.CAUSES, *devices.CAUSES, *ways.CAUSES, *trade.CAUSES)


def watch(number: int) -> Verdict:
    """Plant a cause, by its number, and say what the console said."""
    return watching.watch(CAUSES[number])


__all__ = ["CAUSES", "Cause", "Verdict", "lines", "summary", "watch"]
