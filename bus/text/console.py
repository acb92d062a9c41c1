"""The output of commands: no text is ever taken as markup or as control characters.

Everything is printed with `output` and `errors`. Strings are printed as they are, without markup;
emphasis is a `Text`. Control characters are made visible, characters that the encoding lacks are
replaced, and a closed pipe is no failure.
"""

import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from rich.console import Console
from rich.segment import Segment
from rich.text import Text

from bus.contract.problem import ProblemData
from bus.text.safe import visible


class Printer(Console):
    """A console that makes all text safe.

    Args:
        stderr: whether it prints to standard error.
    """

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, highlight=False, markup=False, emoji=False)

    def print_json(self, json: str | None = None, **options: Any) -> None:
        """Print JSON; characters that the encoding lacks are escaped."""
        options.setdefault("ensure_ascii", not self.encoding.startswith("utf"))
        super().print_json(json, **options)

    def on_broken_pipe(self) -> None:
        """Raise instead of exiting with 1, as rich would; `run` ends cleanly."""
        raise BrokenPipeError

    def _render_buffer(self, buffer: Iterable[Segment]) -> str:
        """Make everything safe that is written, also tables and progress bars."""
        return super()._render_buffer(map(_harmless, buffer))


def _harmless(segment: Segment) -> Segment:
    """A segment made safe; of control characters in text, only line breaks are kept."""
    if segment.control or (segment.text.isascii() and segment.text.isprintable()):
        return segment
    return Segment("\n".join(map(visible, segment.text.split("\n"))), segment.style)


def prepare_streams() -> None:
    """Make the standard streams usable, however the program was started.

    A closed one is opened on the null device; otherwise the next file or socket would get its
    number. Characters that the encoding lacks are printed as `?`.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free number: this one
            stream = os.fdopen(number, "w" if number else "r", closefd=False)
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)
    for each in (sys.stdout, sys.stderr):
        with suppress(AttributeError):  # of a test, which takes what is printed
            each.reconfigure(errors="replace")  # type: ignore[union-attr]


def leave_quietly() -> None:
    """Discard buffered output after the pipe was closed, which would fail at exit."""
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


output = Printer()
errors = Printer(stderr=True)


def print_problem(problem: ProblemData) -> None:
    """Print a problem: status, code, detail, and its other members."""
    code = f"{problem.status} {problem.code}"
    errors.print(Text.assemble((code, "bold"), f"  {problem.detail}"), soft_wrap=True)
    for name, value in (problem.model_extra or {}).items():
        errors.print(f"  {name}: {_in_words(value)}", soft_wrap=True)


def _in_words(value: Any) -> str:
    """A member of a problem in plain words, without the syntax of a programming language."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {_in_words(each)}" for key, each in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(map(_in_words, value)) or "none"
    return "none" if value is None else str(value)
