"""Stores for the console's tests: a real one in process, and what was said in it."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from running_store import FAST, PATIENCE, FaultyBroker, Store, running_store
from textual.pilot import Pilot

from bus.contract.topics import Topics
from bus.link import Connector, Incoming, Outgoing
from bus.runtime.environment import Environment
from tui.app import Console
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


def seen(console: Console) -> str:
    """The text on the operator's terminal."""
    strips = console.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


async def shows(pilot: Pilot[None], text: str) -> str:
    """Wait until a text stands on the terminal; what else stands there."""
    console = pilot.app
    assert isinstance(console, Console)
    deadline = time.monotonic() + PATIENCE
    while text not in seen(console):
        assert time.monotonic() < deadline, f"{text!r} was never shown:\n{seen(console)}"
        await asyncio.sleep(0.02)
    return seen(console)


def watching(connector: Connector, site: str = "main", **options: Any) -> Console:
    """A console on a store that runs."""
    return Console(StoreModel(Topics(site)), Environment().now, connector=connector, **options)
