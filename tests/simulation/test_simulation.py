"""Whole stores on a virtual clock: what is promised holds in any weather, and bugs are found."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from simulation.plan import Plan
from simulation.planted import BUGS, Bug
from simulation.run import simulate
from simulation.shrink import shortest
from simulation.table import seeds_until_caught

ROOT = Path(__file__).parents[2]
SEEDS = 100
"""Of each of the two halves below."""
ENOUGH = 150
"""Seeds within which every planted bug is found; most are by the first."""


@pytest.mark.parametrize("first", [1, 1 + SEEDS])
def test_every_promise_is_kept_in_any_weather(first: int) -> None:
    for seed in range(first, first + SEEDS):
        outcome = simulate(Plan(seed, customers=tuple(range(6))))
        assert not outcome.broken, outcome.plan.command()


def test_the_same_seed_has_the_same_history() -> None:
    assert simulate(Plan(7)).digest == simulate(Plan(7)).digest
    assert simulate(Plan(7)).digest != simulate(Plan(8)).digest


def test_a_history_does_not_depend_on_the_process_it_happens_in() -> None:
    command = [sys.executable, "-m", "simulation", "--first", "7", "--seeds", "1"]
    told = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"PYTHONHASHSEED": "1234"}, check=False,
        capture_output=True, text=True,
    )  # fmt: skip
    assert f"seed 7: history {simulate(Plan(7)).digest}" in told.stdout
    assert told.returncode == 0


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_planted_bug_is_found(bug: Bug) -> None:
    seeds, _ = seeds_until_caught(bug, ENOUGH)
    assert seeds is not None


def test_the_story_of_a_failure_is_cut_short_and_can_be_told_again() -> None:
    (bug,) = [bug for bug in BUGS if bug.name == "nothing is released after a decline"]
    with bug.planted():
        failed = next(
            outcome for outcome in map(simulate, map(Plan, range(1, ENOUGH))) if outcome.broken
        )
        short = shortest(failed)
        again = simulate(short.plan)
    assert len(short.plan.customers) < len(failed.plan.customers)
    assert len(short.story) < len(failed.story)
    assert (again.digest, again.broken) == (short.digest, short.broken)
    assert "declined but its goods are held" in " ".join(short.broken)
