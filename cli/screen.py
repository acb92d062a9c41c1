"""Run a command that fills the terminal."""

import logging
import os
import select
import signal
import threading
from contextlib import suppress
from typing import Any

from textual.app import App
from textual.drivers.linux_driver import LinuxDriver

from bus.contract.errors import ConfigurationError
from cli.run import run

_STREAMS = (0, 2, 1)
"""Standard input, error and output: each may be the terminal; input, with its keys, comes first."""


class _Terminal(LinuxDriver):
    """Draws on the terminal and reads its keys, even if input and output are redirected."""

    descriptor = -1

    def __init__(self, app: App[Any], **options: Any) -> None:
        super().__init__(app, **options)
        self._file = os.fdopen(self.descriptor, "w", encoding="utf-8", closefd=False)
        self.fileno, self.input_tty = self.descriptor, True

    def _get_terminal_size(self) -> tuple[int, int]:
        """The size of this terminal, not of the redirected output."""
        size = os.get_terminal_size(self.descriptor)
        return size.columns or 80, size.lines or 24


def run_screen(app: App[Any]) -> None:
    """Run an app to its end; end it if its terminal goes away.

    Raises:
        ConfigurationError: there is no terminal.
        SystemExit: the app failed.
    """
    terminal = _terminal()
    if not all(map(os.isatty, _STREAMS)):
        app.driver_class = type("_Terminal", (_Terminal,), {"descriptor": terminal})
    if os.isatty(2):  # else what is logged has a place of its own
        logger = logging.getLogger("storebus")  # the screen shows what is wrong
        logger.propagate = False
        logger.addHandler(logging.NullHandler())
    threading.Thread(
        target=_end_with_terminal, args=(terminal,), name="terminal", daemon=True
    ).start()
    run(app.run_async())
    if app.return_code:
        raise SystemExit(app.return_code)


def _terminal() -> int:
    """Return the user's terminal, open for reading and writing.

    Raises:
        ConfigurationError: input, output and errors are all redirected.
    """
    for descriptor in filter(os.isatty, _STREAMS):
        with suppress(OSError):  # it cannot be seen from here, as in some containers
            return os.open(os.ttyname(descriptor), os.O_RDWR | os.O_NOCTTY)
        if descriptor == 0:
            return descriptor
    raise ConfigurationError(
        "This command needs a terminal, and there is none: run it in one, without redirecting its"
        " input and output. `storebus tail` and `storebus record` need no terminal."
    )


def _end_with_terminal(descriptor: int) -> None:
    """Exit when the terminal has gone; Textual is not notified and would wait for ever."""
    terminal = select.poll()
    terminal.register(descriptor, 0)
    while not any(event & (select.POLLHUP | select.POLLERR) for _, event in terminal.poll()):
        pass
    os._exit(128 + signal.SIGHUP)  # as a shell says it; the signal itself may be ignored
