"""Find out which connection publishes on a topic: only the broker knows.

Mosquitto logs it only with `log_type debug`, in several lines for each message. So that is switched
on for some seconds: its configuration is changed, read again at a signal, and changed back. A
process of its own does this, and changes it back whatever else ends: `python -m broker.senders
CONFIGURATION_FILE SECONDS`, with the topics as JSON on its standard input.

The embedded broker has no such log.
"""

import asyncio
import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from subprocess import DEVNULL, PIPE

from broker.mosquitto import LOGGING
from bus.storage.private import opener

SECONDS = 5.0
"""For which it is listened."""
_MOST = 64 * 1024 * 1024
"""Bytes of its log after which nothing more is read."""
_LOOK = 0.1
_PUBLISHED = re.compile(
    rb"Received PUBLISH from (.*) \(d[01], q[012], r[01], m\d+, '(.*)', \.\.\. \(\d+ bytes\)\)$"
)
_LOGGING = re.compile(r"^log_(dest|type) .*\n", re.MULTILINE)


def configuration(text: str, log: Path) -> str:
    """A configuration with which Mosquitto logs all it does, into a file of its own."""
    return f"{_LOGGING.sub('', text).rstrip()}\nlog_dest file {log}\nlog_type all\n"


def quiet(text: str) -> str:
    """The original configuration, even if an earlier process died before it changed it back."""
    return text if LOGGING in text else f"{_LOGGING.sub('', text).rstrip()}\n{LOGGING}"


def process_of(configuration_file: Path) -> int | None:
    """The process of the broker that was started with a file; None if none runs here (Linux)."""
    wanted = configuration_file.resolve()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError):
            words = (folder / "cmdline").read_bytes().split(b"\0")
            named = Path(os.fsdecode(words[words.index(b"-c") + 1]))
            here = (folder / "cwd").readlink()
            if b"mosquitto" in words[0] and (here / named).resolve() == wanted:
                return int(folder.name)
    return None


def published(lines: Iterable[bytes], topics: Sequence[str]) -> dict[str, str]:
    """By topic, the connection that published there last."""
    wanted = {topic.encode(): topic for topic in topics}
    found = {}
    for line in lines:
        match = _PUBLISHED.search(line.rstrip())
        if match is not None and match[2] in wanted:
            found[wanted[match[2]]] = match[1].decode(errors="replace")
    return found


async def senders(
    configuration_file: Path, topics: Sequence[str], seconds: float = SECONDS
) -> dict[str, str] | None:
    """By topic, the connection that published there within the next seconds.

    Args:
        configuration_file: of the broker, on this computer; it belongs to the user of both.
        topics: that are asked for.
        seconds: for which it is listened.

    Returns:
        None where no Mosquitto was started here with that file, or another user did.
    """
    # Not asyncio's: whoever is cancelled would kill it before it has changed things back.
    words = (sys.executable, "-P", "-m", "broker.senders", str(configuration_file), str(seconds))
    asked = subprocess.Popen(  # noqa: S603, ASYNC220 - our own module, no shell; it is not waited for
        words, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, start_new_session=True
    )
    _ASKED.append(asked)
    assert asked.stdin is not None
    assert asked.stdout is not None
    with asked.stdin as questions:
        questions.write(json.dumps(topics).encode())
    while asked.poll() is None:  # noqa: ASYNC110 - a process has no event
        await asyncio.sleep(_LOOK)
    _ASKED.remove(asked)
    with asked.stdout as answer:
        return json.loads(answer.read()) if asked.returncode == 0 else None


_ASKED: list["subprocess.Popen[bytes]"] = []
"""Those that nobody may wait for any more."""


def listen(configuration_file: Path, topics: Sequence[str], seconds: float) -> dict[str, str]:
    """The same, within this process.

    Raises:
        OSError: another listens, or the broker or its files are another user's.
    """
    folder = os.open(configuration_file.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        log = configuration_file.resolve().with_suffix(".senders")
        before = quiet(configuration_file.read_text("utf-8"))
        try:
            _tell(configuration_file, configuration(before, log))
            end = time.monotonic() + seconds
            while time.monotonic() < end and not _is_too_large(log):
                time.sleep(_LOOK)
        finally:
            _tell(configuration_file, before)
        with log.open("rb") as lines:
            return published(lines, topics)
    finally:
        with suppress(OSError):
            configuration_file.with_suffix(".senders").unlink()
        os.close(folder)


def _is_too_large(log: Path) -> bool:
    with suppress(OSError):
        return log.stat().st_size > _MOST
    return False


def _tell(configuration_file: Path, text: str) -> None:
    """Make the broker read a configuration; one that has died reads it at its next start."""
    new = configuration_file.with_suffix(".new")
    with open(new, "w", encoding="utf-8", opener=opener) as file:
        file.write(text)
    new.replace(configuration_file)
    process = process_of(configuration_file)
    if process is not None:
        os.kill(process, signal.SIGHUP)


def main() -> None:
    """Ignore requests to end: the broker must not be left with its debug log switched on."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    file, seconds, topics = Path(sys.argv[1]), float(sys.argv[2]), json.load(sys.stdin)
    if process_of(file) is None:
        sys.exit("no Mosquitto was started here with this file")
    found = listen(file, topics, seconds)
    with suppress(BrokenPipeError):
        sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
