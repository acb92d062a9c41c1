"""What every benchmark needs: a store in a process of its own, and its use of the machine."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from broker.mosquitto import find_mosquitto
from bus.contract.errors import BrokerError
from bus.contract.values import Money
from testing.kit.percentiles import milliseconds_text

PLENTY = 100_000
RICH = Money(amount=1_000_000_000, currency="EUR")


@asynccontextmanager
async def store(
    engine: str, data: Path, sorters: int = 1, *options: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """`storebus up` with the sample shop and the conveyor at full speed."""
    if engine == "mosquitto" and find_mosquitto() is None:
        sys.exit("This is measured with Mosquitto, which is not installed: apt install mosquitto.")
    up = ("up", "--no-web", "--engine", engine, "--port", "0", "--sorters", str(sorters))
    words = (*up, "--data", str(data), "--speed", "inf", *options)
    async with command("Try", *words) as process:
        yield process


@asynccontextmanager
async def command(
    ready: str, *arguments: str, said: list[str] | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A `storebus` command in a process of its own, once it has printed `ready`.

    What it prints up to there is added to `said`.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "cli", *arguments),
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    try:
        while ready not in (line := (await process.stdout.readline()).decode()):
            if not line:
                raise BrokerError(f"storebus {arguments[0]} did not start")
            if said is not None:
                said.append(line)
        if said is not None:
            said.append(line)
        yield process
    finally:
        process.terminate()
        await process.wait()


async def measure(
    rounds: int,
    what: Callable[[], Awaitable[object]],
    pause: Callable[[], Awaitable[object]] | None = None,
) -> list[float]:
    """The seconds that each round took, one after the other, after a warm-up.

    `pause` is awaited between rounds and does not count.
    """
    taken = []
    for _ in range(rounds + rounds // 10):
        start = time.perf_counter()
        await what()
        taken.append(time.perf_counter() - start)
        if pause is not None:
            await pause()
    return taken[rounds // 10 :]


def percentiles(seconds: Sequence[float]) -> tuple[str, str]:
    """p50 and p99."""
    ranked = sorted(seconds)
    return milliseconds_text(ranked, 50), milliseconds_text(ranked, 99)


@dataclass(frozen=True, slots=True)
class Usage:
    """A process's use of the machine."""

    resident: int
    """Bytes."""
    processor: float
    """Seconds since it started, in all its threads."""


def usage(parent: int) -> dict[str, Usage]:
    """The usage of a process and each of its children, by name and number (Linux)."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            name, above, used = _stat(int(entry.name))
        except OSError:
            continue  # it ended meanwhile
        if parent in (int(entry.name), above):
            name = "store" if int(entry.name) == parent else name
            found[f"{name} ({entry.name})"] = used
    return found


def usage_of(pid: int) -> Usage:
    """The usage of one process (Linux)."""
    return _stat(pid)[2]


def _stat(pid: int) -> tuple[str, int, Usage]:
    """Name, parent and usage."""
    name, _, rest = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")
    fields = rest.split()
    used = Usage(
        int(fields[21]) * os.sysconf("SC_PAGESIZE"),
        (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"),
    )
    return name.partition("(")[2], int(fields[1]), used


def describe(found: dict[str, Usage]) -> str:
    """The memory in MB: the sum, and each part."""
    parts = ", ".join(f"{name} {each.resident / 1e6:.0f}" for name, each in sorted(found.items()))
    return f"{sum(each.resident for each in found.values()) / 1e6:.0f} MB ({parts})"
