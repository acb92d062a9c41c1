"""The format of a log line: the time with its zone, the level, the node, the message."""

import asyncio
import logging
import threading
from datetime import datetime

from bus.contract.channel import role_of
from bus.text.safe import visible

_JOURNAL = "journal-"
"""The names of journal threads begin with this, then their node."""


class Lines(logging.Formatter):
    """`2026-11-30T21:04:05.678+01:00 WARNING settlement storebus.node: what happened`."""

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802, ARG002 - the base class's
        """ISO 8601 in local time, with milliseconds and the zone's offset."""
        return (
            datetime.fromtimestamp(record.created).astimezone().isoformat(timespec="milliseconds")
        )

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the base class's
        """Return the line; a node's name at the start of the message is not repeated."""
        node = _node()
        said, colon, rest = record.message.partition(": ")
        if colon and role_of(said) is not None:
            node, record.message = said, rest
        return f"{record.asctime} {record.levelname} {node} {record.name}: {record.message}"

    def usesTime(self) -> bool:  # noqa: N802 - the base class's
        """Always."""
        return True


def set_up_logging(level: int = logging.WARNING) -> None:
    """Write warnings and errors to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(Lines())
    handler.addFilter(_harmless)
    logging.basicConfig(handlers=[handler], level=level)


def _harmless(record: logging.LogRecord) -> bool:
    """Make a record one line, without control characters that a terminal would obey."""
    record.msg, record.args = visible(record.getMessage()), None
    return True


def _node() -> str:
    """The node whose task or journal thread this is; a dash if there is none."""
    name = threading.current_thread().name.removeprefix(_JOURNAL)
    try:
        task = asyncio.current_task()
    except RuntimeError:
        task = None
    if task is not None:
        name = task.get_name()
    name = name.partition("/")[0]
    return name if role_of(name) is not None else "-"
