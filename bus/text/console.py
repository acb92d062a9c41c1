"""The one door for what commands print: nothing of others is ever markup or obeyed by a terminal.

A string is printed as it is, without markup; our own emphasis is a `Text`. Control characters are
made visible, letters that the output's encoding lacks are replaced, and a reader who leaves is no
failure. Everything is printed with `output` and `errors`, and with nothing else.
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
    """A console for text of others.

    Args:
        stderr: whether it prints beside the output.
    """

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, highlight=False, markup=False, emoji=False)

    def print_json(self, json: str | None = None, **options: Any) -> None:
        """Print JSON; where the encoding lacks a letter, it is escaped as JSON does."""
        options.setdefault("ensure_ascii", not self.encoding.startswith("utf"))
        super().print_json(json, **options)

    def on_broken_pipe(self) -> None:
        """Do not end with 1, as rich would: `run` ends cleanly."""
        raise BrokenPipeError

    def _render_buffer(self, buffer: Iterable[Segment]) -> str:
        """Everything that is written comes through here, also tables and bars of progress."""
        return super()._render_buffer(map(_harmless, buffer))


def _harmless(segment: Segment) -> Segment:
    """What moves the cursor is rich's own; in a text, only a new line is obeyed."""
    if segment.control or (segment.text.isascii() and segment.text.isprintable()):
        return segment
    return Segment("\n".join(map(visible, segment.text.split("\n"))), segment.style)


def prepare_streams() -> None:
    """Make standard input and output usable, whoever started us and however.

    Where one of them is closed it leads to nowhere: else the first file or socket that is opened
    would take its number. A letter that the encoding lacks is printed as `?`.
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
    """The reader has gone: what is still buffered would be complained about at the very end."""
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


output = Printer()
errors = Printer(stderr=True)


def print_problem(problem: ProblemData) -> None:
    """A refusal: its status and code, the sentence, and what else it says."""
    code = f"{problem.status} {problem.code}"
    errors.print(Text.assemble((code, "bold"), f"  {problem.detail}"), soft_wrap=True)
    for name, value in (problem.model_extra or {}).items():
        errors.print(f"  {name}: {_in_words(value)}", soft_wrap=True)


def _in_words(value: Any) -> str:
    """What a problem says besides, without the signs of a programming language."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {_in_words(each)}" for key, each in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(map(_in_words, value)) or "none"
    return "none" if value is None else str(value)
