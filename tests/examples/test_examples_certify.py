"""The examples keep the rules that `storebus certify` tries: what is copied from them is right."""

import asyncio
import re
import shlex
import shutil
import signal
from dataclasses import replace
from pathlib import Path

import pytest
from device_process import MQTT_JS, SORTER, TERMINALS, Example
from store_process import free_port

from broker.engine import running_broker
from broker.settings import BrokerSettings
from testing.certify.certification import Endpoints, certify, open_fake_store
from testing.certify.device_driver import CommandDriver, Commands
from testing.certify.fake_store import Timeouts
from testing.certify.fixtures import LABEL
from testing.certify.verdicts import RuleVerdict

EXAMPLES = (SORTER, *TERMINALS)
TIMES = Timeouts(patience=20.0, settle=1.0)
TRIES = 2
"""What is not to happen is waited for so long and no longer: a busy computer may be too slow."""
SPARSE = {"C3"}
"""Advice that none of them keeps: an id and the data are enough, and they show that."""
UNKEPT = {
    "micropython": {"C13", "C15", "C17", "C21"},  # it has no clock, and less than 150 lines
    "mosquitto-pub-sub": {"C13", "C15", "C21"},  # each takes some more lines of shell
    "mosquitto-rr": {"C13", "C15", "C21"},
}
"""Further advice that an example does not keep, as its README says; a must is kept by all."""


@pytest.fixture(scope="module", autouse=True)
def judge() -> None:
    """Nobody judges here: certify says wrong things on purpose."""


class Customer(CommandDriver):
    """Starts a terminal anew with the code of what is to be bought, as the examples take it."""

    async def buy(self) -> None:
        """One process at a time is the terminal."""
        assert self._commands.buy is not None
        await self._end(self._device, signal.SIGTERM)
        self._device = await self._spawn(self._commands.buy)


HURRIED = re.compile(r"(?<=\+ |s=)60(?=[),]| seconds|000\))")
"""The seconds for which a customer waits, as the examples spell them."""


def hurried(example: Example, folder: Path) -> Example:
    """A copy of a terminal whose customers wait for six seconds: certify sees them leave."""
    if example == SORTER:
        return example
    copy = folder / "hurried"
    shutil.copytree(example.script.parent, copy, ignore=shutil.ignore_patterns(".*", "node_m*"))
    if (modules := example.script.parent / "node_modules").exists():
        (copy / modules.name).symlink_to(modules)
    found = 0
    for file in copy.iterdir():
        if file.suffix in (".py", ".sh", ".js"):
            text, count = HURRIED.subn("6", file.read_text())
            file.write_text(text)
            found += count
    assert found == 1, example.folder
    return replace(example, copied_to=copy)


async def _verdicts(example: Example, folder: Path) -> list[RuleVerdict]:
    """What certify says of it; each has a broker of its own, for all of them are of one site."""
    name = "sorter-9" if example == SORTER else "terminal-9"
    settings = BrokerSettings(engine="mosquitto", host="127.0.0.1", port=free_port())
    async with (
        asyncio.timeout(300),
        running_broker(settings, folder) as broker,
        open_fake_store(Endpoints(broker.url, broker.url_v311, "main"), name, TIMES) as store,
    ):
        # MQTT.js speaks WebSocket and TCP in the same way; certify listens on TCP.
        port = str(store.relay.port)
        address = (f"mqtt://127.0.0.1:{port}",) if example == MQTT_JS else ("127.0.0.1", port)
        words = shlex.join((*hurried(example, folder).command, *address, name))
        start = f"cd {shlex.quote(str(folder))} && PYTHONUNBUFFERED=1 exec {words}"
        if example == SORTER:
            start += " 0.2"
        machine = shlex.quote(str(folder / "machine.json"))
        commands = Commands(
            start, buy=f"{start} {LABEL}",
            short=f"""echo '{{"short": "'{{location}}'"}}' > {machine}""",
            fault=f"""echo '{{"jam": ""}}' > {machine}""",
        )  # fmt: skip
        driver = Customer(commands, {}, print, has_person=False)

        async def ready() -> None:
            assert await store.until(lambda: store.relay.listening or None), driver.output

        return (await certify(store, driver, ready)).verdicts


async def _tried(example: Example, tmp_path_factory: pytest.TempPathFactory) -> list[RuleVerdict]:
    for _ in range(TRIES):
        verdicts = await _verdicts(example, tmp_path_factory.mktemp(example.folder))
        if not any(each.rule.is_must for each in verdicts if each.outcome == "broken"):
            break
    return verdicts


def _said(verdicts: list[RuleVerdict], outcome: str) -> dict[str, object]:
    return {
        each.rule.id: [violation.sentence for violation in each.violations] or each.reason
        for each in verdicts
        if each.outcome == outcome
    }


@pytest.mark.needs("mosquitto")
async def test_each_example_keeps_every_must_and_the_advice_that_it_says(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """One test for all: most of it is waiting, and they wait together."""
    there = [each for each in EXAMPLES if each.lacks() is None]
    tried = await asyncio.gather(*(_tried(each, tmp_path_factory) for each in there))
    for example, verdicts in zip(there, tried, strict=True):
        broken, untried = (_said(verdicts, which) for which in ("broken", "not tried"))
        allowed = SPARSE | UNKEPT.get(example.folder, set())
        wrong = {rule: why for rule, why in broken.items() if rule not in allowed}
        assert (wrong, untried) == ({}, {}), example.folder
