"""Runs the commands of README.md as they stand there.

With the standard library alone: `make test-bare` runs it with the Python of a bare machine, the
suite in the store of a test.
"""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
PATIENCE = 180.0
"""Seconds that one command may take."""

_HEARS_CTRL_C = ("env", "--default-signal=INT")
"""Before a program: also where whoever started us in the background hears it no more."""

BY_MAKE = ("make run", "make test", "source .venv/bin/activate")
"""Lines that whoever calls this has carried out already, or does itself."""


@dataclass(frozen=True)
class Way:
    """How a line is run, where it does not simply end with 0."""

    until: str = ""
    """It goes on until it is interrupted, once it has printed this."""
    gets: str = ""
    """What it reads."""
    meanwhile: str = ""
    """What happens in the store while it runs."""
    short: str = ""
    """Added to it where there is no time for the whole of it."""
    needs: str = ""
    """A program that the README says must be there."""


_LABEL = "https://shop.example/01/09506000134352"
_SEARCH = "storebus request terminal-9 catalog search text=shirt limit=3"
_LOOKUP_BY_HAND = (
    "mosquitto_pub -V mqttv311 -q 1 -t storebus/1/main/req/terminal-9/catalog/lookup"
    f""" -m '{{"id":"1","data":{{"code":"{_LABEL}"}}}}'"""
)
_PICK = (
    "storebus request warehouse sorter-9 pick job=j-1 assignment:=1 order=o-1"
    """ 'picks:=[{"sku":"CAN-40","location":"A-01-1","quantity":1}]' pickup_point=north --force"""
)
_SORTER = """#!/bin/sh
exec storebus node "$4" --broker "$2" --speed inf --data my-sorter-data
"""
"""What somebody may have built: it is started as `my-sorter --broker URL --name NAME`."""

WAYS: Mapping[str, Way] = {
    "storebus scan terminal-7 -": Way(gets=_LABEL + "\n"),
    "storebus web ": Way(until="serves the phone page"),
    "curl ": Way(needs="curl"),
    "mosquitto_sub ": Way(
        until='"correlationid":"1"', meanwhile=_LOOKUP_BY_HAND, needs="mosquitto_sub"
    ),
    "mosquitto_pub ": Way(needs="mosquitto_pub"),
    "storebus tail ": Way(until="/catalog/search", meanwhile=_SEARCH),
    "storebus respond sorter-9 pick '{": Way(until="pick", meanwhile=_PICK),
    "storebus respond sorter-9 pick --problem": Way(until="pick", meanwhile=_PICK),
    "storebus load ": Way(short="--duration 2s"),
    "storebus play ": Way(short="--check"),
    "storebus certify sorter-9 ": Way(short="--rules"),
    "storebus certify terminal-9": Way(until="terminal-9"),
}
"""By the beginning of a line."""


def lines(text: str) -> Iterator[str]:
    """Each command of the README's shell blocks, whole, without its comment."""
    for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL):
        command = ""
        for line in block.replace("\\\n", " ").splitlines():
            command += ("\n" if command else "") + line
            try:
                shlex.split(command, comments=True)
            except ValueError:  # a quotation goes on in the next line
                continue
            command = re.sub(r"\s+#\s.*$", "", command).strip()
            if command:
                yield command
            command = ""


def way_of(line: str) -> Way:
    """How a line is run."""
    return next((way for begin, way in WAYS.items() if line.startswith(begin)), Way())


class ReadmeError(Exception):
    """A command did not do what the README says of it; the sentence has what it printed."""


def perform(line: str, folder: Path, environment: Mapping[str, str], *, whole: bool) -> str:
    """Run one line in the folder; returns what it printed.

    Raises:
        ReadmeError: it ended with another code than 0, or never said what it should.
    """
    way = way_of(line)
    if way.short and not whole:
        line = f"{line} {way.short}"
    with tempfile.TemporaryFile() as given:
        given.write(way.gets.encode())
        given.seek(0)
        process = subprocess.Popen(
            [*_HEARS_CTRL_C, "bash", "-c", line.removesuffix("&")],
            cwd=folder, env=dict(environment), stdin=given,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    printed = _Reader(process)
    try:
        if way.until:
            _watch(line, way, printed, folder, environment)
            os.killpg(process.pid, signal.SIGINT)
        code = process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        raise ReadmeError(f"{line}\nis still running after {PATIENCE} s:\n{printed.text}") from None
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        printed.close()
    expected = (0, -signal.SIGINT, 130) if not line.startswith("storebus") else (0,)
    if code not in expected:
        raise ReadmeError(f"{line}\nended with {code}:\n{printed.text}")
    return printed.text


class _Reader:
    """Takes down what a process prints while it runs."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.text = ""
        self._stream = process.stdout
        self._news = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        assert self._stream is not None
        while piece := os.read(self._stream.fileno(), 65_536):
            with self._news:
                self.text += piece.decode(errors="replace")
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    def has(self, text: str, seconds: float) -> bool:
        """Wait until it printed this; False when it ended or time was up first."""
        with self._news:
            self._news.wait_for(lambda: text in self.text or self._ended, seconds)
            return text in self.text

    def close(self) -> None:
        self._thread.join(PATIENCE)
        assert self._stream is not None
        self._stream.close()


def _watch(
    line: str, way: Way, printed: _Reader, folder: Path, environment: Mapping[str, str]
) -> None:
    """Wait until it printed what it should, doing again and again what it is to be told of."""
    deadline = time.monotonic() + PATIENCE
    while not printed.has(way.until, 2 if way.meanwhile else PATIENCE):
        if time.monotonic() > deadline:
            raise ReadmeError(f"{line}\nnever printed {way.until!r} but:\n{printed.text}")
        if way.meanwhile:
            subprocess.run(
                ["bash", "-c", way.meanwhile], cwd=folder, env=dict(environment),
                stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE, check=False,
            )  # fmt: skip


def put_sorter(folder: Path) -> None:
    """Put a sorter into the folder that the README certifies under the name `my-sorter`."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "my-sorter"
    program.write_text(_SORTER, encoding="utf-8")
    program.chmod(0o755)


def as_printed(line: str, greeting: str) -> str:
    """The line for a store that greets so: its page may have taken another port than 8080."""
    page = re.search(r"phones +(http://[0-9.:]+)", greeting)
    return line.replace("http://127.0.0.1:8080", page[1]) if page else line


def other_terminal(folder: Path, programs: Path, greeting: str) -> dict[str, str]:
    """The environment of the README's other terminal, in the folder of a store that greets so.

    The clients of Mosquitto read there what port the store has; `my-sorter` is there, too.
    """
    put_sorter(folder / "bin")
    port = re.search(r"MQTT 3\.1\.1 at mqtt://[0-9.]+:([0-9]+)", greeting)
    assert port, greeting
    for client in ("mosquitto_pub", "mosquitto_sub"):
        (folder / client).write_text(f"-p {port[1]}\n", encoding="utf-8")
    path = f"{folder / 'bin'}:{programs}:{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "XDG_CONFIG_HOME": str(folder), "COLUMNS": "200"}


def visit(*, whole: bool) -> Iterator[str]:
    """Open a store with `make run`, do all that the README says, close it; yields what failed."""
    process = subprocess.Popen(
        [*_HEARS_CTRL_C, "make", "run"], cwd=REPOSITORY, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    printed = _Reader(process)
    try:
        if not printed.has("Try, in another terminal", 600):
            yield f"make run\n{printed.text}"
            return
        print(printed.text, flush=True)
        with tempfile.TemporaryDirectory() as folder:
            programs = REPOSITORY / ".venv/bin"
            environment = other_terminal(Path(folder), programs, printed.text)
            for line in lines((REPOSITORY / "README.md").read_text(encoding="utf-8")):
                if not line.startswith(BY_MAKE):
                    yield from _tried(as_printed(line, printed.text), environment, whole=whole)
        os.killpg(process.pid, signal.SIGINT)
        process.wait(60)
        if "The store is closed" not in printed.text:
            yield f"Ctrl-C does not close the store:\n{printed.text}"
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        printed.close()


def _tried(line: str, environment: Mapping[str, str], *, whole: bool) -> Iterator[str]:
    name, needs, begun = line.splitlines()[0], way_of(line).needs, time.monotonic()
    if needs and shutil.which(needs) is None:
        print(f"left out  {name}  ({needs} is not installed)", flush=True)
        return
    try:
        perform(line, REPOSITORY, environment, whole=whole)
    except ReadmeError as failure:
        yield str(failure)
    else:
        print(f"ok {time.monotonic() - begun:5.1f} s  {name}", flush=True)


def main(arguments: list[str]) -> int:
    """`readme.py [--whole]`: a visit, and the demo; 1 when something failed."""
    failures = 0
    for failure in visit(whole="--whole" in arguments):
        failures += 1
        print(f"FAILED    {failure}", flush=True)
    demo = subprocess.run(["make", "demo"], cwd=REPOSITORY, check=False)
    return 1 if failures or demo.returncode else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
