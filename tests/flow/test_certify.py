"""Scenarios of a device's builder: certify says which rules a device keeps, on real brokers."""

import asyncio
import contextlib
import itertools
import json
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from device_connection import over_mqtt
from in_memory_certification import NAMES, driver_of, said
from in_memory_driver import InMemoryDriver
from needs import ENGINE
from ports import free_port
from running_store import PATIENCE, Machine, RunBroker
from store_process import storebus

from broker.engine import Broker, RunningEngine
from bus.contract.errors import Refused
from bus.contract.settlement import AccountPayment
from bus.contract.terminal import Remind
from bus.link import MqttConnector
from bus.runtime.deployment import Deployment
from bus.runtime.node import Node
from bus.runtime.settings import RuntimeSettings
from devices.sorter.drivers import Movement
from devices.sorter.role import Sorter
from devices.terminal.role import Terminal
from testing.certify.certification import Endpoints, certify, open_fake_store
from testing.certify.fake_store import FakeStore, Timeouts
from testing.certify.fixtures import LABEL, SKU
from testing.certify.observing_relay import ObservingRelay
from testing.certify.rules import RULES, SORTER, TERMINAL, checklist
from testing.certify.verdicts import RuleVerdict

TIMES = Timeouts(patience=8.0, settle=1.0, ask_again=1.0)
BRISK = RuntimeSettings(
    retry_first=0.75, retry_limit=3.0, query_retry=0.75, reconnect_limit=0.2, takeover_wait=0.5
)
"""As quick as a device may be."""
PATIENCE_OF_CUSTOMERS = 5.0
"""Seconds: our own terminal goes on asking after them."""
TRIES = 3
DOCS = Path(__file__).parents[2] / "docs"
UNTRIED: dict[RunningEngine, set[str]] = {"mosquitto": set(), "embedded": {"C5"}}
"""Rules that cannot be tried on a broker."""
ENGINES: tuple[RunningEngine, ...] = tuple(dict.fromkeys((ENGINE, "embedded")))
"""Those that can be started here."""
ON_THE_WIRE = ("C1", "C5", "C8", "C9", "C23", "S1")
"""What is seen in packets alone: the minimal devices in memory do not show that it is."""
_sites = itertools.count(1)


@pytest.fixture(scope="module", autouse=True)
def judge() -> None:
    """Nobody judges here: certify says wrong things on purpose."""


async def _minimal(broker: Broker, kind: str, breaks: str) -> list[RuleVerdict]:
    name = NAMES[kind]
    where = Endpoints(broker.url, broker.url_v311, f"certify-{next(_sites)}")
    async with asyncio.timeout(200), open_fake_store(where, name, TIMES) as store:
        how = over_mqtt(store.relay.port), where.site, name, breaks, _now, 0.75
        return (await certify(store, driver_of(kind, *how), lambda: _listening(store))).verdicts


def _now() -> int:
    return time.time_ns() // 1_000_000


async def _listening(store: FakeStore[ObservingRelay]) -> None:
    assert await store.until(lambda: store.relay.listening or None, PATIENCE)


async def test_devices_on_real_brokers_are_judged_as_they_are(
    run_broker: RunBroker, tmp_path: Path
) -> None:
    """One test for all: most of it is waiting, and they wait together."""
    brokers = {engine: run_broker(engine) for engine in ENGINES}
    of_minimal = [(SORTER, ""), (TERMINAL, ""), *((SORTER, rule) for rule in ON_THE_WIRE)]
    of_minimal = [each for each in of_minimal if each[1] not in UNTRIED[ENGINE]]
    of_ours = [(kind, engine) for kind in OURS for engine in ENGINES]

    # What is not to happen is waited for so long and no longer: where a core is shared with others,
    # a device may be too slow for it, or too quick to be tried. Whoever is judged wrongly is tried
    # again.
    async def theirs(kind: str, breaks: str) -> tuple[set[str], set[str]]:
        for _ in range(TRIES):
            verdicts = await _minimal(brokers[ENGINE], kind, breaks)
            found = set(said(verdicts, "broken")), set(said(verdicts, "not tried"))
            if found[0] == ({breaks} - {""}) and (breaks or found[1] <= UNTRIED[ENGINE]):
                break
        return found

    async def ours(kind: str, engine: RunningEngine) -> tuple[dict[str, object], set[str]]:
        for number in range(TRIES):
            data = tmp_path / f"{kind}-{engine}-{number}"
            verdicts = await OURS[kind](brokers[engine], data)
            found = said(verdicts, "broken"), set(said(verdicts, "not tried"))
            if not found[0] and found[1] <= UNTRIED[engine]:
                break
        return found

    verdicts = asyncio.gather(*(ours(*each) for each in of_ours))
    for (_, breaks), (broken, untried) in zip(
        of_minimal, await asyncio.gather(*(theirs(*each) for each in of_minimal)), strict=True
    ):
        assert broken == {breaks} - {""}
        assert breaks or untried <= UNTRIED[ENGINE]
    for (kind, engine), (broken, untried) in zip(of_ours, await verdicts, strict=True):
        assert broken == {}, (kind, engine)
        assert untried <= UNTRIED[engine], (kind, engine)


async def _our_sorter(broker: Broker, data: Path) -> list[RuleVerdict]:
    async with _stage(broker, "sorter-9") as (store, deployment):
        machine = _SlowMachine()

        async def run() -> None:
            await Node("sorter-9", Sorter(machine).role, deployment(data)).run()

        driver = InMemoryDriver(run, None, None, machine.leave_one, machine.jam)
        return (await certify(store, driver, lambda: _listening(store))).verdicts


async def _our_terminal(broker: Broker, data: Path) -> list[RuleVerdict]:
    async with _stage(broker, "terminal-9") as (store, deployment):
        shown: list[str] = []
        terminals: list[Terminal] = []

        async def run() -> None:
            def show(reminder: Remind) -> None:
                shown.append(reminder.pickup_point_name)

            terminals.append(Terminal("terminal-9", deployment(data), show, PATIENCE_OF_CUSTOMERS))
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

        driver = InMemoryDriver(run, buy, shown)
        return (await certify(store, driver, lambda: _listening(store))).verdicts


OURS = {SORTER: _our_sorter, TERMINAL: _our_terminal}


@contextlib.asynccontextmanager
async def _stage(
    broker: Broker, name: str
) -> AsyncIterator[tuple[FakeStore[ObservingRelay], Callable[[Path], Deployment]]]:
    """A played store, and where a device of ours runs that connects to its relay."""
    site = f"certify-{next(_sites)}"
    async with open_fake_store(Endpoints(broker.url, broker.url_v311, site), name, TIMES) as store:
        options = broker.url.partition("?")[2]
        url = f"mqtt://127.0.0.1:{store.relay.port}?{options}"
        yield store, lambda data: Deployment(MqttConnector(url), site, data, BRISK)


class _SlowMachine(Machine):
    """Takes a moment to convey: a job can be aborted before it is packed."""

    def leave_one(self, _: str) -> None:
        """One piece of what is wanted lies wherever it does not usually."""
        self.finds_elsewhere[SKU] = 1

    def jam(self) -> None:
        """Jam at the next pick."""
        self.jams_at = "picking"

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
    environment = {"STOREBUS_RUNTIME__RETRY_FIRST": "0.75", "STOREBUS_RUNTIME__RETRY_LIMIT": "0.75"}
    assignments = " ".join(f"{name}={value}" for name, value in environment.items())
    start = (
        f"{assignments} {sys.executable} -P -m cli node ${{name}} --broker ${{url}} --speed inf"
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


async def test_what_cannot_be_certified_is_told_in_a_sentence() -> None:
    cases = (
        (("kiosk-1",), 2, "Name the device"),
        ((), 2, "Name the device"),
        (("sorter-9", "--command", "true"), 2, "--command is for terminals"),
        (("terminal-9", "--fault-command", "true"), 2, "are for sorters"),
        (("sorter-9", "--report", "report.pdf"), 2, ".md, .html or .json"),
        (("sorter-9", "--broker", f"mqtt://127.0.0.1:{free_port()}"), 3, "No broker"),
        (("sorter-9", "--start", "echo out of paper", "--patience", "0.5"), 1, "out of paper"),
        (
            ("sorter-9", "--start", "echo no paper; exit 3"), 1,
            "did not connect: the command that starts it ended with code 3. The commands printed",
        ),
        (
            ("sorter-9", "--start", "echo {name} {url}; false"), 1,
            "{name} is now written ${name}; the next version will not read the old form.",
        ),
    )  # fmt: skip
    ended = await asyncio.gather(*(storebus("certify", *words) for words, _, _ in cases))
    assert "printed: sorter-9 mqtt://127.0.0.1:" in ended[-1][2]
    for (_, code, sentence), (found, _, err) in zip(cases, ended, strict=True):
        assert (found, sentence in err) == (code, True), err
    code, out, _ = await storebus("certify", "--rules")
    assert (code, out.strip()) == (0, checklist().strip())
