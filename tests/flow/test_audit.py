"""Scenario: a day's files and messages are audited; then somebody tampers with them."""

import asyncio
import json
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from audited_day import BY_HAND, Day, live, recording, until
from judge import faults, sent_by
from raw_client import raw_over_mqtt
from store_process import StorebusHere, running_store_process
from tampering import TAMPERINGS, Tampering

from audit import INVARIANTS, audit, findings
from bus.contract.errors import ConfigurationError, JournalError
from bus.history.recording import Connected, Recorded, read_recording


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Day:
    """A day that was lived once: each test gets a copy."""
    return asyncio.run(live(tmp_path_factory.mktemp("audited") / "day"))


@pytest.fixture
def day(recorded: Day, tmp_path: Path) -> Iterator[Day]:
    """Files to be tampered with."""
    copy = recorded.copy(tmp_path / "day")
    yield copy
    shutil.rmtree(tmp_path / "day", ignore_errors=True)


def test_every_invariant_holds_and_was_looked_at(day: Day) -> None:
    before = {path: path.read_bytes() for folder in day.folders for path in folder.iterdir()}
    tally = audit(day.folders, history=[day.history])
    assert tally.findings == []
    assert all(tally.checked[invariant] for invariant in INVARIANTS)
    assert [note for note in tally.notes if "terminal-9" in note]
    # an audit leaves nothing behind
    after = {path: path.read_bytes() for folder in day.folders for path in folder.iterdir()}
    assert after == before


@pytest.mark.parametrize(
    ("invariant", "tamper"),
    [pytest.param(name, tamper, id=f"{name}: {what}") for name, what, tamper in TAMPERINGS],
)
def test_every_invariant_notices(day: Day, invariant: str, tamper: Tampering) -> None:
    assert findings(day.folders, history=[day.history]) == []
    tamper(day)
    found = audit(day.folders, history=[day.history]).findings  # not merely waited for
    assert [text for text in map(str, found) if text.startswith(f"{invariant}: ")], found


def test_each_invariant_is_tampered_with_in_two_ways_at_least() -> None:
    tampered = [invariant for invariant, _, _ in TAMPERINGS]
    assert {name for name in INVARIANTS if tampered.count(name) < 2} == set()


@pytest.mark.parametrize(
    ("unheard", "sentence"),
    [
        ("req/sorter-1/warehouse/packed", "I6: .* was to remind of .* before it was packed"),
        ("req/console-1/settlement/cancel", "I1: .* is cancelled, but nobody has cancelled it"),
    ],
)
def test_silence_proves_something_only_where_all_was_heard(
    day: Day, unheard: str, sentence: str
) -> None:
    lines = day.history.read_text().splitlines(keepends=True)
    kept = [line for line in lines if unheard not in line]
    assert len(kept) < len(lines)
    day.history.write_text("".join(kept))
    found = findings(day.folders, history=[day.history])
    assert [text for text in map(str, found) if re.match(sentence, text)], found

    again = {"at": json.loads(kept[-1])["at"], "ms": json.loads(kept[-1])["ms"], "connected": True}
    day.history.write_text("".join([*kept, json.dumps(again) + "\n"]))
    assert findings(day.folders, history=[day.history]) == []


def test_a_history_in_several_files_is_one(day: Day, tmp_path: Path) -> None:
    lines = day.history.read_text().splitlines(keepends=True)
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    first.write_text("".join(lines[: len(lines) // 2]))
    second.write_text("".join(lines[len(lines) // 2 :]))
    whole = audit(day.folders, history=[day.history])
    halves = audit(day.folders, history=[second, first])
    assert (halves.findings, halves.checked) == ([], whole.checked)


def test_all_that_the_store_and_its_devices_said_is_as_it_is_published(recorded: Day) -> None:
    entries = read_recording(recorded.history)
    heard = [each.message for each in entries if isinstance(each, Recorded)]
    ours = [message for message in heard if not sent_by(BY_HAND, message)]
    assert len(ours) > 100
    assert not [f"{message.topic}: {fault}" for message in ours for fault in faults(message)]


def test_the_command_prints_a_table_and_ends_with_0_or_1(
    day: Day, storebus_here: StorebusHere
) -> None:
    arguments = ("audit", *day.folders, "--history", day.history)
    code, out, err = storebus_here(*arguments)
    assert code == 0, err
    assert out.count(" ok ") == len(INVARIANTS)
    assert "terminal-9" in out

    with closing(sqlite3.connect(day.data / "catalog.db")) as catalog, catalog:
        catalog.execute("UPDATE style SET on_hand = on_hand + 1 WHERE sku = 'OXF-BLU-M'")
    code, out, _ = storebus_here(*arguments)
    assert code == 1
    assert "I3: OXF-BLU-M: " in out
    code, out, _ = storebus_here(*arguments, "--json")
    assert code == 1
    told = json.loads(out)
    assert told["holds"] is False
    assert {finding["invariant"] for finding in told["findings"]} == {"I3"}
    broken = {each["invariant"]: each["broken"] for each in told["invariants"]}
    assert broken["I3"] == len(told["findings"])


def test_what_cannot_be_audited_is_told_in_a_sentence(
    day: Day, tmp_path: Path, storebus_here: StorebusHere
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    history = tmp_path / "broken.jsonl"
    history.write_text("hello\n")
    newer = day.copy(tmp_path / "newer")
    with closing(sqlite3.connect(newer.data / "catalog.db")) as catalog, catalog:
        catalog.execute("INSERT INTO migration VALUES ('nodes.catalog', 99, 'later')")
    damaged = day.copy(tmp_path / "damaged")
    (damaged.data / "warehouse.db").write_bytes(b"no database, but long enough to look at" * 9)
    torn = day.copy(tmp_path / "torn")
    (torn.data / "acquirer.jsonl").write_text("hello\n")
    senseless = day.copy(tmp_path / "senseless")
    with closing(sqlite3.connect(senseless.data / "settlement.db")) as settlement, settlement:
        settlement.execute("UPDATE orders SET missing = '[7]'")
    for arguments, expected, words in (
        ((empty,), 2, "no catalog.db"),
        ((tmp_path / "nowhere",), 2, "no folder"),
        ((day.data, newer.data), 2, "two stores"),
        ((newer.data,), 1, "newer Storebus"),
        ((damaged.data,), 1, "warehouse.db"),
        ((damaged.data, "--open"), 1, "warehouse.db"),
        ((torn.data,), 1, "acquirer.jsonl is damaged"),
        ((senseless.data,), 1, "makes no sense"),
        ((day.data, "--history", history), 2, "line 1 is not a message"),
        ((day.data, "--history", tmp_path / "none"), 2, "No such file"),
    ):
        code, out, err = storebus_here("audit", *arguments)
        assert (code, out) == (expected, ""), err
        assert words in err


def test_the_folder_may_be_given_as_all_other_commands_take_it(
    day: Day, storebus_here: StorebusHere
) -> None:
    first, *others = day.folders
    told = storebus_here("audit", *day.folders, "--json")
    assert storebus_here("audit", "--data", first, *others, "--json") == told
    assert storebus_here("audit", *others, "--data", first, "--json") == told


def test_an_audit_of_half_a_store_or_an_older_one_is_refused(day: Day) -> None:
    with pytest.raises(ConfigurationError, match=r"no catalog\.db"):
        findings([day.elsewhere])
    with closing(sqlite3.connect(day.data / "warehouse.db")) as warehouse, warehouse:
        warehouse.execute("DELETE FROM migration WHERE package = 'nodes.warehouse'")
    with pytest.raises(JournalError, match="older Storebus"):
        findings(day.folders)


async def test_a_recorder_connects_again_and_says_where_messages_may_be_missing(
    tmp_path: Path,
) -> None:
    history = tmp_path / "history.jsonl"
    async with running_store_process(tmp_path / "data") as store:
        recorder = await recording(store, history)
        await store.stop()
        await store.start()
        await until(recorder, "Recording")
        async with raw_over_mqtt(store.url, "main", "terminal-9") as raw:
            await raw.publish(raw.topics.request("terminal-9", "catalog", "lookup"), b"\xff\x00")
            await raw.expect(raw.topics.reply("terminal-9", "catalog", "lookup"))
        recorder.terminate()
        await recorder.communicate()
        assert recorder.returncode == 0
    entries = list(read_recording(history))
    assert sum(isinstance(entry, Connected) for entry in entries) == 2
    messages = [entry.message for entry in entries if not isinstance(entry, Connected)]
    (strange,) = [each for each in messages if each.payload == b"\xff\x00"]
    assert strange.topic.endswith("req/terminal-9/catalog/lookup")
    states = [each for each in messages if each.topic.endswith("state/catalog/presence")]
    assert states
    if store.engine == "mosquitto":  # the embedded broker passes on neither
        assert strange.qos == 1
        assert all(each.retain for each in states)
