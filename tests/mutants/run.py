"""Plants small mistakes in the code, one at a time, and counts which of them the tests notice.

`make mutants` tries all, for hours; `make mutants SAMPLE=50` as many as that, chosen by `SEED`, in
minutes; `ONLY='nodes/*/domain.py'` those of some files. mutmut (configured in pyproject.toml) makes
the mutants and finds, for each, the unit and contract tests that call its function. A mutant that
survives is shown as a diff: a test is missing, or it is no mistake, and then `equal.toml` says why.
Ends with 1 if fewer are killed than `GOAL`.
"""

import argparse
import json
import random
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from multiprocessing import cpu_count
from pathlib import Path

from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.stats import status_by_exit_code
from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table

GOAL = 0.95
_MADE = Path("mutants")
_EQUAL = Path(__file__).with_name("equal.toml")
_TEXT = re.compile(r'"([^"]*)"')
_MAKE = """
from mutmut import __main__ as mutmut
mutmut.set_mutant_under_test("mutant_generation")
mutmut.copy_src_dir()
mutmut.copy_also_copy_files()
mutmut.setup_source_paths()
mutmut.create_mutants({processes})
"""
"""The first steps of `mutmut run`, which cannot do them alone."""
_ARGUMENTS = 500
"""Names of mutants in one call of mutmut."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One mistake."""

    name: str
    file: str
    diff: str

    @property
    def change(self) -> tuple[str, str]:
        """The lines that it takes away, and those that it puts in their place."""
        lines = self.diff.splitlines()[3:]
        before, after = (
            " ".join(line[1:].strip() for line in lines if line.startswith(sign)) for sign in "-+"
        )
        return before, after

    @property
    def is_of_a_sentence(self) -> bool:
        """Whether only the wording, or the letter case, of a text for people differs."""
        before, after = (_TEXT.findall(change) for change in self.change)
        if len(before) != len(after):
            return False
        changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
        return bool(changed) and all(
            " " in old and new.replace("XX", "").casefold() == old.casefold()
            for old, new in changed
        )


def make() -> list[tuple[str, str]]:
    """The names of all mutants, each with its file."""
    shutil.rmtree(_MADE / "tests", ignore_errors=True)
    _MADE.mkdir(exist_ok=True)
    # mutmut keeps by a test's name what it calls: a test that was changed would not be asked.
    (_MADE / "mutmut-stats.json").unlink(missing_ok=True)
    script = _MAKE.format(processes=cpu_count())
    subprocess.run([sys.executable, "-c", script], check=True, stdout=subprocess.DEVNULL)
    found = []
    for meta in sorted(_MADE.rglob("*.py.meta")):
        file = str(meta.relative_to(_MADE)).removesuffix(".meta")
        found += [(name, file) for name in json.loads(meta.read_text())["exit_code_by_key"]]
    return found


def choose(only: str, sample: int, seed: int) -> Iterator[Mutant]:
    """Mutants that are worth trying: `sample` of those in the files `only`, or all."""
    names = [(name, file) for name, file in make() if fnmatch(file, only)]
    known = reasons()
    if sample:
        random.Random(seed).shuffle(names)
    chosen = 0
    for name, file in names:
        mutant = Mutant(name, file, get_diff_for_mutant(name, path=file))
        if not mutant.is_of_a_sentence and (file, *mutant.change) not in known:
            yield mutant
            chosen += 1
            if chosen == sample:
                break


def attempt(mutants: list[Mutant]) -> None:
    """Let mutmut try these; it writes down what became of each."""
    for first in range(0, len(mutants), _ARGUMENTS):
        names = [mutant.name for mutant in mutants[first : first + _ARGUMENTS]]
        command = [Path(sys.executable).with_name("mutmut"), "run", *names]
        subprocess.run(command, check=True)


def status(mutant: Mutant) -> str:
    """What became of it: `survived`, or what mutmut calls the ways in which it was noticed."""
    meta = json.loads((_MADE / f"{mutant.file}.meta").read_text())
    return status_by_exit_code[meta["exit_code_by_key"][mutant.name]]


def reasons() -> dict[tuple[str, str, str], str]:
    """Why a change is no mistake: by file, what it takes away and what it puts there."""
    known = tomllib.loads(_EQUAL.read_text())["equal"]
    return {(each["file"], each["before"], each["after"]): each["why"] for each in known}


def main() -> None:
    """Make mutants, try them, and show a table of what became of them, and the survivors."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=0, help="how many; 0 for all")
    parser.add_argument("--seed", type=int, default=1, help="which ones")
    parser.add_argument("--only", default="*", help="of the files that match this pattern")
    options = parser.parse_args()
    console = Console(highlight=False)
    tried = list(choose(options.only, options.sample, options.seed))
    attempt(tried)
    ends = {mutant: status(mutant) for mutant in tried}
    survivors = [mutant for mutant, end in ends.items() if end in ("survived", "no tests")]
    planted, lived = Counter(each.file for each in tried), Counter(each.file for each in survivors)
    table = Table("File", *("Planted", "Killed", "Survived", "%"))
    for file in sorted(planted):
        killed = planted[file] - lived[file]
        share = f"{killed / planted[file]:.0%}"
        table.add_row(file, str(planted[file]), str(killed), str(lived[file]), share)
    rate = 1 - len(survivors) / max(len(tried), 1)
    total = (str(len(tried)), str(len(tried) - len(survivors)), str(len(survivors)))
    table.add_row("all", *total, f"{rate:.1%}", style="bold")
    for mutant in survivors:
        console.print(f"\n{mutant.name}: {ends[mutant]}")
        console.print(Syntax(mutant.diff, "diff", background_color="default"))
    console.print(table)
    sys.exit(rate < GOAL)


if __name__ == "__main__":
    main()
