"""What was recorded goes on: an order of it becomes a scenario, and all of it is sent again."""

import asyncio
import json
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from running_store import RunBroker
from store_process import STOREBUS, StorebusHere, StoreProcess, storebus

from bus.history.archive import Archive
from bus.history.message import Message
from bus.history.recording import Recorded, Recording, read_recording
from bus.link import Incoming, MqttConnector, Outgoing, Subscription
from testing.scenario.from_recording import scenario_of_order
from testing.scenario.reading import read_scenarios
from testing.scenario.report import SilentReport
from testing.scenario.runner import simulate

in_one_loop = pytest.mark.asyncio(loop_scope="module")
DAY = Path(__file__).parents[1] / "ui" / "recorded.jsonl"
SCENARIOS = Path(__file__).parents[1] / "scenarios"


# -- an order becomes a scenario ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("order", "states", "left_out"),
    [
        ("o-fj6jx6raf3", "reserving, charging, settled, ready, reminded, collected", ""),
        ("o-4fmmjyzje4", "reserving, charging, settled, ready, reminded", ""),
        ("o-e213e459h7", "reserving, charging, declined", ""),
        ("o-8r90bn6060", "reserving, charging, settled, ready, reminded", ": 1 pick."),
        ("o-qb0r4vrcym", "reserving, charging, settled", ""),
    ],
)
def test_an_order_of_a_day_is_written_as_a_scenario_and_passes(
    storebus_here: StorebusHere, tmp_path: Path, order: str, states: str, left_out: str
) -> None:
    file = tmp_path / "order.yaml"
    making = ("play", "--from", DAY, "--order", order, "--write", file)
    code, out, err = storebus_here(*making)
    assert code == 0, out + err
    assert f"Written to {file}: " in out
    assert f"The order {order} goes as it was recorded: {states}\n" in out
    assert "1 scenarios: 1 passed" in out
    assert left_out in out
    assert file.read_text().startswith(f"# Made of the order {order} in recorded.jsonl.\n")
    code, _, err = storebus_here(*making)
    assert (code, f"{file} is there already" in err) == (2, True)


class _Ear(SilentReport):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.heard: list[Message] = []

    def message(self, fate: str, message: Message) -> None:
        """A message, or what became of it."""
        if not fate:
            self.heard.append(message)


def _recorded(name: str, folder: Path) -> tuple[Path, list[str]]:
    """What is said while a scenario is played, as a recording; and its orders."""
    (scenario,) = (each for each in read_scenarios([SCENARIOS]) if name in each.name)
    ear, file = _Ear(), folder / "told.jsonl"
    simulate(scenario, ear)
    orders = list(dict.fromkeys(each.order for each in ear.heard if each.order))
    with Recording(file) as recording:
        for each in ear.heard:
            recording.write(each.at, Incoming(each.topic, each.payload, each.retain))
            if each.name == "purchase":  # somebody says nonsense of every order
                root = each.topic.partition("/req/")[0].partition("/rep/")[0]
                for order in orders:
                    odd = {"id": "odd", "orderid": order, "data": {"lines": ["x"], "order": order}}
                    for place in ("event/settlement/order-changed", "req/a/catalog/reserve"):
                        line = Incoming(f"{root}/{place}", json.dumps(odd).encode())
                        recording.write(each.at, line)
    return file, orders


@pytest.mark.parametrize(
    "name",
    [
        "What nobody has is paid back",
        "An order of which nothing is found",
        "An order that is cancelled while it is conveyed",
        "Nobody cancels the order of another terminal",
        "exactly one of them gets it",
        "A price that has changed since the scan",
        "is reminded again after four hours",
    ],
)
def test_what_went_another_way_passes_too(tmp_path: Path, name: str) -> None:
    recording, orders = _recorded(name, tmp_path)
    assert orders
    for order in orders:
        file = tmp_path / f"{order}.yaml"
        file.write_text(scenario_of_order(Archive([recording]), None, order).to_yaml("a scenario"))
        for scenario in read_scenarios([file]):
            assert [result.failed for result in simulate(scenario, SilentReport())] == [None]


def test_what_cannot_become_a_scenario_is_told(storebus_here: StorebusHere, tmp_path: Path) -> None:
    late = tmp_path / "late.jsonl"
    lines = DAY.read_text().splitlines(keepends=True)
    begun = next(at for at, line in enumerate(lines) if "o-qb0r4vrcym" in line)
    late.write_text("".join(lines[begun:]))
    order = ("--order", "o-qb0r4vrcym")
    for words, said in (
        (("--from", DAY, "--order", "o-qb0r4vrcyn"), "did you mean o-qb0r4vrcym?"),
        (("--from", DAY, "--order", "7"), "The recording has no order 7, but 5 others."),
        (("--from", late, *order), "The purchase of o-qb0r4vrcym is not in the recording"),
        (("--from", DAY), "--from takes a recording and --order"),
        (order, "Give scenarios to play, or --from RECORDING --order ORDER."),
        (("--from", tmp_path / "none.jsonl", *order), "none.jsonl"),
    ):
        code, _, err = storebus_here("play", *words)
        assert code in (1, 2)
        assert said in err, err


# -- sent again -----------------------------------------------------------------------------------


@asynccontextmanager
async def _recording(store: StoreProcess, file: Path) -> AsyncIterator[None]:
    """All that is said within the block is in the file after it."""
    process = await asyncio.create_subprocess_exec(
        *STOREBUS, "record", str(file), "--data", str(store.data), stdout=PIPE
    )
    assert process.stdout is not None
    async with asyncio.timeout(30):
        await process.stdout.readline()
        yield
        process.terminate()
        await process.communicate()


def _told(file: Path) -> Iterator[Recorded]:
    yield from (each for each in read_recording(file) if isinstance(each, Recorded))


@in_one_loop
async def test_a_recorded_purchase_is_a_scenario_and_is_not_made_twice(
    store: StoreProcess, tmp_path: Path
) -> None:
    file, data = tmp_path / "day.jsonl", ("--data", str(store.data))
    async with _recording(store, file):
        code, out, err = await storebus(
            "buy", "terminal-7", "CAN-40=2", "--pay", "card:tok_approve", "--json", *data
        )
        assert code == 0, err
    order = json.JSONDecoder().raw_decode(out)[0]["order"]
    written = tmp_path / "order.yaml"
    code, out, err = await storebus(
        "play", "--from", str(file), "--order", order, "--write", str(written)
    )
    assert code == 0, out + err
    assert "cards: true" in written.read_text()

    code, _, err = await storebus("replay", str(file), "--speed", "inf", *data)
    assert code == 2
    assert "A store lives at" in err
    again = tmp_path / "again.jsonl"
    async with _recording(store, again):
        code, out, err = await storebus(
            "replay", str(file), "--speed", "inf", "--force",
            "--filter", "kind:req op:purchase", *data,
        )  # fmt: skip
        assert code == 0, err
        assert out.startswith("1 messages were sent to storebus/1/main at ")
    orders = {
        json.loads(each.message.payload)["data"]["order"]
        for each in _told(again)
        if "/rep/terminal-7/settlement/purchase" in each.message.topic
    }
    assert orders == {order}


async def test_a_day_is_said_again_on_a_broker_without_a_store(run_broker: RunBroker) -> None:
    url, site = run_broker("embedded").url, "said-again"
    told = list(_told(DAY))
    heard: list[Incoming] = []
    async with MqttConnector(url).connect("ear") as ear:
        await ear.subscribe([Subscription(f"storebus/1/{site}/#", 1)])
        replaying = asyncio.create_task(
            storebus("replay", str(DAY), "--speed", "inf", "--broker", url, "--site", site)
        )
        async with asyncio.timeout(60):
            while len(heard) < len(told):
                heard += [each for each in await ear.receive() if "tester-replay" not in each.topic]
        code, out, err = await replaying
        assert code == 0, err
        assert out.startswith(f"{len(told)} messages were sent to storebus/1/{site} at ")
        for each in heard:
            if each.retain or "/state/" in each.topic:
                ear.send(Outgoing(each.topic, b"", 1, retain=True))
        await ear.subscribe([Subscription("storebus/1/nobody/x", 1)])
    ids = [json.loads(each.message.payload)["id"] for each in told]
    assert [json.loads(each.payload)["id"] for each in heard] == ids
    deadlines = [
        (
            json.loads(before.message.payload).get("expirytime"),
            json.loads(after.payload).get("expirytime"),
        )
        for before, after in zip(told, heard, strict=True)
    ]
    assert all((before is None) == (after is None) for before, after in deadlines)
    assert all(after > before for before, after in deadlines if before is not None)


async def test_replay_keeps_its_pace(run_broker: RunBroker, tmp_path: Path) -> None:
    file = tmp_path / "slow.jsonl"
    with Recording(file) as recording:
        for at in (0, 3_600_000, 3_600_400):
            recording.write(at, Incoming("storebus/1/slow/event/odd-1/x", b"{}"))
    url = run_broker("embedded").url
    heard: list[float] = []
    async with MqttConnector(url).connect("pace-ear") as ear:
        await ear.subscribe([Subscription("storebus/1/slow/event/#")])
        replaying = asyncio.create_task(
            storebus(
                "replay", str(file), "--speed", "2", "--pause", "0.3",
                "--broker", url, "--site", "slow",
            )
        )  # fmt: skip
        async with asyncio.timeout(60):
            while len(heard) < 3:
                heard += [asyncio.get_running_loop().time() for _ in await ear.receive()]
        code, out, err = await replaying
    assert code == 0, err
    assert out.startswith("3 messages were sent")
    assert heard[2] - heard[0] > 0.4  # 0.3 s of the hour, and 0.2 s of the rest
