"""A scanner that types: it stands in for the keyboard, so its codes come as lines of input."""

import sys
from collections.abc import AsyncGenerator

from devices.terminal.scanner.lines import lines_of


def wedge(descriptor: int | None = None) -> AsyncGenerator[str, None]:
    """The codes typed at standard input, or at another file descriptor, until its end."""
    return lines_of(sys.stdin.fileno() if descriptor is None else descriptor)
