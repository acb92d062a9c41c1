"""How every command runs: its event loop, its errors as sentences, its exit code."""

import asyncio
import os
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from rich.text import Text

from bus.contract.problem import ProblemData
from bus.errors import (
    BrokenReply,
    BrokerError,
    ConfigurationError,
    Problem,
    RecordingError,
    StandstillError,
    StorebusError,
)
from cli.logs import set_up_logging
from cli.printing import Printer, leave_quietly

T = TypeVar("T")

DONE, REFUSED, USAGE, NO_BROKER, BROKEN_REPLY, STOOD_STILL = range(6)
"""Exit codes: done; refused by the store; wrong usage; no broker; a reply broke the contract; to be
started again."""


output = Printer()
errors = Printer(stderr=True)

_SWITCH_INTERVAL = 0.0005
"""Seconds a thread may keep the interpreter while a journal's thread waits for it."""


def run(command: Coroutine[Any, Any, T]) -> T:
    """Run a command's coroutine; uvloop where it installs.

    SIGTERM and Ctrl-C end it by cancelling it, so that everything is closed; the exit code is 0.
    So is it when whoever read the output has gone.
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
    """Print an error as a person can use it; returns the command's exit code."""
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
    """Say at the beginning, not after minutes, that a file cannot be written at the end.

    Raises:
        ConfigurationError: its folder is missing, or nobody may write there.
    """
    if not file.parent.is_dir():
        raise ConfigurationError(f"{file} cannot be written: there is no folder {file.parent}.")
    if file.is_dir() or not os.access(file if file.exists() else file.parent, os.W_OK):
        why = "it is a folder" if file.is_dir() else "permission denied"
        raise ConfigurationError(f"{file} cannot be written: {why}.")


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
