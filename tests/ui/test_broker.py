"""The console on a real broker, and the command that starts it."""

import asyncio
import fcntl
import os
import pty
import re
import struct
import sys
import termios
from contextlib import suppress
from pathlib import Path

import pytest
from console_fixtures import shows, watching
from needs import ENGINE
from running_store import FAST, PATIENCE, RunBroker, eventually, running_store
from test_model_replay import write

from bus.link import MqttConnector
from cli.main import main


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_an_order_is_watched_over_a_broker(
    run_broker: RunBroker, site: str, tmp_path: Path, protocol: str
) -> None:
    broker = run_broker(ENGINE)
    connector = MqttConnector(broker.url if protocol == "5" else broker.url_v311)
    async with running_store(connector, tmp_path, site=site, settings=FAST) as store:
        console = watching(connector, site)
        async with console.run_test(size=(100, 30)) as pilot:
            await shows(pilot, "● 1 online")
            receipt = await store.buy({"MUG": 1})
            await store.reminded(receipt.order)
            await pilot.press("3")
            await shows(pilot, receipt.order)
            await pilot.press("enter")
            await shows(pilot, "waits for the customer to collect it")
            await shows(pilot, "remind")
            await pilot.press("C")
            await shows(pilot, "* code")
            console.focused.value = receipt.pickup_code
            await pilot.press("ctrl+s", "y")
            await shows(pilot, 'state: "collected"')
        second = watching(connector, site)
        async with second.run_test(size=(100, 30)) as pilot:
            await shows(pilot, "console-1")  # the first one said goodbye
            await eventually(
                lambda: second.desk.model.nodes.status("console-1") == "online", "its presence"
            )


async def on_a_terminal(
    *arguments: str, environment: dict[str, str] | None = None
) -> tuple[asyncio.subprocess.Process, int]:
    """`storebus watch` on a terminal, and the end of it that an operator has."""
    screen, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 120, 0, 0))
    command = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli", "watch", *arguments, stdin=terminal, stdout=terminal,
        stderr=terminal, env=environment or os.environ | {"TERM": "xterm-256color"},
    )  # fmt: skip
    os.close(terminal)
    return command, screen


@pytest.mark.parametrize("colours", [True, False])
async def test_the_command_draws_on_a_terminal_and_ends_with_q(
    run_broker: RunBroker, site: str, tmp_path: Path, colours: bool
) -> None:
    connector = MqttConnector(run_broker(ENGINE).url)
    environment = os.environ | {
        "TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "zh_CN.UTF-8",
    }  # fmt: skip
    if not colours:
        environment["NO_COLOR"] = "1"
    async with running_store(connector, tmp_path, site=site, settings=FAST):
        command, screen = await on_a_terminal(
            "--broker", run_broker(ENGINE).url, "--site", site, environment=environment
        )
        drawn = bytearray()
        loop = asyncio.get_running_loop()
        loop.add_reader(screen, lambda: drawn.extend(_read(screen)))
        try:
            await eventually(lambda: "● 1 在线".encode() in drawn, "a terminal, in Chinese")
            await eventually(lambda: b"console-1" in drawn, "its name")
            os.write(screen, b"q")
            async with asyncio.timeout(PATIENCE):
                assert await command.wait() == 0
        finally:
            loop.remove_reader(screen)
            if command.returncode is None:
                command.kill()
                await command.wait()
            os.close(screen)
    found = {tuple(map(int, each)) for each in re.findall(rb"[34]8;2;(\d+);(\d+);(\d+)", drawn)}
    assert found
    assert colours != all(red == green == blue for red, green, blue in found)


def _read(screen: int) -> bytes:
    with suppress(OSError):  # the other end is closed
        return os.read(screen, 65_536)
    return b""


async def test_the_command_opens_a_recording_without_any_broker(tmp_path: Path) -> None:
    command, screen = await on_a_terminal("--file", str(write(tmp_path / "day.jsonl")))
    drawn = bytearray()
    loop = asyncio.get_running_loop()
    loop.add_reader(screen, lambda: drawn.extend(_read(screen)))
    try:
        await eventually(lambda: b"0:07:30" in drawn, "how long it is")
        os.write(screen, b"}")
        await eventually(lambda: b"lost: terminal-3" in drawn, "its end")
        os.write(screen, b"q")
        async with asyncio.timeout(PATIENCE):
            assert await command.wait() == 0
    finally:
        loop.remove_reader(screen)
        if command.returncode is None:
            command.kill()
            await command.wait()
        os.close(screen)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--file", "nothing.jsonl"), 2, "cannot read the history nothing.jsonl"),
        (("--file", "empty.jsonl"), 2, "There is no message in"),
        (("--file", "x", "--name", "console-1"), 2, "A recording has no broker"),
        (("--name", "terminal-1"), 2, "terminal-1 is not the name of a console"),
    ],
)
def test_what_cannot_be_watched_is_said_before_anything_is_drawn(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    code: int,
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.jsonl").touch()
    with pytest.raises(SystemExit) as ended:
        main(["watch", *arguments])
    assert ended.value.code == code
    assert words in " ".join(capsys.readouterr().err.split())


async def test_the_command_line_does_not_load_the_console() -> None:
    code = "import cli.main, sys; sys.exit('textual' in sys.modules)"
    command = await asyncio.create_subprocess_exec(sys.executable, "-c", code)
    assert await command.wait() == 0
