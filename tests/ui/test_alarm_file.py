"""Alarms outlive their console: what held, what was, who had seen it, and what is silent."""

import asyncio
import json
import stat
from pathlib import Path

import pytest
from console_fixtures import START, model, shows, watching
from running_store import FaultyBroker
from store_builder import StoreBuilder

from bus.link import Incoming
from bus.text.sentence import Sentence
from bus.text.texts import Texts
from tui.alarm_file import AlarmFile
from tui.model.alarm_list import GRACE, AlarmList
from tui.model.store import StoreModel

MINUTE = 60_000


def presence(store: StoreModel, name: str, status: str, at: int) -> None:
    StoreBuilder(store, at).node(name, status=status)


def lost(name: str) -> Sentence:
    return Sentence("{node} is lost", node=name)


def known() -> AlarmList:
    """What a console knew at its end."""
    alarms = AlarmList()
    for name in ("terminal-1", "terminal-2", "terminal-3"):
        alarms.raise_("lost", name, lost(name), START)
    alarms.raise_("dead-letter", "o-1", Sentence("refused for good"), START, 7)
    alarms.raise_("low-stock", "MUG", Sentence("{sku}: {count} left", count=2, sku="MUG"), START)
    alarms.raise_(
        "refund-refused", "o-2", Sentence("{words}", words="no"), START, source="settlement"
    )
    alarms.raise_("foreign", "topics", Sentence("a message on {topic}", topic="x/odd"), START, 1)
    found = {alarm.subject: alarm for alarm in alarms.current()}
    alarms.acknowledge(found["terminal-1"])
    alarms.dismiss(found["terminal-2"])
    alarms.silence("lost", "terminal-3", START + MINUTE)
    alarms.silence("low-stock", None, None)
    alarms.end("foreign", "topics", START + 5)
    return alarms


async def again(path: Path) -> StoreModel:
    """Another console, later."""
    store, kept = model(), AlarmFile(path)
    kept.load(store.alarms)
    await kept.close(store.alarms)
    return store


@pytest.fixture
async def file(tmp_path: Path) -> Path:
    path = tmp_path / "state" / "alarms.json"
    first = AlarmFile(path)
    first.load(AlarmList())
    await first.close(known())
    assert not first.trouble
    return path


async def test_what_held_is_known_again_and_marked_until_the_store_confirms_it(file: Path) -> None:
    store = await again(file)
    alarms = store.alarms
    found = {alarm.subject: alarm for alarm in alarms.current()}
    assert set(found) == {"terminal-1", "terminal-3", "o-1", "MUG", "o-2"}
    assert {subject for subject, alarm in found.items() if alarm.unsure} == set(found) - {"o-1"}
    assert (found["terminal-1"].acknowledged, found["MUG"].acknowledged) == (True, False)
    assert found["MUG"].text.said(Texts("tui", "zh")) != "MUG: 2 left"
    assert str(found["MUG"].text) == "MUG: 2 left"
    assert [alarm.subject for alarm in alarms.dismissed()] == ["terminal-2"]
    assert [alarm.kind for alarm in alarms.history()] == ["foreign", "lost"]
    assert alarms.silences.until == {
        ("lost", "terminal-3"): START + MINUTE, ("low-stock", None): None,
    }  # fmt: skip
    assert alarms.bell == 0


def test_only_its_owner_may_read_it(file: Path) -> None:
    assert file.stat().st_mode & 0o777 == stat.S_IRUSR | stat.S_IWUSR


async def test_what_is_heard_confirms_or_ends_what_held(file: Path) -> None:
    store = await again(file)
    alarms = store.alarms
    at = START + 10_000
    for role in ("settlement", "catalog"):
        presence(store, role, "online", at)
    for name, status in (("terminal-1", "lost"), ("terminal-2", "lost"), ("terminal-3", "online")):
        presence(store, name, status, at)
    store.tick(at)
    assert alarms.bell == 0, "nothing is new"
    found = {alarm.subject: alarm for alarm in alarms.current()}
    assert "terminal-3" not in found
    assert (found["terminal-1"].unsure, found["terminal-1"].since) == (False, START)
    assert found["terminal-1"].acknowledged
    assert "terminal-2" not in found, "what was put away stays away"
    shown = json.dumps({"id": "s-1", "data": {"alarms": []}}).encode()
    store.take(at, [Incoming(store.topics.state("settlement", "alarms"), shown)])
    assert not alarms.subjects("refund-refused")
    store.tick(at + 60 * MINUTE)
    assert alarms.subjects("low-stock") == {"MUG"}, "not all are there who could say otherwise"
    at += 60 * MINUTE
    presence(store, "warehouse", "online", at)
    store.tick(at)
    store.tick(at + GRACE // 2)
    assert alarms.subjects("low-stock") == {"MUG"}, "nobody has said yet how many there are"
    store.tick(at + GRACE + 1)
    assert not alarms.subjects("low-stock")
    assert alarms.subjects("dead-letter") == {"o-1"}, "nothing makes that well again"
    presence(store, "terminal-2", "online", at + 2 * MINUTE)
    store.tick(at + 2 * MINUTE)
    presence(store, "terminal-2", "lost", at + 3 * MINUTE)
    store.tick(at + 3 * MINUTE)
    assert "terminal-2" in alarms.subjects("lost")
    assert alarms.bell == 1


async def test_without_a_store_nothing_is_confirmed_and_nothing_is_over(file: Path) -> None:
    store = await again(file)
    store.tick(START + 60 * MINUTE)
    assert store.alarms.subjects("lost") == {"terminal-1", "terminal-2", "terminal-3"}


async def test_only_what_changed_is_written_and_never_more_than_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "alarms.json"
    kept, alarms = AlarmFile(path), AlarmList()
    kept.load(alarms)
    await kept.save(alarms)
    assert not path.exists()
    for number in range(3_000):
        alarms.raise_("refused", f"n-{number}", Sentence("{words}", words="x" * 10_000), START)
    await kept.save(alarms)
    assert path.stat().st_size < 1_000_000
    before = path.stat().st_mtime_ns
    for _ in range(3):
        alarms.raise_("refused", "n-2999", Sentence("{words}", words="again"), START + 1)
        await kept.save(alarms)
    assert path.stat().st_mtime_ns == before
    await kept.close(alarms)
    assert len((await again(path)).alarms.current()) == 1_000


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"\xff\xfe", b"[]", b'{"now": 7}', b"[" * 100_000, b"x" * 4_000_001,
        b'{"now":[{"kind":"lost"}],"dismissed":[],"past":[],"silences":[]}',
    ],
    ids=["empty", "cut", "binary", "list", "other", "deep", "large", "part"],
)  # fmt: skip
async def test_a_damaged_file_is_said_and_put_aside(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "alarms.json"
    path.write_bytes(content)
    console = watching(FaultyBroker(), kept=AlarmFile(path))
    async with console.run_test(size=(120, 30), notifications=True) as pilot:
        await shows(pilot, "begins")
        await shows(pilot, "console-1")
        console.context.model.alarms.raise_("lost", "terminal-1", lost("terminal-1"), START)
    assert path.with_suffix(".damaged").read_bytes() == content
    assert (await again(path)).alarms.subjects("lost") == {"terminal-1"}


@pytest.mark.parametrize("text", ["{node} is", "{", "{0}", "{node.x}", "{node[7]}", "{node:9d}"])
async def test_a_sentence_that_cannot_be_said_is_left_out(file: Path, text: str) -> None:
    kept = json.loads(file.read_text("utf-8"))  # noqa: ASYNC240 - a test waits for it
    kept["now"][0]["text"] = [text, {"other": "x", "node": "n"} if "." in text else {"other": 1}]
    kept["now"][1]["kind"] = "of a later version"
    file.write_text(json.dumps(kept), "utf-8")  # noqa: ASYNC240 - the same
    assert len((await again(file)).alarms.current()) == len(kept["now"]) - 2


async def test_where_nothing_can_be_written_the_console_says_so_and_works(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    kept = AlarmFile(tmp_path / "file" / "alarms.json")
    console = watching(FaultyBroker(), kept=kept)
    async with console.run_test(size=(120, 30), notifications=True) as pilot:
        await shows(pilot, "cannot be")
        await shows(pilot, "▲ alarms are not kept")
        assert kept.trouble == f"{tmp_path / 'file'} cannot be written: File exists."
        await pilot.press("5")
        await shows(pilot, "✔ no alarms")


async def test_a_disk_that_fills_up_is_said_until_it_has_room_again(file: Path) -> None:
    kept, alarms = AlarmFile(file), AlarmList()
    kept.load(alarms)
    blocked = file.with_suffix(".new")
    blocked.mkdir()
    alarms.raise_("lost", "terminal-9", lost("terminal-9"), START)
    await kept.save(alarms)
    assert kept.trouble == f"{file} cannot be written: Is a directory."
    blocked.rmdir()
    await kept.save(alarms)
    assert not kept.trouble
    await kept.close(alarms)
    assert "terminal-9" in (await again(file)).alarms.subjects("lost")


async def test_of_two_consoles_one_keeps_the_file_and_the_other_says_so(file: Path) -> None:
    first, second = AlarmFile(file), AlarmFile(file)
    one, two = AlarmList(), AlarmList()
    first.load(one)
    second.load(two)
    assert second.trouble == f"Another console keeps its alarms in {file}."
    assert two.subjects("lost") == one.subjects("lost")
    two.raise_("lost", "terminal-8", lost("terminal-8"), START)
    await second.close(two)
    await first.close(one)
    assert "terminal-8" not in (await again(file)).alarms.subjects("lost")


async def test_a_console_that_is_opened_again_shows_what_held(tmp_path: Path) -> None:
    path = tmp_path / "alarms.json"
    broker = FaultyBroker()
    first = watching(broker, kept=AlarmFile(path))
    async with first.run_test(size=(120, 30), notifications=True) as pilot:
        await shows(pilot, "console-1")
        now = first.context.clock()
        presence(first.context.model, "terminal-4", "lost", now)
        first.tick()
        await pilot.press("5", "a", "z", "2")
        await shows(pilot, "silent 60 min")
        async with asyncio.timeout(5):
            while not path.exists():
                first.tick()
                await asyncio.sleep(0)
    second = watching(broker, kept=AlarmFile(path))
    async with second.run_test(size=(120, 30), notifications=True) as pilot:
        await pilot.press("5")
        await shows(pilot, "terminal-4 is lost")
        told = await shows(pilot, "the store has not confirmed it yet")
        assert "? !  " in told
        assert "silent 59 min" in told or "silent 60 min" in told
        presence(second.context.model, "terminal-4", "lost", second.context.clock())
        second.tick()
        await shows(pilot, "✔ !  ")
