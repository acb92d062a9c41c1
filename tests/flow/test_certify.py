"""Scenarios of a device's builder: certify says which rules a device keeps, and which it breaks."""

import asyncio
import contextlib
import itertools
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from little_device import LittleSorter, LittleTerminal, end
from needs import ENGINE
from ports import free_port
from store import FAST, PATIENCE, Machine, RunBroker
from store_process import storebus

from broker.engine import Broker, RunningEngine
from bus.contract.settlement import AccountPayment
from bus.errors import Refused
from bus.link import MqttConnector
from bus.node import Node, Place
from cli.certify.book import Verdict
from cli.certify.report import as_html, as_lines, as_markdown, report
from cli.certify.rules import RULES, SORTER, TERMINAL, checklist, rules_of
from cli.certify.run import Where, certify, open_stage
from cli.certify.shelf import LABEL, SKU
from cli.certify.stage import Stage, Times
from devices.sorter.drivers import Movement
from devices.sorter.role import Sorter
from devices.terminal.role import Terminal

TIMES = Times(patience=6.0, settle=1.0, ask_again=1.0)
TRIES = 3
AT_ONCE = 16
"""Devices that are tried at the same time."""
DOCS = Path(__file__).parents[2] / "docs"
each_engine = pytest.mark.parametrize(
    "engine", [pytest.param("mosquitto", marks=pytest.mark.needs("mosquitto")), "embedded"]
)
UNTRIED: dict[RunningEngine, set[str]] = {"mosquitto": set(), "embedded": {"C5"}}
"""Rules that cannot be tried on a broker."""
ENGINES: tuple[RunningEngine, ...] = tuple(dict.fromkeys((ENGINE, "embedded")))
"""Those that can be started here."""
_sites = itertools.count(1)


@pytest.fixture(scope="module", autouse=True)
def judge() -> None:
    """Nobody judges here: certify says wrong things on purpose."""


class Beside:
    """Stands beside a device of this process: starts it, restarts it, is its customer.

    Args:
        run: is the device until it is cancelled; called anew for each start.
        buy: makes its customer buy.
        shown: everything that it has shown.
    """

    can_restart = True
    is_patient = False

    def __init__(
        self, run: Callable[[], Awaitable[object]], buy: Callable[[], Awaitable[object]] | None,
        shown: list[str],
    ) -> None:  # fmt: skip
        self._run, self._buy, self._shown = run, buy, shown
        self._running: list[asyncio.Task[Any]] = []

    async def start(self) -> None:
        """Let it run."""
        self._running.insert(0, asyncio.ensure_future(self._run()))

    async def restart(self) -> None:
        """End it and let it run again."""
        await end(self._running.pop(0))
        await self.start()

    async def buy(self) -> None:
        """A customer comes."""
        assert self._buy is not None
        self._running.append(asyncio.ensure_future(self._buy()))

    async def bought(self) -> None:
        """The customer goes."""
        while len(self._running) > 1:
            await end(self._running.pop())

    async def times_shown(self, text: str) -> int | None:
        """Count."""
        return self._shown.count(text)

    async def close(self) -> None:
        """End everything."""
        while self._running:
            await end(self._running.pop())


async def _little(broker: Broker, kind: str, breaks: str) -> list[Verdict]:
    name = f"{kind}-9"
    where = Where(broker.url, broker.url_v311, f"certify-{next(_sites)}")
    async with asyncio.timeout(100), open_stage(where, name, TIMES) as stage:
        if kind == SORTER:
            sorter = LittleSorter(stage.wire.port, where.site, name, breaks)
            hands = Beside(sorter.run, None, [])
        else:
            terminal = LittleTerminal(stage.wire.port, where.site, name, breaks)
            hands = Beside(terminal.run, lambda: terminal.buy(LABEL), terminal.shown)
        return (await certify(stage, hands, lambda: _listening(stage))).verdicts


async def _listening(stage: Stage) -> None:
    assert await stage.until(lambda: stage.wire.listening or None, PATIENCE)


ONCE = {*(f"C{number}" for number in range(2, 10)), "C16"}
"""Rules that are watched in the same way on every device: one kind of device shows it."""
CASES = [
    (kind, breaks)
    for kind in (SORTER, TERMINAL)
    for breaks in ("", *(rule.id for rule in rules_of(kind)))
    if (kind == SORTER or breaks not in ONCE) and breaks not in UNTRIED[ENGINE]
]


@dataclass(frozen=True)
class Tried:
    """What certify says of each device."""

    little: dict[tuple[str, str], list[Verdict]]
    """By kind, and the rule that it breaks."""
    ours: dict[tuple[str, str], list[Verdict]]
    """By kind and engine."""


@pytest.fixture(scope="module")
def tried(run_broker: RunBroker, tmp_path_factory: pytest.TempPathFactory) -> Tried:
    """All devices are tried together: most of it is waiting."""
    brokers = {engine: run_broker(engine) for engine in ENGINES}

    async def every() -> Tried:
        places = asyncio.Semaphore(AT_ONCE)

        # What is not to happen is waited for so long and no longer: where a core is shared with
        # others, a device may be too slow for it, or too quick to be tried. Whoever is judged
        # wrongly is tried again.
        async def one(kind: str, breaks: str) -> list[Verdict]:
            async with places:
                for _ in range(TRIES):
                    verdicts = await _little(brokers[ENGINE], kind, breaks)
                    if list(_said(verdicts, "broken")) == [breaks] * bool(breaks) and (
                        breaks or set(_said(verdicts, "not tried")) <= UNTRIED[ENGINE]
                    ):
                        break
            return verdicts

        async def ours(kind: str, engine: RunningEngine) -> list[Verdict]:
            for _ in range(TRIES):
                data = tmp_path_factory.mktemp(f"{kind}-{engine}")
                verdicts = await OURS[kind](brokers[engine], data)
                untried = set(_said(verdicts, "not tried"))
                if not _said(verdicts, "broken") and untried <= UNTRIED[engine]:
                    break
            return verdicts

        kinds: list[tuple[str, RunningEngine]] = [(kind, each) for kind in OURS for each in ENGINES]
        of_ours = asyncio.gather(*(ours(*each) for each in kinds))
        verdicts = await asyncio.gather(*(one(*case) for case in CASES))
        return Tried(
            dict(zip(CASES, verdicts, strict=True)), dict(zip(kinds, await of_ours, strict=True))
        )

    return asyncio.run(every())


def _said(verdicts: list[Verdict], outcome: str) -> dict[str, Any]:
    return {
        each.rule.id: [finding.sentence for finding in each.findings] or each.reason
        for each in verdicts
        if each.outcome == outcome
    }


@pytest.mark.parametrize("kind", [SORTER, TERMINAL])
def test_a_device_that_keeps_every_rule_is_said_to(tried: Tried, kind: str) -> None:
    verdicts = tried.little[kind, ""]
    assert _said(verdicts, "broken") == {}
    assert set(_said(verdicts, "not tried")) <= UNTRIED[ENGINE]


def test_a_device_that_breaks_one_rule_is_said_to_break_that_one(tried: Tried) -> None:
    """One test for all: none of them can be tried alone much quicker than all together."""
    said = {
        (kind, breaks): _said(tried.little[kind, breaks], "broken")
        for kind, breaks in CASES
        if breaks
    }
    assert {case: found for case, found in said.items() if list(found) != [case[1]]} == {}


@each_engine
def test_our_own_sorter_keeps_every_rule(tried: Tried, engine: RunningEngine) -> None:
    verdicts = tried.ours[SORTER, engine]
    assert _said(verdicts, "broken") == {}
    assert set(_said(verdicts, "not tried")) <= UNTRIED[engine]


@each_engine
def test_our_own_terminal_keeps_every_rule(tried: Tried, engine: RunningEngine) -> None:
    verdicts = tried.ours[TERMINAL, engine]
    assert _said(verdicts, "broken") == {}
    assert _said(verdicts, "not tried") == {}


async def _our_sorter(broker: Broker, data: Path) -> list[Verdict]:
    async with _stage(broker, "sorter-9") as (stage, place):
        machine = _SlowMachine()

        async def run() -> None:
            await Node("sorter-9", Sorter(machine).role, place(data)).run()

        return (await certify(stage, Beside(run, None, []), lambda: _listening(stage))).verdicts


async def _our_terminal(broker: Broker, data: Path) -> list[Verdict]:
    async with _stage(broker, "terminal-9") as (stage, place):
        shown: list[str] = []
        terminals: list[Terminal] = []

        async def run() -> None:
            terminals.append(
                Terminal("terminal-9", place(data), lambda it: shown.append(it.pickup_point_name))
            )
            await terminals[-1].run()

        async def buy() -> None:
            terminal = terminals[-1]
            await terminal.node.ready.wait()
            found = await terminal.scan(LABEL)
            styles = {style.sku: style for style in found.product.styles}
            with contextlib.suppress(Refused):
                await terminal.buy(
                    {SKU: 1}, styles, AccountPayment(method="account", account="C-1")
                )

        hands = Beside(run, buy, shown)
        return (await certify(stage, hands, lambda: _listening(stage))).verdicts


OURS = {SORTER: _our_sorter, TERMINAL: _our_terminal}


@contextlib.asynccontextmanager
async def _stage(broker: Broker, name: str) -> AsyncIterator[tuple[Stage, Callable[[Path], Place]]]:
    """A played store, and where a device of ours runs that connects to its relay."""
    site = f"certify-{next(_sites)}"
    async with open_stage(Where(broker.url, broker.url_v311, site), name, TIMES) as stage:
        options = broker.url.partition("?")[2]
        url = f"mqtt://127.0.0.1:{stage.wire.port}?{options}"
        yield stage, lambda data: Place(MqttConnector(url), site, data, FAST)


class _SlowMachine(Machine):
    """Takes a moment to convey: a job can be aborted before it is packed."""

    async def perform(self, key: str, movement: Movement) -> int | None:
        """Do it in a moment."""
        if movement.step == "conveying":
            await asyncio.sleep(0.2)
        return await super().perform(key, movement)


def test_the_device_guide_has_all_rules() -> None:
    guide = (DOCS / "device-guide.md").read_text(encoding="utf-8")
    section = guide.partition("## Checklist")[2].partition("\n## ")[0]
    assert f"## Checklist{section}".strip() == checklist().strip(), (
        "write `storebus certify --rules` into docs/device-guide.md"
    )


def test_every_rule_says_why_it_is_there_and_how_it_is_tried() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert min(map(len, (rule.sentence, rule.why, rule.shown))) > 5, rule.id


async def test_a_builder_certifies_a_sorter_from_the_command_line(tmp_path: Path) -> None:
    environment = {"STOREBUS_RUNTIME__RETRY_FIRST": "0.1", "STOREBUS_RUNTIME__RETRY_LIMIT": "0.4"}
    assignments = " ".join(f"{name}={value}" for name, value in environment.items())
    start = (
        f"{assignments} {sys.executable} -P -m cli node {{name}} --broker {{url}} --speed inf"
        f" --data {tmp_path / 'device'}"
    )
    written = tmp_path / "report.json"
    code, out, err = await storebus(
        "certify", "sorter-9", "--start", start, "--report", str(written),
        "--settle", "0.2", "--patience", "20", patience=100,
    )  # fmt: skip
    assert code == 0, out + err
    found = json.loads(written.read_text())
    assert found["passed"]
    outcomes = {rule["id"]: rule["outcome"] for rule in found["rules"]}
    assert outcomes["S5"] == outcomes["S14"] == outcomes["C11"] == "kept"
    assert "keeps every must that was tried" in out


def test_a_report_shows_the_messages_that_break_a_rule(
    tried: Tried,
) -> None:
    found = report("sorter-9", 0, tried.little[SORTER, "C7"])
    assert not found["passed"]
    for written in (as_markdown(found), as_html(found), "\n".join(as_lines(found))):
        assert "It published to lights/aisle-3." in written
        assert "device to lights/aisle-3" in written
        assert "breaks 1 must(s)" in written


async def test_what_cannot_be_certified_is_told_in_a_sentence() -> None:
    cases = (
        (("kiosk-1",), 2, "Name the device"),
        ((), 2, "Name the device"),
        (("sorter-9", "--command", "true"), 2, "--command is for terminals"),
        (("sorter-9", "--report", "report.pdf"), 2, ".md, .html or .json"),
        (("sorter-9", "--broker", f"mqtt://127.0.0.1:{free_port()}"), 3, "No broker"),
        (("sorter-9", "--start", "echo out of paper", "--patience", "0.5"), 1, "out of paper"),
    )
    ended = await asyncio.gather(*(storebus("certify", *words) for words, _, _ in cases))
    for (_, code, sentence), (found, _, err) in zip(cases, ended, strict=True):
        assert (found, sentence in err) == (code, True), err
    code, out, _ = await storebus("certify", "--rules")
    assert (code, out.strip()) == (0, checklist().strip())
