"""A line of the log says when, how bad, which node, and what."""

import asyncio
import io
import logging
import re
import sqlite3
from collections.abc import Iterator

import pytest

from bus.storage.threaded import ThreadedConnection
from cli.logs import Lines

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d"


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    logger = logging.getLogger("storebus.node")
    before = logger.handlers, logger.propagate
    yield
    logger.handlers, logger.propagate = before


def _logger() -> tuple[logging.Logger, io.StringIO]:
    """A logger that nobody else has, and what it writes."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(Lines())
    logger = logging.getLogger("storebus.node")
    logger.handlers, logger.propagate = [handler], False
    return logger, out


async def test_a_line_has_time_with_zone_level_and_node_wherever_it_comes_from() -> None:
    logger, out = _logger()

    async def work(text: str) -> None:
        logger.warning(text)

    logger.warning("outside")
    await asyncio.create_task(work("in a task"), name="settlement/link")
    await asyncio.create_task(work("catalog: in its message"), name="settlement/link")
    thread = ThreadedConnection(
        sqlite3.connect(":memory:", check_same_thread=False), "journal-sorter-1"
    )
    await thread.carry_out(lambda _: logger.error("in a thread: %s", "full"))
    assert thread.end()
    lines = out.getvalue().splitlines()
    told = [re.sub(f"^{TIME} ", "", line) for line in lines]
    assert all(re.match(TIME, line) for line in lines), lines
    assert told == [
        "WARNING - storebus.node: outside",
        "WARNING settlement storebus.node: in a task",
        "WARNING catalog storebus.node: in its message",
        "ERROR sorter-1 storebus.node: in a thread: full",
    ]


def test_an_exception_follows_its_line() -> None:
    logger, out = _logger()
    try:
        raise ValueError("why")  # noqa: TRY301 - to be logged
    except ValueError:
        logger.exception("warehouse: a message failed")
    first, *rest = out.getvalue().splitlines()
    assert first.endswith("ERROR warehouse storebus.node: a message failed")
    assert rest[-1] == "ValueError: why"
