"""Runs a program of ours that kills or stops itself at a chosen step of handling its messages.

    python killing_node.py SIGNAL STEP COUNT MODULE_OR_SCRIPT [ARGUMENT ...]

The product knows nothing of this: its methods are wrapped from outside. COUNT is after how many
messages, at which of the steps:
received: its transaction has begun, nothing is decided; decided: rows are written and not
committed; committed: nothing has left the node; published: it has, and no one has answered.
"""

import asyncio
import runpy
import signal
import sys
import threading
from collections.abc import Sequence
from typing import Any

from bus.runtime.batch_runner import BatchRunner
from bus.runtime.commit_handler import CommitHandler
from bus.runtime.inputs import CallCompleted, ReplyReceived, TimerFired
from bus.runtime.processor import Processor
from bus.runtime.requests import Request
from bus.runtime.unit_of_work import UnitOfWork

STEPS = ("received", "decided", "committed", "published")


class Killer:
    """Counts messages down at one step.

    Args:
        number: the signal, SIGKILL or SIGSTOP; it is sent once.
        step: where to send it.
        count: at which message.
    """

    def __init__(self, number: signal.Signals, step: str, count: int) -> None:
        assert step in STEPS, step
        self._number = number
        self._step = step
        self._left = count

    def pass_by(self, step: str, messages: int) -> None:
        """So many messages have come to a step."""
        if step != self._step:
            return
        before, self._left = self._left, self._left - messages
        if self._left <= 0 < before:
            # To this very thread: another one would take the signal a moment later.
            signal.pthread_kill(threading.get_ident(), self._number)


def _messages(batch: Sequence[object]) -> int:
    return sum(
        isinstance(item, Request | ReplyReceived | TimerFired | CallCompleted) for item in batch
    )


def wrap(killer: Killer) -> None:
    """Let every node of this process pass by the killer."""
    decide, publish = Processor.carry_out, CommitHandler.publish
    carry_out = BatchRunner.carry_out

    def deciding(
        self: Processor, rows: Any, now: int, batch: list[Any], *more: Any
    ) -> list[UnitOfWork]:
        killer.pass_by("received", _messages(batch))
        units = decide(self, rows, now, batch, *more)
        killer.pass_by("decided", _messages(batch))
        return units

    def publishing(self: CommitHandler, unit: UnitOfWork) -> None:
        killer.pass_by("committed", bool(unit.replies or unit.added or unit.removed))
        publish(self, unit)

    async def carrying_out(self: BatchRunner, batch: list[Any]) -> list[UnitOfWork]:
        units = await carry_out(self, batch)
        for _ in range(3):  # until the loop has written to the socket
            await asyncio.sleep(0)
        killer.pass_by("published", _messages(batch))
        return units

    Processor.carry_out = deciding  # type: ignore[method-assign]
    CommitHandler.publish = publishing  # type: ignore[method-assign]
    BatchRunner.carry_out = carrying_out  # type: ignore[method-assign]


def main() -> None:
    """Wrap, then become the program."""
    _, number, step, count, program, *arguments = sys.argv
    wrap(Killer(signal.Signals[number], step, int(count)))
    sys.argv = [program, *arguments]
    if program.endswith(".py"):
        runpy.run_path(program, run_name="__main__")
    else:
        runpy.run_module(program, run_name="__main__")


if __name__ == "__main__":
    main()
