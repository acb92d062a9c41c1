"""The examples read times by RFC 3339, as the bus does, and nothing that is merely like it.

An example connects as soon as it is imported: what reads times is taken out of its source.
"""

import ast
import json
import re
import subprocess
import time
from calendar import timegm
from collections.abc import Callable
from math import isnan
from typing import Any

import pytest
from device_process import PROJECT

from bus.contract.timestamp import milliseconds

DEVICES = PROJECT / "examples" / "devices"
WRITTEN = ("paho/terminal.py", "sorter-paho/sorter.py", "asyncio-mqtt/till.py")
TIMES = [
    "2026-01-01T00:00:00Z", "2026-01-01t00:00:00z", "2026-01-01T01:30:00+01:30",
    "2025-12-31T16:00:00.5-08:00", "2026-01-01T00:00:00-00:00", "2026-01-01T00:00:00.123456789Z",
    "2025-12-31T23:59:60Z", "2025-12-31T23:59:60.75Z", "2025-12-31T15:59:60-08:00",
    "2026-01-01T05:29:60+05:30", "1969-12-31T23:59:59.250Z", "2024-02-29T00:00:00Z",
]  # fmt: skip
OTHERS = [
    "", "soon", "2026-01-01", "2026-01-01T00:00:00", "2026-01-01T00:00Z", "20990101T000000Z",
    "2099-W01-1T00:00:00Z", "2026-01-01 00:00:00Z", "2026-01-01T00:00:00,5Z",
    "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00+0100", "2026-01-01T00:00:00+24:00",
    "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-01-01T24:00:00Z",
    "2026-01-01T00:60:00Z", "2026-01-01T00:00:61Z", "2026-01-01T00:00:00Z\n",
    "\u0662026-01-01T00:00:00Z", "2026-01-01T00:00:60Z", "2025-12-30T23:59:60Z",
    "2025-12-31T23:59:60-08:00",
]  # fmt: skip


def _moment(file: str) -> Callable[[str], float]:
    tree = ast.parse((DEVICES / file).read_text())
    wanted = [
        each
        for each in tree.body
        if (isinstance(each, ast.FunctionDef) and each.name == "moment")
        or (isinstance(each, ast.Assign) and ast.unparse(each.targets[0]) == "RFC3339")
    ]
    names: dict[str, Any] = {"re": re, "time": time, "timegm": timegm}
    exec(compile(ast.Module(wanted, []), file, "exec"), names)  # noqa: S102 - our own example
    found: Callable[[str], float] = names["moment"]
    return found


@pytest.mark.parametrize("file", WRITTEN)
def test_an_example_reads_times_as_the_bus_does(file: str) -> None:
    moment = _moment(file)
    assert [int(moment(each) // 0.001) for each in TIMES] == pytest.approx(
        [milliseconds(each) for each in TIMES], abs=1
    )
    for each in OTHERS:
        with pytest.raises(ValueError, match=r"is no|time data|day is out"):
            moment(each)


@pytest.mark.needs("node")
def test_the_example_in_javascript_does_so_too() -> None:
    source = (DEVICES / "mqtt-js" / "terminal.js").read_text()
    pattern = re.search(r"^const RFC3339 =.*?;$", source, re.MULTILINE | re.DOTALL)
    function = re.search(r"^function moment.*?^}$", source, re.MULTILINE | re.DOTALL)
    assert pattern is not None
    assert function is not None
    asked = f"{json.dumps([*TIMES, *OTHERS])}.map(moment).map((each) => each ?? null)"
    code = f"{pattern[0]}\n{function[0]}\nconsole.log(JSON.stringify({asked}))"
    out = subprocess.run(["node", "-e", code], check=True, capture_output=True, text=True).stdout
    told = [float("nan") if each is None else each for each in json.loads(out)]
    assert told[: len(TIMES)] == [milliseconds(each) for each in TIMES]
    assert all(map(isnan, told[len(TIMES) :]))
