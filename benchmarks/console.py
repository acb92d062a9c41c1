"""The console under load: how steadily it draws, how soon it answers a key, what it takes.

`python -m benchmarks.console [--rate 5000] [--seconds 600]`. Real orders are recorded first, and
purchases are timed with a console that watches, with one that is stopped, and without. Then a
process of its own publishes the recorded messages again and again, under new ids, through a
Mosquitto, while an operator presses keys at `storebus watch` on a terminal of 200x60. At last he
does so while a recording is played as fast as possible, with a checkpoint now and then.
"""

import argparse
import asyncio
import os
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.measuring import usage_of
from benchmarks.operator import ROWS, Answer, Operator, has, looking_at, row, watching
from benchmarks.traffic import read_traffic
from benchmarks.watched import watched
from broker.engine import running_broker
from broker.settings import BrokerSettings
from bus.history.recording import as_line
from bus.link import Incoming
from bus.text.console import output
from cli.run import run

_FIRST_MINUTE = 60.0
_BEGAN = 1_763_800_000_000
"""Milliseconds since the epoch at which the recording begins."""
_PLENTY = re.compile(rb"\d{5,} heard")
_CURSOR_MOVES = re.compile(rb"\x1b\[\d+;\d+H")
_LOOK = 1.0
"""Seconds between two looks at the console's memory."""
_RECORDED = 300_000
"""Messages of the recording that is played: some 200 MB, and a dozen checkpoints."""
_REPLAY = 20.0
"""Seconds for which keys are pressed meanwhile."""
_LAST = ROWS // 2 - 2
"""The row of one of the last orders in sight; the history of the chosen one is below."""


@asynccontextmanager
async def said(url: str, recording: Path, rate: int, seconds: float) -> AsyncIterator[None]:
    """Publish the traffic while the block lasts; prints the rate that was reached."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.traffic", url, str(recording)),
        *(str(rate), str(seconds)),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        assert await process.stdout.readline() == b"on\n"
        yield
        answer, _ = await process.communicate()
        output.print(f"messages said: {int(answer)}/s")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def keys(operator: Operator, until: float) -> dict[str, list[Answer]]:
    """Press keys as long as there is time; returns how soon each was answered."""
    taken: dict[str, list[Answer]] = {
        name: []
        for name in ("to store", "to traffic", "to orders", "to stock", "to alarms", "scroll",
                     "filter", "help")
    }  # fmt: skip
    await operator.press("", lambda drawn: bool(_PLENTY.search(drawn)))
    while time.monotonic() < until:
        taken["to traffic"].append(await operator.press("2", has("Pause")))
        await operator.press("\x1b[A", has("paused"))
        for _ in range(2):  # the second is a whole redraw after the key
            await operator.sees(" messages")
        for _ in range(5):
            taken["scroll"].append(await operator.press("\x1b[A", operator.other_row()))
        await operator.sees(" messages")
        await operator.press(" ", _is_followed)
        taken["to orders"].append(await operator.press("3", has("collected at")))
        for _ in range(3):  # the first order is not the first any more a moment later
            taken["scroll"].append(await operator.press("\x1b[F", row(_LAST.__le__)))
            taken["scroll"].append(await operator.press("\x1b[H", row(_LAST.__gt__)))
        taken["to stock"].append(await operator.press("4", has("on hand")))
        taken["to alarms"].append(await operator.press("5", has("Acknowledge")))
        taken["to store"].append(await operator.press("1", has(" heard")))
        taken["help"].append(await operator.press("?", has("how many messages each")))
        await operator.press("\x1b", has(" heard"))
    await operator.press("2", has("Pause"))
    await operator.press("f", has("rom:terminal-7"))
    await operator.press("op:purchase", has("op:purchase"))
    taken["filter"].append(await operator.press("\r", has("filter: ")))
    return taken


def _is_followed(drawn: bytes) -> bool:
    """Whether the traffic is on the screen, and is followed."""
    note, moved, _ = drawn.rpartition(b" messages")[2].partition(b"\x1b[1;")
    return bool(moved) and b"paused" not in _CURSOR_MOVES.split(note)[0]


class Weight:
    """Looks at the console's memory until cancelled.

    Args:
        pid: of the console.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._began = time.monotonic()
        self._first = self.now()
        self.resident: list[tuple[float, int]] = []
        """Seconds since the beginning, and bytes."""

    def now(self) -> tuple[int, float]:
        """Bytes that are resident, and seconds of the processor until now."""
        found = usage_of(self._pid)
        return found.resident, found.processor

    async def watch(self) -> None:
        """Look again and again."""
        while True:
            self.resident.append((time.monotonic() - self._began, self.now()[0]))
            await asyncio.sleep(_LOOK)

    def tell(self) -> None:
        """The figures, as a sentence."""
        lasted = time.monotonic() - self._began
        now, processor = self.now()
        output.print(
            f"console: {(processor - self._first[1]) / lasted:.2f} of a core (aim: <= 1);"
            f" resident {self._first[0] / 1e6:.0f} MB at the start, {now / 1e6:.0f} MB at the end,"
            f" {max(each for _, each in self.resident) / 1e6:.0f} MB at most",
            soft_wrap=True,
        )
        later = [each for at, each in self.resident if at >= _FIRST_MINUTE]
        if later:
            output.print(
                f"memory after the first minute: {(max(later) - later[0]) / 1e6:+.1f} MB"
                " (aim: <= 20 MB)"
            )


def tell(operator: Operator, taken: dict[str, list[Answer]]) -> None:
    """Print how steadily it drew, and how soon it answered."""
    gaps = [
        later - earlier
        for earlier, later in zip(operator.redraws, operator.redraws[1:], strict=False)
        if later > earlier
    ]
    rate = len(gaps) / sum(gaps)
    output.print(f"redraws: {rate:.1f}/s, between two of them {_spread(gaps)}")
    tell_answers(taken)


def tell_answers(taken: dict[str, list[Answer]]) -> None:
    """Print how soon keys were answered, and how soon they would have been on an idle machine."""
    every = [each for kind in taken.values() for each in kind]
    output.print(
        f"a key is answered, p95 (aim: <= 100 ms): {_spread([e.seconds for e in every])}"
        f" of {len(every)}",
        soft_wrap=True,
    )
    alone = _spread([each.seconds - each.queued for each in every])
    output.print(f"    less what the console waited for a processor: {alone}", soft_wrap=True)
    output.print(f"    its processor time: {_spread([each.processor for each in every])}")
    for name, each in taken.items():
        alone = _spread([one.seconds - one.queued for one in each])
        output.print(
            f"    {name}: {_spread([one.seconds for one in each])} of {len(each)};"
            f" less the waiting {alone}",
            soft_wrap=True,
        )


def _spread(seconds: Sequence[float]) -> str:
    ordered = sorted(seconds)
    if not ordered:
        return "none"
    half, most = (ordered[len(ordered) * part // 100] * 1000 for part in (50, 95))
    return f"p50 {half:.0f} ms, p95 {most:.0f} ms, at most {ordered[-1] * 1000:.0f} ms"


async def bench(rate: int, seconds: float) -> None:
    """Record orders, compare purchases, and load the console."""
    with tempfile.TemporaryDirectory(prefix="storebus-console-") as folder:
        data, recording = Path(folder) / "store", Path(folder) / "recording.jsonl"
        await watched(data, recording)
        settings = BrokerSettings(engine="mosquitto", port=0)
        async with (
            running_broker(settings, Path(folder)) as broker,
            watching(broker.url) as operator,
            said(broker.url, recording, rate, seconds),
        ):
            weight = Weight(operator.process.pid)
            watch = asyncio.create_task(weight.watch())
            taken = await keys(operator, time.monotonic() + seconds - _LOOK)
            watch.cancel()
            weight.tell()
            tell(operator, taken)
        await replayed(recording, Path(folder) / "replay.jsonl")


async def replayed(recording: Path, path: Path) -> None:
    """Play a long recording while keys are pressed."""
    traffic = read_traffic(recording)
    with path.open("wb") as file:
        for number in range(_RECORDED):
            said = traffic.message(number)
            heard = Incoming(said.topic, said.payload, said.retain)
            file.write(as_line(_BEGAN + number // 5, heard))
    async with looking_at(path) as operator:
        await operator.press("}", has("going to"))
        taken = await keys(operator, time.monotonic() + _REPLAY)
    output.print(f"\na recording of {_RECORDED} messages is gone through while keys are pressed:")
    tell_answers(taken)


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(prog="benchmarks.console", description=__doc__)
    parser.add_argument("--rate", type=int, default=5000, help="messages per second")
    parser.add_argument("--seconds", type=float, default=600)
    options = parser.parse_args()
    output.print(
        f"{options.rate} messages/s for {options.seconds:g} s, {os.cpu_count()} processors"
    )
    run(bench(options.rate, options.seconds))


if __name__ == "__main__":
    main()
