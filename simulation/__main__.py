"""`python -m simulation --seeds 1000`: simulates stores and looks whether a promise is broken."""

import argparse
import hashlib
import sys
import time
from collections.abc import Iterator

from simulation.causes import CAUSES, lines, summary, watch
from simulation.plan import ORDERS, STORM, Plan
from simulation.planted import BUGS
from simulation.run import SimulationOutcome, simulate
from simulation.shrink import shortest
from simulation.table import hunts
from simulation.workers import CORES, workers

_PROGRESS = 500
"""Seeds between two words of how far it is."""


def main() -> int:
    """Run what the command line says; 1 if something was broken, not found, or not named."""
    options = _options()
    if options.causes:
        return _name(options)
    return _hunt(options) if options.planted else _sweep(options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="how many seeds")
    parser.add_argument("--first", type=int, default=1, help="the first of them")
    parser.add_argument("--orders", type=int, default=ORDERS, help="customers in each")
    parser.add_argument("--only", default="", help="only these customers, by commas")
    parser.add_argument("--without", default="", help="kinds of fault to switch off, by commas")
    parser.add_argument("--storm", type=float, default=STORM, help="seconds that faults go on")
    parser.add_argument("--as-is", action="store_true", help="do not look for a shorter story")
    parser.add_argument("--hashes", action="store_true", help="say the hash of each history")
    parser.add_argument("--processes", type=int, default=CORES, help="how many seeds at a time")
    parser.add_argument("--planted", action="store_true", help="plant bugs; `--seeds` for each")
    parser.add_argument("--causes", action="store_true", help="what does the console say of each?")
    return parser.parse_args()


def _sweep(options: argparse.Namespace) -> int:
    began, virtual, failures, histories = time.monotonic(), 0.0, 0, hashlib.sha256()
    for number, outcome in enumerate(_outcomes(options), 1):
        virtual += outcome.seconds
        histories.update(outcome.digest.encode())
        if options.hashes or options.seeds == 1:
            _say(f"seed {outcome.plan.seed}: history {outcome.digest}")
        if outcome.broken:
            failures += 1
            _tell(outcome, as_is=options.as_is)
        if number % _PROGRESS == 0:
            _say(f"{number} seeds, {failures} failures")
    real = time.monotonic() - began
    _say(
        f"{options.seeds} seeds, {failures} failures, histories {histories.hexdigest()[:16]}\n"
        f"{virtual / 3600:.1f} hours simulated in {real:.0f} s, {virtual / real:.0f} times as fast"
        f" as real time; {options.seeds / real:.1f} seeds/s"
    )
    return min(failures, 1)


def _outcomes(options: argparse.Namespace) -> Iterator[SimulationOutcome]:
    seeds = range(options.first, options.first + options.seeds)
    customers = tuple(range(options.orders))
    if options.only:
        customers = tuple(int(number) for number in options.only.split(","))
    without = tuple(kind for kind in options.without.split(",") if kind)
    plans = [Plan(seed, customers, without, options.storm) for seed in seeds]
    if min(len(plans), options.processes) == 1:
        yield from map(simulate, plans)
        return
    with workers(options.processes) as executor:
        yield from executor.map(simulate, plans, chunksize=4)


def _tell(outcome: SimulationOutcome, *, as_is: bool) -> None:
    _say(f"\nSEED {outcome.plan.seed} FAILED")
    if not as_is:
        for sentence in outcome.broken:
            _say(f"  broken: {sentence}")
        _say(f"  again:  {outcome.plan.command()} --as-is")
        outcome = shortest(outcome)
        _say("the shortest story found:")
    for line in outcome.story:
        _say(f"  {line}")
    for sentence in outcome.broken:
        _say(f"  broken: {sentence}")
    _say(f"  again:  {outcome.plan.command()} --as-is\n")


def _hunt(options: argparse.Namespace) -> int:
    missed = 0
    _say(f"{'planted bug':<60} {'seeds':>6}  found as")
    with workers(options.processes) as executor:
        for hunt in hunts(executor, options.seeds, options.first):
            missed += hunt.seeds is None
            _say(f"{hunt.bug:<60} {hunt.seeds or 'missed':>6}  {hunt.found_as[:80]}")
    _say(f"{len(BUGS) - missed} of {len(BUGS)} planted bugs found")
    return min(missed, 1)


def _name(options: argparse.Namespace) -> int:
    verdicts = []
    with workers(options.processes) as executor:
        found = executor.map(watch, range(len(CAUSES)), chunksize=4)
        for number, (cause, verdict) in enumerate(zip(CAUSES, found, strict=True), 1):
            verdicts.append(verdict)
            for line in lines(number, cause, verdict):
                _say(line)
    _say(summary(verdicts))
    return min(sum(not verdict.right for verdict in verdicts), 1)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
