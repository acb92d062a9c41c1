"""Run a command: its event loop, its errors as sentences, its exit code."""

import asyncio
import os
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from rich.text import Text

from bus.contract.errors import (
    BrokenReply,
    BrokerError,
    ConfigurationError,
    Problem,
    RecordingError,
    StandstillError,
    StorebusError,
)
from bus.text.console import errors, leave_quietly, print_problem
from cli.logs import set_up_logging
from store.exit_codes import BROKEN_REPLY, DONE, NO_BROKER, REFUSED, STOOD_STILL, USAGE

T = TypeVar("T")

_SWITCH_INTERVAL = 0.0005
"""Seconds that a thread may keep the interpreter while a journal's thread waits for it."""


def run(command: Coroutine[Any, Any, T]) -> T:
    """Run a command's coroutine; with uvloop where it is installed.

    SIGTERM and Ctrl-C cancel it, so that everything is closed; the exit code is then 0. It is also
    0 if the reader of the output has gone.
    """
    set_up_logging()
    sys.setswitchinterval(_SWITCH_INTERVAL)
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            return runner.run(_until_terminated(command))
    except (KeyboardInterrupt, asyncio.CancelledError):
        raise SystemExit(DONE) from None
    except BrokenPipeError:
        leave_quietly()
        raise SystemExit(DONE) from None


async def _until_terminated(command: Coroutine[Any, Any, T]) -> T:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await command


def _loop_factory() -> Any:
    try:
        import uvloop  # noqa: PLC0415 - it does not install everywhere
    except ImportError:
        return None
    return uvloop.new_event_loop


def exit_code(error: BaseException) -> int:
    """Print an error as a sentence; return the command's exit code."""
    match error:
        case BrokenReply():
            errors.print(str(error), soft_wrap=True)
            return BROKEN_REPLY
        case Problem():
            print_problem(error.to_data())
            return REFUSED
        case BrokerError():
            errors.print(Text.assemble(("No broker:", "bold"), f" {error}"), soft_wrap=True)
            return NO_BROKER
        case ConfigurationError() | RecordingError():
            errors.print(str(error), soft_wrap=True)
            return USAGE
        case StandstillError():
            errors.print(str(error), soft_wrap=True)
            return STOOD_STILL
        case StorebusError():
            errors.print(str(error), soft_wrap=True)
            return REFUSED
    raise error


def require_folder(file: Path) -> None:
    """Check at the start, not after minutes of work, that a file can be written.

    Raises:
        ConfigurationError: its folder does not exist or is not writable.
    """
    if not file.parent.is_dir():
        raise ConfigurationError(f"{file} cannot be written: there is no folder {file.parent}.")
    if file.is_dir() or not os.access(file if file.exists() else file.parent, os.W_OK):
        why = "it is a folder" if file.is_dir() else "permission denied"
        raise ConfigurationError(f"{file} cannot be written: {why}.")
