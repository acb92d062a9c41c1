"""How a command that fills the terminal runs."""

import logging
import os
import select
import signal
import sys
import threading
from typing import Any

from textual.app import App

from cli.run import run


def run_screen(app: App[Any]) -> None:
    """Run it to its end, and end when its terminal is gone.

    Raises:
        SystemExit: it failed.
    """
    logger = logging.getLogger("storebus")  # the screen says itself what is wrong
    logger.propagate = False
    logger.addHandler(logging.NullHandler())
    threading.Thread(target=_end_with_terminal, name="terminal", daemon=True).start()
    run(app.run_async())
    if app.return_code:
        raise SystemExit(app.return_code)


def _end_with_terminal() -> None:
    """Where a terminal goes away and nobody is told, Textual would wait for it forever."""
    terminal = select.poll()
    terminal.register(sys.stdin.fileno(), 0)
    while not any(event & (select.POLLHUP | select.POLLERR) for _, event in terminal.poll()):
        pass
    os._exit(128 + signal.SIGHUP)  # as a shell says it; the signal itself may be ignored
