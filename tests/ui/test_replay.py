"""An operator looks at a recording, makes one, and takes what was filtered along."""

import csv
import json
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from console_fixtures import heard_store, model, seen, shows, watching
from running_store import LABEL, FaultyBroker, eventually
from test_keys import type_in
from test_model_replay import START, write
from textual.pilot import Pilot

from bus.contract.catalog import LOOKUP, Lookup
from bus.history.archive import Archive
from bus.history.recording import Connected, Recorded, read_recording
from bus.link import Incoming, Outgoing
from tui.app import Console
from tui.model.export import export
from tui.model.player import Player


def looking_at(file: Path, language: str = "en") -> Console:
    """A console on a recording that is paused."""
    player = Player(Archive([file]), model, playing=False)
    return Console(player.model, lambda: player.at, language, player=player)


def settled(console: Console) -> bool:
    """Whether the model has come where the operator wants it."""
    player = console.context.player
    assert player is not None
    return not player.behind and console.context.model is player.model


@pytest.fixture
def day(tmp_path: Path) -> Path:
    """Seven and a half minutes, from 08:26:40."""
    return write(tmp_path / "day.jsonl")


async def test_a_recording_is_gone_through_with_the_keys(day: Path) -> None:
    console = looking_at(day)
    player = console.context.player
    assert player is not None
    async with console.run_test(size=(120, 30)) as pilot:
        await shows(pilot, "‖ paused  1×  2025-11-22 08:26:40")
        await pilot.press("]")
        await shows(pilot, "08:27:00")
        await shows(pilot, "0:00:20 / 0:07:30")
        await pilot.press("right_curly_bracket")
        await shows(pilot, "■ at the end")
        await shows(pilot, "✖ lost: terminal-3")
        await pilot.press("[")
        await shows(pilot, "08:34:00")
        await pilot.press("left_curly_bracket")
        await shows(pilot, "08:26:40")
        await eventually(lambda: "terminal-3" not in seen(console), "the morning")
        await pilot.press(">", ">", ">", ">", ">", ">", "<")
        await shows(pilot, "  50×  ")
        await pilot.press("P")
        await shows(pilot, "► plays")
        await eventually(lambda: player.at > START + 30_000, "half a minute")
        await pilot.press("P")
        await shows(pilot, "‖ paused")


async def test_a_time_is_gone_to_and_one_that_is_none_is_explained(day: Path) -> None:
    console = looking_at(day)
    async with console.run_test(size=(120, 30)) as pilot:
        await shows(pilot, "paused")
        await pilot.press("g")
        await type_in(pilot, "noon")
        await pilot.press("enter")
        await shows(pilot, "✖ noon is no time")
        await type_in(pilot, "08:30:10")
        await pilot.press("enter")
        await shows(pilot, "08:30:10")
        await eventually(lambda: settled(console), "the model of that time")
        assert console.context.model.history.heard == 106


async def test_the_traffic_is_that_of_the_time_also_on_the_way_back(day: Path) -> None:
    console = looking_at(day)
    async with console.run_test(size=(120, 30)) as pilot:
        await pilot.press("2", "f")
        await type_in(pilot, "op:purchase")
        await pilot.press("enter", "right_curly_bracket")
        await eventually(lambda: settled(console), "the end")
        late = len(console.context.view)
        await pilot.press("[", "[", "[")
        await eventually(lambda: settled(console), "minutes before")
        assert 0 < len(console.context.view) < late
        await shows(pilot, f"{len(console.context.view)} messages  of")


async def test_nothing_can_be_sent_from_a_recording(day: Path) -> None:
    console = looking_at(day)
    async with console.run_test(size=(120, 40)) as pilot:
        await pilot.press("right_curly_bracket", "3")
        await shows(pilot, "261.00 EUR")
        for key in ("X", "O", "C", "I", "ctrl+r"):
            await pilot.press(key)
            assert not console.screen.is_modal
        text = seen(console)
        assert "Cancel order" not in text
        assert "Go to" in text
        await pilot.press("5")
        assert "key x:" not in await shows(pilot, "a node is lost  warning")
        await pilot.press("X")
        assert not console.screen.is_modal
        await pilot.press("2", "end", "E")
        assert not console.screen.is_modal
        await pilot.press("question_mark")
        await shows(pilot, "To the beginning")
        assert "Resend" not in seen(console)
        offered = {command.title for command in console.get_system_commands(console.screen)}
        assert "Speed" not in offered  # of the window; the screen's own follow
        await pilot.press("escape")
        offered = {command.title for command in console.get_system_commands(console.screen)}
        assert {"Speed", "Minute", "Diff"} <= offered
        assert not {"Resend", "Send a request", "Record, or stop recording"} & offered


async def test_what_is_in_a_recording_is_found_and_nobody_is_asked_for_the_rest(day: Path) -> None:
    console = looking_at(day)
    async with console.run_test(size=(120, 40)) as pilot:
        await pilot.press("right_curly_bracket", "3")
        await shows(pilot, "261.00 EUR")
        await pilot.press("slash", *"o_9")
        text = await shows(pilot, "Nothing that was heard here contains o_9.")
        assert "settlement" not in text.rpartition("Nothing")[2]
        await pilot.press("enter", "ctrl+s")
        assert console.screen.is_modal
        await pilot.press(*["backspace"] * 3, *"terminal", "enter")
        await shows(pilot, "waits for sorter-2")


async def test_a_live_store_offers_no_player() -> None:
    console = watching(FaultyBroker())
    async with console.run_test(size=(120, 30)) as pilot:
        text = await shows(pilot, "console-1")
        assert "Go to" not in text
        await pilot.press("g", "]", ">")
        assert not console.screen.is_modal


async def test_a_key_records_and_a_recording_is_watched(tmp_path: Path) -> None:
    file = tmp_path / "mine.jsonl"
    async with heard_store(tmp_path / "data") as (store, broker):
        console = watching(broker)
        async with console.run_test(size=(120, 30), notifications=True) as pilot:
            await shows(pilot, "console-1")
            await pilot.press("ctrl+r")
            await shows(pilot, "Record every message from now on into which file?")
            await shows(pilot, "main-20")
            await type_in(pilot, str(tmp_path / "no" / "folder.jsonl"))
            await pilot.press("enter")
            await shows(pilot, "✖ cannot write the history")
            await type_in(pilot, str(file))
            await pilot.press("enter")
            await shows(pilot, "● recorded: ")
            recorder = console.context.recorder
            assert recorder is not None
            await eventually(lambda: recorder.messages > 3, "the states that are retained")
            receipt = await store.buy({"MUG": 1})
            await store.reminded(receipt.order)
            await pilot.press("ctrl+r")
            await shows(pilot, f"{recorder.messages} messages are in")
            assert "recorded:" not in seen(console)
    entries = list(read_recording(file))
    assert isinstance(entries[0], Connected)
    assert sum(isinstance(entry, Recorded) for entry in entries) == recorder.messages
    assert file.stat().st_mode & 0o777 == 0o600
    replayed = looking_at(file)
    async with replayed.run_test(size=(120, 30)) as pilot:
        await pilot.press("right_curly_bracket", "3")
        await shows(pilot, receipt.order)
        await pilot.press("enter")
        await shows(pilot, "waits for the customer to collect it")


async def test_a_console_that_is_closed_has_written_what_it_recorded(tmp_path: Path) -> None:
    file, broker = tmp_path / "mine.jsonl", FaultyBroker()
    console = watching(broker)
    async with console.run_test(size=(120, 30)) as pilot:
        await shows(pilot, "console-1")
        await pilot.press("ctrl+r")
        await type_in(pilot, str(file))
        await pilot.press("enter")
        await shows(pilot, "● recorded: ")
        broker.route(Outgoing("storebus/1/main/event/catalog/last", b'{"id":"1","data":{}}'))
        recorder = console.context.recorder
        assert recorder is not None
        await eventually(lambda: recorder.messages > 1, "the message")
    messages = [
        entry.message.topic for entry in read_recording(file) if isinstance(entry, Recorded)
    ]
    assert "storebus/1/main/event/catalog/last" in messages


async def test_a_disk_that_fills_up_ends_the_recording_and_not_the_console(tmp_path: Path) -> None:
    broker = FaultyBroker()
    console = watching(broker)
    async with console.run_test(size=(120, 30)) as pilot:
        await shows(pilot, "console-1")
        await pilot.press("ctrl+r")
        await type_in(pilot, "/dev/full")
        await pilot.press("enter")
        await shows(pilot, "✖ cannot write the history /dev/full")
        await type_in(pilot, str(tmp_path / "mine.jsonl"))
        limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (20, limits[1]))
        try:
            await pilot.press("enter")
            await shows(pilot, "✖ nothing is recorded any more")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        await pilot.press("2")
        assert console.current_mode == "traffic"
        await pilot.press("ctrl+r")
        await shows(pilot, "into which file?")


async def test_what_is_filtered_is_written_as_a_recording_and_as_a_table(
    tmp_path: Path,
) -> None:
    async with heard_store(tmp_path / "data") as (store, broker):
        console = watching(broker)
        async with console.run_test(size=(120, 30), notifications=True) as pilot:
            await shows(pilot, "console-1")
            await store.ask(LOOKUP, "catalog", Lookup(code=LABEL))
            await pilot.press("2", "f")
            await type_in(pilot, "op:lookup repeats:0")
            await pilot.press("enter")
            await shows(pilot, "2 messages")
            for name in ("lookups.jsonl", "lookups.csv"):
                await pilot.press("w")
                await type_in(pilot, str(tmp_path / name))
                await pilot.press("enter")
                await shows(pilot, "2 messages are in")
                assert not console.screen.is_modal
            await pilot.press("w")
            await type_in(pilot, str(tmp_path / "lookups.csv"))
            await pilot.press("enter")
            await shows(pilot, "there is already a file")
            kept = list(console.context.view._shown)
    entries = list(read_recording(tmp_path / "lookups.jsonl"))
    assert [(entry.at, entry.message.payload) for entry in entries] == [
        (message.at, message.payload) for message in kept
    ]
    with (tmp_path / "lookups.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    request, reply = rows
    assert list(request) == [
        "time", "kind", "from", "to", "operation", "order", "id", "size", "latency", "code",
    ]  # fmt: skip
    assert (request["kind"], request["from"], request["to"]) == ("req", kept[0].sender, "catalog")
    assert (reply["kind"], reply["latency"]) == ("rep", str(kept[1].latency))
    assert (tmp_path / "lookups.csv").stat().st_mode & 0o777 == 0o600


def test_a_table_makes_no_spreadsheet_calculate(tmp_path: Path) -> None:
    payload = json.dumps({"id": "=HYPERLINK(1)", "orderid": "@x", "data": {}}).encode()
    heard = [Incoming("storebus/1/main/req/terminal-1/catalog/lookup", payload)]
    export(model().take(START, heard), tmp_path / "x.csv")
    with (tmp_path / "x.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["id"] == "'=HYPERLINK(1)"
    assert row["order"] == "'@x"


@pytest.mark.parametrize(("size", "language"), [((80, 24), "zh"), ((200, 60), "en")])
def test_a_recording_as_it_is_shown(
    snap_compare: Callable[..., bool],
    day: Path,
    size: tuple[int, int],
    language: str,
) -> None:
    console = looking_at(day, language)

    async def look(pilot: Pilot[Any]) -> None:
        await pilot.press("right_curly_bracket", "[", "[", ">")
        await eventually(lambda: settled(console), "the model of that time")
        console.redraw()
        await pilot.pause()

    assert snap_compare(console, terminal_size=size, run_before=look)
