"""Stores for the console's tests: a real one in process, and what was said in it."""

import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from store import FAST, FaultyBroker, Store, running_store

from bus.contract.topics import Topics
from bus.link import Incoming, Outgoing
from tui.model.store import StoreModel

START = 1_763_800_000_000
"""2025-11-22 08:26:40 UTC: when the told stories begin."""


def incoming(message: Outgoing) -> Incoming:
    """A message as an observer gets it."""
    return Incoming(
        message.topic,
        message.payload,
        message.retain,
        message.response_topic,
        message.correlation,
    )


def told(model: StoreModel, messages: list[Outgoing], start: int = START, gap: int = 25) -> int:
    """Let a model hear messages, one each `gap` milliseconds; returns when the last was heard."""
    at = start
    for message in messages:
        at += gap
        model.take(at, [incoming(message)])
    return at


def model() -> StoreModel:
    """A console's model of the site of the tests."""
    return StoreModel(Topics("main"))


@contextlib.asynccontextmanager
async def heard_store(data: Path, **options: object) -> AsyncIterator[tuple[Store, FaultyBroker]]:
    """A store in memory whose messages are kept."""
    broker = FaultyBroker()
    async with running_store(broker, data, settings=FAST, **options) as store:  # type: ignore[arg-type]
        yield store, broker


def numbers(start: int = 1) -> Iterator[int]:
    """1, 2, 3 ..."""
    while True:
        yield start
        start += 1
