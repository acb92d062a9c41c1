"""Scenarios of a device's builder: certify says which rules a device keeps, and which it breaks."""

import asyncio
import contextlib
import itertools
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from little_device import LittleSorter, LittleTerminal
from store import FAST, Machine, RunBroker

from broker.engine import Broker, RunningEngine
from bus.contract.settlement import AccountPayment
from bus.link import MqttConnector
from bus.node import Node, Place
from cli.certify.book import Verdict
from cli.certify.rules import RULES, SORTER, TERMINAL, checklist, rules_of
from cli.certify.run import Where, certify, open_stage
from cli.certify.shelf import LABEL, SKU
from cli.certify.stage import Stage, Times
from devices.sorter.role import Sorter
from devices.terminal.role import Terminal

TIMES = Times(patience=6.0, settle=0.4, ask_again=1.0)
AT_ONCE = 16
"""Devices that are tried at the same time."""
DOCS = Path(__file__).parents[2] / "docs"
_sites = itertools.count(1)


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
        await self._end(self._running.pop(0))
        await self.start()

    async def buy(self) -> None:
        """A customer comes."""
        assert self._buy is not None
        self._running.append(asyncio.ensure_future(self._buy()))

    async def bought(self) -> None:
        """The customer goes."""
        while len(self._running) > 1:
            await self._end(self._running.pop())

    async def times_shown(self, text: str) -> int | None:
        """Count."""
        return self._shown.count(text)

    async def close(self) -> None:
        """End everything."""
        while self._running:
            await self._end(self._running.pop())

    async def _end(self, task: asyncio.Task[Any]) -> None:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


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
    assert await stage.until(lambda: stage.wire.listening or None)


CASES = [(kind, breaks) for kind in (SORTER, TERMINAL)
         for breaks in ("", *(rule.id for rule in rules_of(kind)))]  # fmt: skip


@pytest.fixture(scope="module")
def little(run_broker: RunBroker) -> dict[tuple[str, str], list[Verdict]]:
    """What certify says of each little device; they are tried together, for most of it is waiting."""
    broker = run_broker("mosquitto")

    async def every() -> dict[tuple[str, str], list[Verdict]]:
        places = asyncio.Semaphore(AT_ONCE)

        async def one(kind: str, breaks: str) -> list[Verdict]:
            async with places:
                return await _little(broker, kind, breaks)

        verdicts = await asyncio.gather(*(one(*case) for case in CASES))
        return dict(zip(CASES, verdicts, strict=True))

    return asyncio.run(every())


def _said(verdicts: list[Verdict], outcome: str) -> dict[str, Any]:
    return {
        each.rule.id: [finding.sentence for finding in each.findings] or each.reason
        for each in verdicts
        if each.outcome == outcome
    }


@pytest.mark.parametrize("kind", [SORTER, TERMINAL])
def test_a_device_that_keeps_every_rule_is_said_to(
    little: dict[tuple[str, str], list[Verdict]], kind: str
) -> None:
    verdicts = little[kind, ""]
    assert _said(verdicts, "broken") == {}
    assert _said(verdicts, "not tried") == {}


@pytest.mark.parametrize(("kind", "breaks"), [case for case in CASES if case[1]])
def test_a_device_that_breaks_one_rule_is_said_to_break_that_one(
    little: dict[tuple[str, str], list[Verdict]], kind: str, breaks: str
) -> None:
    assert list(_said(little[kind, breaks], "broken")) == [breaks], _said(
        little[kind, breaks], "broken"
    )
