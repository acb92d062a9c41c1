"""Whole stores on a virtual clock: what is promised holds in any weather, and bugs are found."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from simulation.plan import Plan
from simulation.planted import BUGS
from simulation.run import simulate
from simulation.shrink import shortest

ROOT = Path(__file__).parents[2]
SEEDS = 200
TOGETHER = 20
"""Seeds of one test: the tests are spread over the processes of pytest."""


@pytest.mark.parametrize("first", range(1, SEEDS + 1, TOGETHER))
def test_every_promise_is_kept_in_any_weather(first: int) -> None:
    for seed in range(first, first + TOGETHER):
        outcome = simulate(Plan(seed, customers=tuple(range(6))))
        assert not outcome.broken, outcome.plan.command()


@pytest.mark.parametrize("folder", ["/proc", "/no/such/folder"])
def test_it_needs_no_folder_in_memory(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = Plan(7, customers=(0, 1))
    digest = simulate(plan).digest
    monkeypatch.setattr("simulation.run._IN_MEMORY", Path(folder))  # /proc: root cannot write there
    assert simulate(plan).digest == digest


def test_the_same_seed_has_the_same_history_in_any_process() -> None:
    command = [sys.executable, "-m", "simulation", "--first", "7", "--seeds", "1"]
    told = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"PYTHONHASHSEED": "1234"}, check=False,
        capture_output=True, text=True,
    )  # fmt: skip
    assert f"seed 7: history {simulate(Plan(7)).digest}" in told.stdout
    assert told.returncode == 0
    assert simulate(Plan(7)).digest != simulate(Plan(8)).digest


def test_the_story_of_a_failure_is_cut_short_and_can_be_told_again() -> None:
    (bug,) = [bug for bug in BUGS if bug.name == "nothing is released after a decline"]
    with bug.planted():
        failed = next(
            outcome for outcome in map(simulate, map(Plan, range(1, SEEDS))) if outcome.broken
        )
        short = shortest(failed)
        again = simulate(short.plan)
    assert len(short.plan.customers) < len(failed.plan.customers)
    assert len(short.story) < len(failed.story)
    assert (again.digest, again.broken) == (short.digest, short.broken)
    assert "declined but its goods are held" in " ".join(short.broken)


def _children(process: int) -> list[str]:
    return Path(f"/proc/{process}/task/{process}/children").read_text().split()


@pytest.mark.needs("linux")
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_simulations_end_with_the_command_that_started_them(how: int) -> None:
    command = [sys.executable, "-m", "simulation", "--seeds", "10000", "--processes", "2"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as sweep:
        while len(children := _children(sweep.pid)) < 3:  # the two, and who cleans up after them
            assert sweep.poll() is None
            time.sleep(0.02)
        sweep.send_signal(how)
    deadline = time.monotonic() + 30
    while left := [child for child in children if Path(f"/proc/{child}").exists()]:
        assert time.monotonic() < deadline, left
        time.sleep(0.02)
