"""Measures the phone page: how fast it is served, how many a second, and what open pages cost.

`python -m benchmarks.web [--engine mosquitto|embedded] [--seconds N] [--phones N]`. The store and
the page server run as processes of their own, on 127.0.0.1.
"""

import argparse
import asyncio
import os
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import urlsplit

from rich.table import Table

from benchmarks.measuring import command, percentiles, store, usage
from bus.text.console import output
from cli.run import run

PATH = "/01/09506000134352"
CONNECTIONS = 4


class Http:
    """A connection that is kept alive; it costs the measured core as little as it can."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, url: str) -> "Http":
        """Connect."""
        parts = urlsplit(url)
        return cls(*await asyncio.open_connection(parts.hostname, parts.port))

    async def send(self, path: str) -> bytes:
        """Ask for a page; returns the head of the answer."""
        self.writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        head = await self.reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(head.decode())
        return head

    async def get(self, path: str) -> None:
        """Ask for a page and read it."""
        head = (await self.send(path)).lower()
        length = head.partition(b"content-length: ")[2].partition(b"\r\n")[0]
        await self.reader.readexactly(int(length))


async def bench(engine: str, seconds: float, phones: int) -> None:
    """Start a store and a page server; measure single pages, many at once, and open ones."""
    os.environ["STOREBUS_WEB__RATE"] = os.environ["STOREBUS_WEB__BURST"] = "1000000"
    os.environ["STOREBUS_WEB__STREAMS_PER_CLIENT"] = "1000"
    with tempfile.TemporaryDirectory(prefix="storebus-bench-") as folder:
        async with AsyncExitStack() as stack:
            data = Path(folder)
            await stack.enter_async_context(store(engine, data))
            arguments = ("web", "web-9", "--web-port", "0", "--data", str(data))
            lines: list[str] = []
            process = await stack.enter_async_context(command("Try: ", *arguments, said=lines))
            url = lines[-1].removeprefix("Try: ").partition("/01/")[0]
            before = resident(process.pid)
            single = await one_by_one(url, seconds)
            rate, load = await many(url, process.pid, seconds)
            await open_pages(stack, url, phones)
            after = resident(process.pid)
    table = Table("phone page", "p50", "p99", "aim")
    table.add_row("a product's page served", *percentiles(single), "p50 <= 10 ms")
    output.print(table)
    output.print(
        f"{rate:.0f} pages/s over {CONNECTIONS} connections (aim: >= 200),"
        f" {load:.2f} of a core, so {rate / load:.0f} pages/s on one core"
    )
    output.print(
        f"resident: {before / 1e6:.0f} MB at the start,"
        f" {after / 1e6:.0f} MB with {phones} open pages (aim: <= 250 MB)"
    )


async def one_by_one(url: str, seconds: float) -> list[float]:
    """Seconds that each page took, one after the other."""
    http, taken = await Http.open(url), []
    until = time.perf_counter() + seconds
    while (start := time.perf_counter()) < until:
        await http.get(PATH)
        taken.append(time.perf_counter() - start)
    http.writer.close()
    return taken


async def many(url: str, process: int, seconds: float) -> tuple[float, float]:
    """Pages a second over several connections, and how much of a core the page server took."""
    https = [await Http.open(url) for _ in range(CONNECTIONS)]
    processor, start, count = usage(process), time.perf_counter(), 0

    async def ask(http: Http) -> None:
        nonlocal count
        while time.perf_counter() < start + seconds:
            await http.get(PATH)
            count += 1
        http.writer.close()

    await asyncio.gather(*(ask(http) for http in https))
    took = time.perf_counter() - start
    used = sum(each.processor for each in usage(process).values())
    used -= sum(each.processor for each in processor.values())
    return count / took, used / took


async def open_pages(stack: AsyncExitStack, url: str, phones: int) -> None:
    """Phones that load the page and keep it open, once each has received the first event."""
    for _ in range(phones):
        http = await Http.open(url)
        await http.get(PATH)
        await http.send(f"/live?gtin={PATH.rpartition('/')[2]}")
        await http.reader.readuntil(b"event: part")
        stack.callback(http.writer.close)


def resident(process: int) -> int:
    """Bytes that a process has in memory."""
    return sum(each.resident for each in usage(process).values())


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(prog="benchmarks.web", description=__doc__)
    parser.add_argument("--engine", default="mosquitto", choices=["mosquitto", "embedded"])
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--phones", type=int, default=200)
    options = parser.parse_args()
    run(bench(options.engine, options.seconds, options.phones))


main()
