"""A recording is played: at a time the model is the same, whichever way it came there."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from console_fixtures import model
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from story import recorded
from test_hostile import drawn

from bus.contract.errors import ConfigurationError, JournalError
from bus.history import tape
from bus.history.recording import Recording, compress, parts
from bus.history.tape import Tape
from bus.link import Incoming
from tui.model import checkpoints, player
from tui.model.player import SPEEDS, Player
from tui.model.store import StoreModel
from tui.model.when import WhenError, when

START = 1_763_800_000_000
"""2025-11-22 08:26:40 UTC."""
GAP = 2_000
"""Milliseconds from one message to the next in the recordings of these tests."""


def write(path: Path, first: int = 0, last: int | None = None, part: int | None = None) -> Path:
    """The told day, slowly: a message each two seconds."""
    with Recording(path, part) as recording:
        for number, (_, message) in list(enumerate(recorded().messages))[first:last]:
            recording.write(START + number * GAP, message)
            if (complete := recording.flush()) is not None:
                compress(complete)
    return path


@pytest.fixture
def slow_day(tmp_path: Path) -> Path:
    """A recording of seven and a half minutes."""
    return write(tmp_path / "day.jsonl")


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A recording of 150 kB is treated as one of gigabytes."""
    monkeypatch.setattr(checkpoints, "_APART", 20_000)
    monkeypatch.setattr(tape, "_APART", 5_000)


def at_rest(path: Path, **options: bool) -> Player:
    """A player that is paused."""
    return Player(Tape([path]), model, playing=False, **options)


def caught_up(playing: Player) -> list[int]:
    """Hear what is due; the numbers of the messages."""
    heard = []
    while playing.behind:
        heard += [message.number for message in playing.take(7)]
    return heard


def picture(playing: Player) -> list[Any]:
    """All that can be seen of its model, and how often and when it was alarmed."""
    alarms = [*playing.model.alarms.current(), *playing.model.alarms.history()]
    return [*drawn(playing.model, 160, 50), *map(repr, alarms)]


def test_it_plays_as_fast_as_it_happened_and_faster(slow_day: Path) -> None:
    playing = at_rest(slow_day)
    assert caught_up(playing) == [1]
    playing.pass_(60_000)
    assert playing.position == START, "nothing is played while it is paused"
    playing.play()
    playing.pass_(10_000)
    assert caught_up(playing) == [2, 3, 4, 5, 6]
    playing.faster(2)
    assert playing.speed == 5
    playing.pass_(1_000)
    assert playing.position == START + 15_000
    assert caught_up(playing) == [7, 8]
    playing.faster(100)
    assert playing.speed == SPEEDS[-1] == 100
    playing.faster(-100)
    assert playing.speed == 1


def test_the_clock_waits_for_a_model_that_is_behind(slow_day: Path) -> None:
    playing = at_rest(slow_day)
    caught_up(playing)
    playing.play()
    playing.pass_(20_000)
    playing.take(3)
    playing.pass_(20_000)
    assert playing.position == START + 20_000
    assert playing.at == START + 3 * GAP
    caught_up(playing)
    assert playing.at == playing.position


def test_at_its_end_it_stops_and_plays_from_the_beginning_again(slow_day: Path) -> None:
    playing = at_rest(slow_day)
    assert caught_up(playing) == [1]
    playing.play()
    playing.pass_(3_600_000)
    assert playing.position == playing.tape.end == START + 225 * GAP
    assert not playing.playing
    assert len(caught_up(playing)) == 225
    playing.play()
    assert playing.playing
    assert playing.position == START
    assert caught_up(playing) == [1]


def test_minutes_of_the_clock_are_gone_to_and_back(slow_day: Path) -> None:
    playing = at_rest(slow_day)
    minute = 1_763_800_020_000  # 08:27:00, 20 s after the beginning
    playing.minute(1)
    assert playing.position == minute
    playing.minute(1)
    assert playing.position == minute + 60_000
    playing.minute(-1)
    assert playing.position == minute
    playing.minute(-1)
    assert playing.position == START, "not before the beginning"
    playing.seek(minute + 30_000)
    playing.minute(-1)
    assert playing.position == minute, "first to the begin of its own minute"
    for _ in range(20):
        playing.minute(1)
    assert playing.position == playing.tape.end


@pytest.mark.usefixtures("small")
@settings(
    max_examples=15, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(st.lists(st.tuples(st.integers(-5, 455), st.integers(0, 300)), max_size=6))
def test_what_is_known_at_a_time_is_the_same_whichever_way_one_came(
    slow_day: Path, ways: list[tuple[int, int]]
) -> None:
    wandering, straight = at_rest(slow_day), at_rest(slow_day)
    for second, entries in ways:
        wandering.seek(START + second * 1000)
        wandering.take(entries)
    caught_up(wandering)
    straight.seek(wandering.position)
    caught_up(straight)
    assert wandering.model is not straight.model
    assert picture(wandering) == picture(straight)


@pytest.mark.usefixtures("small")
def test_playing_leads_to_the_same_as_going_there(slow_day: Path) -> None:
    played, sought = at_rest(slow_day), at_rest(slow_day)
    played.play()
    while played.playing:
        caught_up(played)
        played.pass_(1_234)
    caught_up(played)
    sought.seek(sought.tape.end)
    caught_up(sought)
    assert picture(played) == picture(sought)
    assert {alarm.kind for alarm in sought.model.alarms.current()} >= {"lost", "low-stock"}


@pytest.mark.usefixtures("small")
def test_going_back_begins_at_a_checkpoint_and_not_at_the_beginning(slow_day: Path) -> None:
    playing = at_rest(slow_day)
    playing.seek(playing.tape.end)
    caught_up(playing)
    playing.seek(playing.tape.end - 60_000)
    heard = caught_up(playing)
    assert heard
    assert heard[0] > 100
    assert heard[-1] == 226 - 30


@pytest.mark.usefixtures("small")
def test_whatever_is_gone_back_to_is_as_it_was(slow_day: Path) -> None:
    back, straight = at_rest(slow_day), {}
    forth = at_rest(slow_day)
    for at in range(forth.tape.start, forth.tape.end, 17_000):
        forth.seek(at)
        caught_up(forth)
        straight[at] = picture(forth)
    back.seek(back.tape.end)
    caught_up(back)
    for at in reversed(straight):
        back.seek(at)
        caught_up(back)
        assert picture(back) == straight[at], at


def test_a_silent_night_is_gone_through_at_once_and_its_alarms_are_in_time(
    slow_day: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evening, morning = START + 225 * GAP, START + 40_000_000
    with Recording(slow_day) as recording:
        recording.write(morning, Incoming("storebus/1/main/event/x/y", b"{}"))
    looks = 0
    tick = StoreModel.tick

    def counted(self: StoreModel, now: int) -> None:
        nonlocal looks
        looks += 1
        tick(self, now)

    monkeypatch.setattr(StoreModel, "tick", counted)
    playing = at_rest(slow_day)
    playing.seek(morning)
    caught_up(playing)
    stuck = [each for each in playing.model.alarms.current() if each.kind == "stuck"]
    assert stuck
    assert all(each.since <= evening + 70_000 for each in stuck)
    assert looks < 250


def test_what_the_operator_silenced_stays_silent_on_the_way_back(slow_day: Path) -> None:
    playing = at_rest(slow_day)
    playing.seek(playing.tape.end)
    caught_up(playing)
    playing.model.alarms.silence("lost", None, None)
    playing.seek(START)
    assert playing.model.alarms.silences.until == {("lost", None): None}


@pytest.mark.usefixtures("small")
def test_far_ahead_is_gone_to_without_playing_what_lies_between(
    slow_day: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(player, "_FAR", 40_000)
    monkeypatch.setattr(player, "_AHEAD", 20_000)
    playing = at_rest(slow_day)
    playing.seek(playing.tape.end)
    heard = len(caught_up(playing))
    assert 20 < heard < 100
    assert playing.skipped
    assert START < playing.known_from < playing.tape.end - 20 * GAP
    playing.seek(START)
    assert not playing.skipped
    assert caught_up(playing) == [1]


def test_several_files_and_compressed_parts_are_one_recording(tmp_path: Path) -> None:
    whole = at_rest(write(tmp_path / "whole.jsonl"))
    file = write(tmp_path / "day.jsonl", part=30_000)
    pieces = parts(tmp_path / "day-20251122T082640000Z.jsonl")
    assert len(pieces) > 3
    joined = Player(Tape([file, *reversed(pieces)]), model, playing=False)
    assert (joined.tape.start, joined.tape.end) == (whole.tape.start, whole.tape.end)
    for each in (whole, joined):
        each.seek(each.tape.end)
        caught_up(each)
        each.seek(each.tape.end - 100_000)
        caught_up(each)
    assert joined.tape.size == whole.tape.size
    assert picture(joined) == picture(whole)


@pytest.mark.usefixtures("small")
def test_the_index_is_bounded_and_finds_times(
    slow_day: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tape, "_MARKS", 10)
    opened = Tape([slow_day])
    assert len(opened._marks) <= 11
    for second in range(0, 450, 9):
        place = opened.before(START + second * 1000)
        _, entry = next(opened.entries(place))
        assert entry.at <= START + second * 1000 + GAP
        assert opened.bytes_to(opened.before(START + second * 1000, 50_000)) <= max(
            0, opened.bytes_to(place) - 50_000
        )


def test_a_clock_that_went_back_does_not_turn_time_back(tmp_path: Path) -> None:
    path = tmp_path / "day.jsonl"
    with Recording(path) as recording:
        for second in (10, 11, 3, 4, 12):
            recording.write(START + second * 1000, Incoming("storebus/1/main/event/x/y", b"{}"))
    playing = at_rest(path)
    playing.seek(START + 11_000)
    assert len(caught_up(playing)) == 4
    assert playing.tape.end == START + 12_000


def cut(path: Path) -> None:
    """In the middle of its last line."""
    path.write_bytes(path.read_bytes()[:-20])


def spoil(path: Path) -> None:
    """A line in its middle is none."""
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:100], b"{}\n", *lines[101:]]))


def test_a_torn_end_is_left_out(slow_day: Path) -> None:
    cut(slow_day)
    playing = at_rest(slow_day)
    playing.seek(playing.tape.end)
    assert len(caught_up(playing)) == 225
    assert not playing.trouble


def test_a_damaged_middle_is_said_and_what_was_before_it_can_be_looked_at(slow_day: Path) -> None:
    intact = Tape([slow_day])
    playing = Player(intact, model)
    spoil(slow_day)
    playing.seek(intact.end)
    assert len(caught_up(playing)) == 100
    assert "line 101 is not a message" in playing.trouble
    assert not playing.playing
    playing.seek(START + 10 * GAP)
    assert len(caught_up(playing)) == 11
    assert not playing.trouble


@pytest.mark.parametrize("harm", [Path.unlink, spoil, lambda path: path.write_bytes(b"")])
def test_what_is_no_recording_is_refused_in_a_sentence(
    slow_day: Path, harm: Callable[[Path], object]
) -> None:
    harm(slow_day)
    with pytest.raises((JournalError, ConfigurationError), match=r"day\.jsonl"):
        Tape([slow_day])


def test_the_site_is_the_one_that_is_recorded(slow_day: Path, tmp_path: Path) -> None:
    assert Tape([slow_day]).site() == "main"
    foreign = tmp_path / "foreign.jsonl"
    with Recording(foreign) as recording:
        recording.write(START, Incoming("home/lamp", b"on"))
    with pytest.raises(ConfigurationError, match="--site"):
        Tape([foreign]).site()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("08:27", 20), (" 8:30:15 ", 215), ("+90s", 190), ("-1m", 40), ("+1h", 3_700),
        ("2025-11-22 08:27", 20), ("2025-11-23T00:00:00", 56_000), ("07:00", 81_200),
    ],
)  # fmt: skip
def test_a_time_is_understood(text: str, seconds: int) -> None:
    here, end = START + 100_000, START + 86_400_000
    assert when(text, here, START, end) == START + seconds * 1000


@pytest.mark.parametrize("text", ["", "noon", "25:00", "12:60", "2025-02-30 12:00", "+5", "12"])
def test_what_is_no_time_is_explained(text: str) -> None:
    with pytest.raises(WhenError, match="is no time, such as"):
        when(text, START, START, START + 1)


def test_a_recording_that_still_grows_ends_where_it_did_when_it_was_opened(slow_day: Path) -> None:
    playing = at_rest(slow_day)
    with Recording(slow_day) as recording:
        recording.write(START + 10_000_000, Incoming("storebus/1/main/event/x/y", b"{}"))
    playing.seek(START + 10_000_000)
    assert playing.position == START + 225 * GAP
    assert len(caught_up(playing)) == 226
