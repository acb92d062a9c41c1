"""A screen is drawn on the terminal that there is, wherever input and output are led to."""

import asyncio
import os
import pty
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from running_store import eventually

NO_BROKER = ("--broker", "mqtt://127.0.0.1:9")
WORDS = [(("watch",), b"127.0.0.1:9"), (("kiosk", "terminal-7"), b"No connection")]


@asynccontextmanager
async def drawn_with(
    words: tuple[str, ...], led: dict[str, int], data: Path
) -> AsyncIterator[tuple[asyncio.subprocess.Process, int, bytearray]]:
    """A command on a terminal, some of its streams led to elsewhere; what it draws."""
    screen, terminal = pty.openpty()
    streams = {name: led.get(name, terminal) for name in ("stdin", "stdout", "stderr")}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli", *words, *NO_BROKER, "--data", str(data), **streams,
        start_new_session=True, env=os.environ | {"TERM": "xterm-256color"},
    )  # fmt: skip
    os.close(terminal)
    drawn, loop = bytearray(), asyncio.get_running_loop()
    loop.add_reader(screen, lambda: drawn.extend(os.read(screen, 65_536)))
    try:
        yield process, screen, drawn
    finally:
        loop.remove_reader(screen)
        if process.returncode is None:
            process.kill()
        await process.wait()
        os.close(screen)


@pytest.mark.parametrize("stream", ["stdin", "stdout", "stderr"])
@pytest.mark.parametrize(("words", "first"), WORDS, ids=["watch", "kiosk"])
async def test_a_screen_is_seen_and_hears_keys_when_a_stream_is_led_to_elsewhere(
    tmp_path: Path, words: tuple[str, ...], first: bytes, stream: str
) -> None:
    log = tmp_path / "log"
    elsewhere = os.open(log, os.O_CREAT | os.O_RDWR)
    async with drawn_with(words, {stream: elsewhere}, tmp_path) as (process, screen, drawn):
        os.close(elsewhere)
        await eventually(lambda: first in drawn, "what stands on it first")
        os.write(screen, b"\x11" if words[0] == "kiosk" else b"q")
        await eventually(lambda: process.returncode is not None, "its end")
        assert process.returncode == 0
    assert b"\x1b[" not in log.read_bytes()


async def test_what_is_logged_goes_where_errors_are_led_to(tmp_path: Path) -> None:
    log = tmp_path / "log"
    elsewhere = os.open(log, os.O_CREAT | os.O_RDWR)
    words = ("kiosk", "terminal-7")
    async with drawn_with(words, {"stderr": elsewhere}, tmp_path) as (process, screen, drawn):
        os.close(elsewhere)
        await eventually(lambda: b"No connection" in drawn, "what stands on it first")
        os.write(screen, b"\x11")
        await eventually(lambda: process.returncode is not None, "its end")
    assert b"Traceback" not in log.read_bytes()
