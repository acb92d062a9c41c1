"""Clocks of hosts are wrong, and are set: nothing that waits heeds them, and people are told."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from bad_messages import message, purchase
from raw_client import RawClient
from running_store import FAST, PATIENCE, STOCK, FaultyBroker, Store, Transport, eventually

from bus.contract.errors import Refused
from bus.contract.every import PING
from bus.contract.settlement import COLLECT, DEPOSIT, ORDER, Collect, Deposit, OrderQuery
from bus.contract.timestamp import milliseconds, rfc3339
from bus.contract.values import Empty, Model, Money
from bus.contract.warehouse import RECEIVE, Receive
from bus.link import Connector, Outgoing, Subscription
from bus.runtime.caller import Caller
from bus.runtime.environment import Environment
from nodes.settlement.settings import SettlementSettings
from nodes.warehouse.settings import WarehouseSettings

SECOND, DAY = 1_000, 86_400_000
WRONG = [-70 * SECOND, 3 * DAY, -3 * DAY]
SLOW_LOOK = 0.05
"""Seconds between two looks at the clocks, in these tests."""

PAUSE = WarehouseSettings(fault_pause=0.5)


class HostClock(Environment):
    """The clocks of a host whose wall clock somebody sets; `wrong` is by node, in milliseconds."""

    def __init__(self, wrong: dict[str, int], name: str) -> None:
        super().__init__()
        self._wrong, self._name = wrong, name

    def now(self) -> int:
        """What the wall clock says."""
        return super().now() + self._wrong.get(self._name, 0)


class Clocked(Store):
    """A store of which each node is on a host of its own."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.wrong: dict[str, int] = {}
        self._here = self.deployment

    def _build(self, name: str) -> Callable[[], Any]:
        self.deployment = replace(self._here, environment=lambda: HostClock(self.wrong, name))
        return super()._build(name)

    def set_clocks(self, wrong: int) -> None:
        """Set the clocks of all hosts of the store itself; the devices' stay."""
        for role in ("catalog", "settlement", "warehouse"):
            self.wrong[role] = wrong

    async def asks(self, wrong: int, operation: Any, callee: str, data: Model, **more: Any) -> Any:
        """Ask as a tester whose host's clock is wrong."""
        clock = HostClock({"tester-2": wrong}, "tester-2")
        caller = Caller(self.deployment.connector, self.site, "tester-2", environment=clock)
        async with caller.connected():
            return await caller.ask(operation, callee, data, **more)


@asynccontextmanager
async def clocked(
    connector: Connector, data: Path, site: str = "main", *, wrong: dict[str, int] | None = None,
    patience: SettlementSettings | None = None,
) -> AsyncIterator[Clocked]:  # fmt: skip
    """A store that is open for business."""
    store = Clocked(connector, data, site, FAST, (patience, None))
    store.wrong |= wrong or {}
    try:
        await store.start("catalog", "settlement", "warehouse", "sorter-1", "terminal-1")
        async with store.tester.connected():
            await store.seed()
            await store.quiet()
            yield store
    finally:
        await store.stop()


def read(payload: bytes) -> Any:
    """A message as JSON."""
    return json.loads(payload)


async def alarms(store: Store, node: str, found: Callable[[dict[str, Any]], Any]) -> Any:
    """Listen to the alarms of a node, by kind, until something is found among them."""
    topic = store.topics.state(node, "alarms")
    async with (
        asyncio.timeout(PATIENCE),
        store.deployment.connector.connect(f"{store.site}-listener") as link,
    ):
        await link.subscribe([Subscription(topic, 1)])
        while True:
            for message in await link.receive():
                shown = read(message.payload)["data"]["alarms"]
                if result := found({alarm["kind"]: alarm for alarm in shown}):
                    return result


async def alarmed(store: Store, node: str, kind: str) -> dict[str, Any]:
    """An alarm of a node, as soon as it shows it."""
    alarm: dict[str, Any] = await alarms(store, node, lambda kinds: kinds.get(kind))
    return alarm


async def no_alarm(store: Store, node: str) -> None:
    """Wait until a node shows that nothing is wrong."""
    await alarms(store, node, lambda kinds: not kinds)


@pytest.fixture(autouse=True)
def looking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nodes look at their clocks more often than usual."""
    monkeypatch.setattr("bus.runtime.clock_watch._LOOK", SLOW_LOOK)


# -- a host whose clock is wrong ------------------------------------------------------------------


@pytest.mark.parametrize("wrong", WRONG)
async def test_a_terminal_sells_whatever_its_clock_says(
    transport: Transport, site: str, tmp_path: Path, wrong: int
) -> None:
    async with clocked(transport.connector, tmp_path, site, wrong={"terminal-1": wrong}) as store:
        receipt = await store.buy({"MUG": 1})
        assert (await store.reminded(receipt.order)).order == receipt.order
        assert store.nodes["settlement"].counts["refused"] == 0


async def test_a_terminal_that_was_started_anew_asks_what_time_it_is_before_it_goes_on(
    tmp_path: Path,
) -> None:
    broker = FaultyBroker()
    async with clocked(broker, tmp_path, wrong={"terminal-1": 3 * DAY}) as store:
        terminal = store.terminals["terminal-1"]
        purchase = store.purchase({"MUG": 1}, await terminal.styles(["MUG"]))
        broker.lose("req/terminal-1/settlement", 1_000)
        bought = await terminal.begin(purchase)
        await eventually(lambda: broker.lost, "a purchase that was lost")
        await store.crash("terminal-1")
        broker.lose("req/terminal-1/settlement", 0)
        broker.lose("req/terminal-1/settlement/ping", 2)
        await store.start("terminal-1")
        outcome = await store.terminals["terminal-1"].outcome(bought)
        assert outcome.state == "settled"
        asked = broker.sent("req/terminal-1/settlement/purchase")
        for message in asked:
            said = read(message.payload)
            left = milliseconds(said["expirytime"]) - Environment().now()
            assert 0 < left <= 60 * SECOND, "in the store's time, not in the terminal's"
            assert 0 < said["expiresin"] <= 60


@pytest.mark.parametrize("wrong", [-45 * SECOND, *WRONG])
async def test_a_tool_brings_goods_in_whatever_its_clock_says(
    transport: Transport, site: str, tmp_path: Path, wrong: int
) -> None:
    async with clocked(transport.connector, tmp_path, site) as store:
        goods = Receive(sku="MUG", location="A-01-1", quantity=1)
        for _ in range(2):
            level = await store.asks(wrong, RECEIVE, "warehouse", goods, identifier="delivery-1")
            assert level.quantity == STOCK["MUG"] + 1
        deposit = Deposit(account="C-7", name="Eve", amount=Money(amount=100, currency="EUR"))
        assert (await store.asks(wrong, DEPOSIT, "settlement", deposit)).balance == 100


async def test_who_has_a_wrong_clock_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with clocked(FaultyBroker(), tmp_path, wrong={"terminal-1": -70 * SECOND}) as store:
        await store.terminals["terminal-1"].styles(["MUG"])
        alarm = await alarmed(store, "terminal-1", "clock-wrong")
        assert alarm["seconds"] == -70
        assert "70 s behind the store's" in alarm["detail"]
        assert "terminal-1: The clock of this host is 70 s behind the store's." in caplog.text
        await store.asks(3 * DAY, PING, "settlement", Empty())
        assert "tester-2: The clock of this host is 3 days ahead of the store's." in caplog.text
        store.wrong["terminal-1"] = 0
        await no_alarm(store, "terminal-1")


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("how", ["expirytime", "expiresin", "no deadline"])
async def test_what_expired_by_a_wrong_clock_is_carried_out_under_its_id_when_that_is_set_right(
    raw: RawClient, how: str
) -> None:
    refused = message(
        "slow", purchase(), time="2020-02-02T20:19:20Z", expirytime="2020-02-02T20:20:20Z"
    )
    reply = await raw.request("settlement", "purchase", refused)
    assert (reply.data["status"], reply.data["retryable"]) == (410, False)
    now = milliseconds(reply.data["now"])
    behind = milliseconds("2020-02-02T20:19:20Z") - now
    assert reply.data["skew"] == behind / 1000
    assert f"{-behind / 1000:g} s behind the clock here" in reply.data["detail"]
    mended = {"expirytime": rfc3339(now + 60_000), "expiresin": 60}
    good = message("slow", purchase(), **({how: mended[how]} if how in mended else {}))
    receipt = await raw.request("settlement", "purchase", good)
    assert receipt.data["state"] == "settled"
    again = await raw.request("settlement", "purchase", refused)
    assert again.payload == receipt.payload, "what was begun in time is answered, ever after"


@pytest.mark.parametrize("wrong", [3 * DAY, -3 * DAY])
async def test_a_device_judges_what_it_is_asked_by_the_stores_time(
    tmp_path: Path, wrong: int
) -> None:
    async with clocked(FaultyBroker(), tmp_path, wrong={"terminal-1": wrong}) as store:
        await store.terminals["terminal-1"].styles(["MUG"])  # so it has heard the time
        now = Environment().now()
        for left, answer in ((60, {"shown": True}), (-60, {"code": "expired"})):
            reply = await told_to_remind(store, f"o-{wrong}-{left}", now + left * SECOND)
            assert reply.items() >= answer.items()


async def told_to_remind(store: Store, order: str, deadline: int) -> dict[str, Any]:
    """What terminal-1 answers to a reminder with a deadline."""
    reminder = {"order": order, "pickup_point": "north", "pickup_point_name": "North door"}
    document = {"id": order, "data": {**reminder, "pickup_code": "482913"}}
    document["expirytime"] = rfc3339(deadline)
    request = store.topics.request("settlement", "terminal-1", "remind")
    async with (
        asyncio.timeout(PATIENCE),
        store.deployment.connector.connect(f"{store.site}-reminding") as link,
    ):
        topic = store.topics.reply("settlement", "terminal-1", "remind")
        await link.subscribe([Subscription(topic, 1)])
        link.send(Outgoing(request, json.dumps(document).encode(), qos=1))
        (reply,) = await link.receive()
        data: dict[str, Any] = read(reply.payload)["data"]
        return data


# -- the store's clock is set ---------------------------------------------------------------------


async def test_the_clock_is_set_forward_by_three_days_and_no_parcel_expires(
    transport: Transport, site: str, tmp_path: Path
) -> None:
    patience = SettlementSettings(remind_again=0.3, expire_after=48 * 3600)
    async with clocked(transport.connector, tmp_path, site, patience=patience) as store:
        receipt = await store.buy({"MUG": 1})
        await store.reminded(receipt.order)
        store.set_clocks(3 * DAY)
        await eventually(lambda: len(store.reminders) > 2, "the next reminders")
        shown = await store.ask(ORDER, "settlement", OrderQuery(order=receipt.order))
        assert shown.state == "reminded"
        await store.crash("settlement")
        await store.start("settlement")
        reminded = len(store.reminders)
        await eventually(lambda: len(store.reminders) > reminded, "a reminder after the restart")
        assert (await store.collect(receipt.pickup_code)).state == "collected"


async def test_the_clock_is_set_back_by_a_day_and_reminders_and_expiries_come_all_the_same(
    transport: Transport, site: str, tmp_path: Path
) -> None:
    patience = SettlementSettings(remind_again=0.3, expire_after=1.5)
    async with clocked(transport.connector, tmp_path, site, patience=patience) as store:
        receipt = await store.buy({"MUG": 1})
        await store.reminded(receipt.order)
        store.set_clocks(-DAY)
        await eventually(lambda: len(store.reminders) > 1, "the next reminder")
        order = OrderQuery(order=receipt.order)

        async def state() -> str:
            return str((await store.ask(ORDER, "settlement", order)).state)

        while (now := await state()) not in ("expiring", "expired"):
            assert now in ("ready", "reminded")
        history = (await store.ask(ORDER, "settlement", order)).history
        times = [milliseconds(change.at) for change in history]
        assert times == sorted(times), "a history never goes back"


async def test_a_purchase_under_way_survives_that_the_stores_clock_is_set(tmp_path: Path) -> None:
    broker = FaultyBroker()
    async with clocked(broker, tmp_path) as store:
        await store.buy({"MUG": 1})  # the terminal knows the store's time
        for wrong in (3 * DAY, -3 * DAY, 0):
            store.set_clocks(wrong)
            assert (await store.buy({"MUG": 1})).state == "settled"
        codes = [read(each.payload)["data"].get("code") for each in broker.sent("rep/terminal-1")]
        assert set(codes) <= {None, "expired"}, "who was told the time asked again at once"


async def test_an_answer_is_not_forgotten_before_its_time_though_the_clock_was_set(
    tmp_path: Path,
) -> None:
    broker = FaultyBroker()
    async with clocked(broker, tmp_path) as store:
        goods = Receive(sku="MUG", location="A-01-1", quantity=1)
        await store.asks(0, RECEIVE, "warehouse", goods, identifier="once")
        store.set_clocks(30 * DAY)
        for number in range(5):  # each of them forgets two that are too old
            await store.asks(0, RECEIVE, "warehouse", goods, identifier=f"more-{number}")
        level = await store.asks(0, RECEIVE, "warehouse", goods, identifier="once")
        assert level.quantity == STOCK["MUG"] + 1, "the answer of then"


@pytest.mark.parametrize("wrong", [DAY, -DAY])
async def test_who_guesses_codes_stays_locked_for_a_minute_whatever_the_clock_says(
    tmp_path: Path, wrong: int
) -> None:
    patience = SettlementSettings(wrong_codes=2, code_lock=60)
    async with clocked(FaultyBroker(), tmp_path, patience=patience) as store:
        for code in ("000000", "000001"):
            with pytest.raises(Refused) as refused:
                await store.ask_as("terminal-9", COLLECT, "settlement", Collect(code=code))
        store.set_clocks(wrong)
        with pytest.raises(Refused) as refused:
            await store.ask_as("terminal-9", COLLECT, "settlement", Collect(code="000002"))
        problem = refused.value.to_data()
        assert problem.code == "too-many-tries"
        assert 0 < problem.model_dump()["retryAfter"] <= 60


async def test_a_sorter_that_was_paused_gets_jobs_again_though_the_clock_was_set_back(
    tmp_path: Path,
) -> None:
    store = Clocked(FaultyBroker(), tmp_path, "main", FAST, (None, PAUSE))
    try:
        await store.start("catalog", "settlement", "warehouse", "sorter-1", "terminal-1")
        async with store.tester.connected():
            await store.seed()
            store.machine.jams_at = "picking"
            receipt = await store.buy({"MUG": 1})
            await eventually(
                lambda: store.rows("warehouse", "SELECT 1 FROM paused_sorter"), "a pause"
            )
            store.set_clocks(-DAY)
            await store.reminded(receipt.order)
    finally:
        await store.stop()


async def test_a_step_is_told_in_the_log_and_as_an_alarm_of_each_node_until_it_is_undone(
    transport: Transport, site: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with clocked(transport.connector, tmp_path, site) as store:
        store.set_clocks(3 * DAY)
        for node in ("catalog", "warehouse"):
            alarm = await alarmed(store, node, "clock-step")
            assert alarm["seconds"] == 3 * DAY // 1000
            assert "was set 3 days forward" in alarm["detail"]
            assert f"{node}: The clock of this host was set 3 days forward." in caplog.text
        store.set_clocks(0)
        await no_alarm(store, "catalog")
        assert "was set 3 days back" in caplog.text


async def test_a_step_while_a_node_was_off_is_told_when_it_starts(tmp_path: Path) -> None:
    async with clocked(FaultyBroker(), tmp_path) as store:
        await store.stop("catalog")
        store.wrong["catalog"] = -DAY
        await store.start("catalog")
        assert (await alarmed(store, "catalog", "clock-step"))["seconds"] == -DAY // 1000
