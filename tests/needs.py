"""What some tests need that is not on every computer: the one way to leave a test out for it.

`@pytest.mark.needs("chromium")` at a test or a module, `require("chromium")` in a fixture. The
closing lines of a run count what was left out for each, and say how to get it.
"""

import importlib.util
import os
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

from broker.engine import RunningEngine
from broker.mosquitto import find_mosquitto

ENGINE: RunningEngine = "embedded" if find_mosquitto() is None else "mosquitto"
"""Which broker a test runs on that either will do for."""
_SHARED = os.environ.get("STOREBUS_SHARED") or Path(__file__).parents[2] / "shared"
CASES = Path(_SHARED) / "cases" / "csv"
_VECTORS = Path(_SHARED) / "vectors"
VECTORS = _VECTORS / "gs1_digital_link.jsonl"
MORE_VECTORS = _VECTORS / "gs1_more.jsonl"
PARSER = Path(__file__).parent / "asyncapi" / "node_modules" / "@asyncapi" / "parser"
_SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")
"""Where the PATH of an ordinary user does not look."""


def find(program: str) -> str | None:
    """Where a program is, also one for administrators."""
    folders = (os.environ.get("PATH", os.defpath), *_SYSTEM_FOLDERS)
    return shutil.which(program, path=os.pathsep.join(folders))


def find_faketime() -> Path | None:
    """Where the library is that tells a process a wrong time of day."""
    places = ("usr/lib/*/faketime", "usr/lib*/faketime", "usr/local/lib/faketime")
    found = (file for place in places for file in Path("/").glob(f"{place}/libfaketime.so.1"))
    return next(found, None)


def _is_root() -> bool:
    return os.geteuid() == 0


@dataclass(frozen=True)
class Need:
    """Something that tests need.

    Args:
        lack: that it is not there, as a sentence without its stop.
        remedy: how to get it.
        met: whether it is there.
    """

    lack: str
    remedy: str
    met: Callable[[], bool]

    def __str__(self) -> str:
        return f"{self.lack} ({self.remedy})"


def _programs(*names: str) -> Callable[[], bool]:
    return lambda: all(map(find, names))


def _module(name: str) -> Callable[[], bool]:
    return lambda: importlib.util.find_spec(name) is not None


_RUN_AS_ROOT = "run the tests as root, outside of a container"
NEEDS = {
    "mosquitto": Need(
        "Mosquitto is not installed",
        "apt install mosquitto",
        lambda: find_mosquitto() is not None,
    ),
    "mosquitto-clients": Need(
        "mosquitto_pub, mosquitto_sub and mosquitto_rr are not installed",
        "apt install mosquitto-clients",
        _programs("mosquitto_pub", "mosquitto_sub", "mosquitto_rr"),
    ),
    "chromium": Need(
        "Chromium and its driver are not installed",
        "apt install chromium chromium-driver",
        lambda: bool((find("chromium") or find("chromium-browser")) and find("chromedriver")),
    ),
    "node": Need(
        "Node.js and npm are not installed", "apt install nodejs npm", _programs("node", "npm")
    ),
    "asyncapi-parser": Need(
        "AsyncAPI's own parser is not installed",
        "npm install --prefix tests/asyncapi --no-package-lock",
        PARSER.is_dir,
    ),
    "examples": Need(
        "the libraries of the examples could not be fetched",
        "make examples",
        lambda: True,  # fetching shows it
    ),
    "bash": Need("bash is not installed", "apt install bash", _programs("bash")),
    "curl": Need("curl is not installed", "apt install curl", _programs("curl")),
    "jq": Need("jq is not installed", "apt install jq", _programs("jq")),
    "setpriv": Need("setpriv is not installed", "apt install util-linux", _programs("setpriv")),
    "cc": Need("there is no C compiler", "apt install gcc libc6-dev", _programs("cc")),
    "linux": Need("this is not Linux", "run them there", lambda: sys.platform == "linux"),
    "disk": Need(
        "no disk can be mounted here",
        _RUN_AS_ROOT,
        lambda: os.geteuid() == 0 and _programs("mount", "umount")(),
    ),
    "ext4": Need(
        "ext4 cannot be made here",
        "apt install e2fsprogs",
        _programs("mkfs.ext4", "fsck.ext4"),
    ),
    "failing-disk": Need(
        "this kernel lets nobody make an ext4 fail",
        _RUN_AS_ROOT,
        lambda: True,  # a mounted one shows it
    ),
    "root": Need("only root can act as somebody else", "run the tests as root", _is_root),
    "faketime": Need(
        "libfaketime is not installed", "apt install faketime", lambda: find_faketime() is not None
    ),
    "cases": Need(
        "the cases that broke others are not here",
        "put them into ../shared/cases",
        CASES.is_dir,
    ),
    "evdev": Need("evdev is not installed", "pip install evdev", _module("evdev")),
    "uinput": Need(
        "no keyboard can be made up here",
        "modprobe uinput, and run the tests as root",
        lambda: os.access("/dev/uinput", os.W_OK),
    ),
    "av": Need("PyAV is not installed", "pip install av", _module("av")),
    "vectors": Need(
        "the shared vectors are not here",
        "put them into ../shared/vectors",
        lambda: VECTORS.exists() and MORE_VECTORS.exists(),
    ),
}


def leave_out(name: str) -> NoReturn:
    """Leave a test out for want of this: what was tried has shown that it is not there."""
    pytest.skip(str(NEEDS[name]))


def require(*names: str) -> None:
    """Leave a test out unless all of these are there."""
    for name in names:
        if not NEEDS[name].met():
            leave_out(name)


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", "needs(*names): left out where one of these is missing")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave a test out before anything is made for it."""
    for marker in item.iter_markers("needs"):
        require(*marker.args)


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was left out, so that nobody takes half a run for a whole one."""
    reports = terminalreporter.getreports("skipped")
    for line in _closing_lines(report.longrepr[2] for report in reports):
        terminalreporter.write_line(line, yellow=True)


def _closing_lines(reasons: Iterable[str]) -> Iterator[str]:
    skipped = Counter(reason.removeprefix("Skipped: ") for reason in reasons)
    for need in map(str, NEEDS.values()):
        if count := skipped.pop(need, 0):
            yield f"{_tests(count)} left out: {need}"
    if skipped:
        yield f"{_tests(skipped.total())} left out: they make no sense there (-rs says why)"
    if ENGINE == "embedded":
        yield "What either broker will do for was tried on the embedded one."


def _tests(count: int) -> str:
    return "1 test was" if count == 1 else f"{count} tests were"
