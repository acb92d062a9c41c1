"""Certifies little devices in memory, on a clock that jumps: in milliseconds."""

from typing import Any

from device_connection import MemoryWire
from in_memory_driver import Beside
from minimal_device import LittleSorter, LittleTerminal

from bus.contract.topics import Topics
from bus.contract.values import MAX_PAYLOAD
from bus.link import MemoryBroker
from testing.certify.certification import certify
from testing.certify.fake_store import Stage, Times
from testing.certify.fixtures import LABEL
from testing.certify.rules import SORTER, TERMINAL
from testing.certify.verdicts import Verdict
from testing.kit.virtual_time import VirtualEnvironment, VirtualLoop, milliseconds

TIMES = Times(patience=30.0)
NAMES = {SORTER: "sorter-9", TERMINAL: "terminal-9"}


class _Broker(MemoryBroker):
    """Passes MQTT 5 properties on."""

    properties = True


def little(kind: str, *how: Any) -> Beside:
    """Somebody beside a little device; `how` it is made."""
    if kind == SORTER:
        sorter = LittleSorter(*how)
        return Beside(sorter.run, None, None, sorter.short.add, sorter.jam)
    terminal = LittleTerminal(*how)
    return Beside(terminal.run, lambda: terminal.buy(LABEL), terminal.shown)


def tried(kind: str, breaks: str = "") -> list[Verdict]:
    """What certify says of a device that breaks something."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(_tried(kind, breaks))
    finally:
        loop.close()


async def _tried(kind: str, breaks: str) -> list[Verdict]:
    broker = _Broker(largest=2 * MAX_PAYLOAD)
    stage = Stage(
        broker, Topics("main"), NAMES[kind], lambda *told: MemoryWire(broker, *told), TIMES,
        VirtualEnvironment("store"),
    )  # fmt: skip
    how = stage.wire.connect, "main", NAMES[kind], breaks, milliseconds, 1.0
    async with stage.playing():
        return (await certify(stage, little(kind, *how))).verdicts


def said(verdicts: list[Verdict], outcome: str) -> dict[str, object]:
    """The rules with this outcome, and why."""
    return {
        each.rule.id: [finding.sentence for finding in each.findings] or each.reason
        for each in verdicts
        if each.outcome == outcome
    }
