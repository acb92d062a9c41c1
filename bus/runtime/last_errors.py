"""What a node has logged as a warning or worse, for operators who are not at its host."""

import asyncio
import logging
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from bus.contract.every import MAX_ERRORS, Mishap
from bus.contract.timestamp import rfc3339
from bus.runtime.environment import Environment
from bus.text.safe import short

_LOGGER = logging.getLogger("storebus")
_CELLS = 200
"""The most characters of one, as the contract has it."""


class LastErrors(logging.Handler):
    """Keeps the last errors of one node; several nodes may run in one process.

    Args:
        node: whose they are: it stands first in the message, or its task is running.
        environment: its clock.
    """

    def __init__(self, node: str, environment: Environment) -> None:
        super().__init__(logging.WARNING)
        self._node = node
        self._environment = environment
        self._kept: deque[Mishap] = deque(maxlen=MAX_ERRORS)

    @property
    def kept(self) -> list[Mishap]:
        """Oldest first."""
        return list(self._kept)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Keep what is logged within the block."""
        _LOGGER.addHandler(self)
        try:
            yield
        finally:
            _LOGGER.removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """A line of the log, perhaps of another node."""
        if not self._is_mine(record):
            return
        said = record.getMessage().removeprefix(f"{self._node}: ")
        if record.exc_info is not None and record.exc_info[1] is not None:
            said = f"{said}: {record.exc_info[1]!r}"
        at = rfc3339(self._environment.now())
        self._kept.append(Mishap(at=at, detail=short(said, _CELLS)))

    def _is_mine(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple) and record.args[:1] == (self._node,):
            return True
        task = None
        with suppress(RuntimeError):  # a thread without a loop
            task = asyncio.current_task()
        return task is not None and task.get_name().startswith(f"{self._node}/")
