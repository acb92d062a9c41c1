"""Certifies minimal devices in memory on a virtual clock, within milliseconds."""

from typing import Any

from device_connection import MemoryConnections
from in_memory_driver import InMemoryDriver
from minimal_device import MinimalSorter, MinimalTerminal

from bus.contract.topics import Topics
from bus.contract.values import MAX_PAYLOAD
from bus.link import MemoryBroker
from testing.certify.certification import certify
from testing.certify.fake_store import FakeStore, Timeouts
from testing.certify.fixtures import LABEL
from testing.certify.rules import SORTER, TERMINAL
from testing.certify.verdicts import RuleVerdict
from testing.kit.virtual_time import VirtualEnvironment, VirtualLoop, milliseconds

TIMES = Timeouts(patience=30.0)
NAMES = {SORTER: "sorter-9", TERMINAL: "terminal-9"}


class _Broker(MemoryBroker):
    """Passes MQTT 5 properties on."""

    properties = True


def driver_of(kind: str, *how: Any) -> InMemoryDriver:
    """The driver of a minimal device; `how` are the arguments to make that."""
    if kind == SORTER:
        sorter = MinimalSorter(*how)
        return InMemoryDriver(sorter.run, None, None, sorter.short.add, sorter.jam)
    terminal = MinimalTerminal(*how)
    return InMemoryDriver(terminal.run, lambda: terminal.buy(LABEL), terminal.shown)


def tried(kind: str, breaks: str = "") -> list[RuleVerdict]:
    """What certify says of a device that breaks something."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(_tried(kind, breaks))
    finally:
        loop.close()


async def _tried(kind: str, breaks: str) -> list[RuleVerdict]:
    broker = _Broker(largest=2 * MAX_PAYLOAD)
    store = FakeStore(
        broker, Topics("main"), NAMES[kind],
        lambda *callbacks: MemoryConnections(broker, *callbacks), TIMES,
        VirtualEnvironment("store"),
    )  # fmt: skip
    how = store.relay.connect, "main", NAMES[kind], breaks, milliseconds, 1.0
    async with store.running():
        return (await certify(store, driver_of(kind, *how))).verdicts


def said(verdicts: list[RuleVerdict], outcome: str) -> dict[str, object]:
    """The rules with this outcome, and why."""
    return {
        each.rule.id: [violation.sentence for violation in each.violations] or each.reason
        for each in verdicts
        if each.outcome == outcome
    }
