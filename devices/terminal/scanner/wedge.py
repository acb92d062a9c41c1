"""A keyboard-wedge scanner: its codes arrive as lines of standard input."""

import sys
from collections.abc import AsyncGenerator

from devices.terminal.scanner.lines import lines_of


def wedge(descriptor: int | None = None) -> AsyncGenerator[str, None]:
    """The codes from standard input, or another file descriptor, until its end."""
    return lines_of(sys.stdin.fileno() if descriptor is None else descriptor)
