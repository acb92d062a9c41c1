"""Prints messages of others: coloured and safe on a terminal, as JSON in a pipe."""

import asyncio
import json
import os
import stat
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from rich.highlighter import JSONHighlighter
from rich.text import Text

from bus.text.console import errors, output
from bus.text.safe import decoded, exposed, visible


def show_json(value: Any) -> None:
    """Print a value: in several lines on a terminal, in one line in a pipe."""
    if not output.is_terminal:
        write(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
        return
    lines = json.dumps(value, ensure_ascii=False, indent=2).splitlines()
    output.print(JSONHighlighter()(Text("\n".join(map(exposed, lines)))), soft_wrap=True)


def show_payload(payload: bytes) -> None:
    """Print a payload as it came; on a terminal, control characters are made visible."""
    if output.is_terminal:
        output.print(Text(exposed(decoded(payload))), soft_wrap=True)
    else:
        write(payload + b"\n")


def write(data: bytes) -> None:
    """Write bytes to standard output, at once.

    Raises:
        BrokenPipeError: the reader of the pipe has gone.
    """
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def warn(sentence: str) -> None:
    """Print a sentence on standard error."""
    errors.print(Text(visible(sentence)), soft_wrap=True)


def when_reader_leaves(leave: Callable[[], object]) -> None:
    """Call `leave` once the reader of our pipe has gone, even while there is nothing to write."""
    descriptor = sys.stdout.fileno()
    if not stat.S_ISFIFO(os.fstat(descriptor).st_mode):
        return
    loop = asyncio.get_running_loop()

    def gone() -> None:
        loop.remove_reader(descriptor)
        leave()

    with suppress(OSError, ValueError):  # not every loop can watch it; the next write will tell
        loop.add_reader(descriptor, gone)
