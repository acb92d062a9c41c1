"""A console that reads no more: the broker lets go of its messages, and the store goes on."""

import asyncio
import os
import pty
import signal
import sys
import time
from pathlib import Path

import pytest
from ports import free_port
from running_store import FAST, PATIENCE, RunBroker, eventually, running_store

from broker import mosquitto
from bus.link import MqttConnector, Outgoing, Subscription

LOUD = 100_000
"""Messages of 1 KB that nobody but the console hears: more than the broker may keep for it."""
ROOM = 2 * mosquitto.QUEUED_BYTES


def _resident(pid: int) -> int:
    pages = (Path("/proc") / str(pid) / "statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGESIZE")


async def _on_a_terminal(*words: str) -> tuple[asyncio.subprocess.Process, int, bytearray]:
    """A command with a terminal of its own, whose end is here, and what it draws."""
    screen, terminal = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli", *words,
        stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True,
        env=os.environ | {"TERM": "xterm-256color"},
    )  # fmt: skip
    os.close(terminal)
    drawn = bytearray()
    asyncio.get_running_loop().add_reader(screen, lambda: drawn.extend(os.read(screen, 65_536)))
    return process, screen, drawn


@pytest.mark.needs("linux")
async def test_a_console_that_is_stopped_stops_nobody(
    run_broker: RunBroker, site: str, tmp_path: Path
) -> None:
    running = run_broker("mosquitto")
    url, broker = running.url, running.pid
    assert broker is not None
    async with running_store(MqttConnector(url), tmp_path, site=site, settings=FAST) as store:
        console, screen, drawn = await _on_a_terminal("watch", "--broker", url, "--site", site)
        loop = asyncio.get_running_loop()
        try:
            await eventually(lambda: b"console-1" in drawn, "a console that hears")
            console.send_signal(signal.SIGSTOP)
            before = _resident(broker)
            await _be_loud(url, site)
            began = time.monotonic()
            receipt = await store.buy({"MUG": 1})
            await store.reminded(receipt.order)
            assert time.monotonic() - began < 5
            assert _resident(broker) - before < ROOM
            console.send_signal(signal.SIGCONT)
            os.write(screen, b"3")
            await eventually(lambda: receipt.order[:8].encode() in drawn, "the order")
        finally:
            loop.remove_reader(screen)
            console.kill()
            await console.wait()
            os.close(screen)


async def _be_loud(url: str, site: str) -> None:
    """Events until the broker has taken them all: it answers what is said after them."""
    async with MqttConnector(url).connect(f"{site}-loud") as link:
        await link.subscribe([Subscription(f"{site}/done", 1)])
        topic = f"storebus/1/{site}/event/tester-1/said"
        for number in range(LOUD):
            link.send(Outgoing(topic, b'{"id":"%d","data":"%s"}' % (number, b"x" * 1_000)))
            if number % 500 == 0:
                await asyncio.sleep(0)
        link.send(Outgoing(f"{site}/done", b"", 1))
        await link.receive()


@pytest.mark.parametrize(
    ("words", "drawn_first"),
    [(("watch",), b"127.0.0.1:"), (("kiosk", "terminal-7"), b"No connection")],
    ids=["watch", "kiosk"],
)
async def test_a_screen_whose_terminal_is_gone_ends(
    tmp_path: Path, words: tuple[str, ...], drawn_first: bytes
) -> None:
    words = (*words, "--broker", f"mqtt://127.0.0.1:{free_port()}", "--data", str(tmp_path))
    console, screen, drawn = await _on_a_terminal(*words)
    loop = asyncio.get_running_loop()
    try:
        await eventually(lambda: drawn_first in drawn, "what stands on it first")
        loop.remove_reader(screen)
        os.close(screen)
        async with asyncio.timeout(PATIENCE):
            assert await console.wait() == 128 + signal.SIGHUP
    finally:
        if console.returncode is None:
            console.kill()
            await console.wait()
