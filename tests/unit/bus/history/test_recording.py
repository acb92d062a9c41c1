"""Messages are written down and read again, whatever they hold and wherever the writing stopped."""

import json
from pathlib import Path

import pytest

from bus.contract.errors import JournalError, RecordingError
from bus.history.recording import Connected, Recorded, Recording, compress, parts, read_recording
from bus.link import Incoming

AT = 1_767_225_600_123
MESSAGES = [
    Incoming("storebus/1/main/req/terminal-7/catalog/lookup", '{"id":"größe\n"}'.encode()),
    Incoming("storebus/1/main/event/x/y", b"\xff\x00\xfe", qos=1),
    Incoming("storebus/1/main/state/catalog/presence", b"", retain=True),
    Incoming(
        "storebus/1/main/req/terminal-7/settlement/purchase", b"{}",
        response_topic="storebus/1/main/rep/terminal-7/settlement/purchase",
        correlation=b"\x00\x01", qos=1, expiry=60, user=(("traceparent", "00-1"), ("a", "b")),
    ),
]  # fmt: skip


def test_what_is_recorded_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    with Recording(path) as recording:
        recording.connected(AT)
        for message in MESSAGES:
            recording.write(AT + 1, message)
        assert recording.messages == len(MESSAGES)
    expected = [Connected(AT), *(Recorded(AT + 1, message) for message in MESSAGES)]
    assert list(read_recording(path)) == expected
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_line_says_when_in_words_and_leaves_out_what_there_is_not(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    with Recording(path) as recording:
        recording.write(AT, MESSAGES[0])
    assert json.loads(path.read_text()) == {
        "at": "2026-01-01T00:00:00.123Z",
        "ms": AT,
        "topic": MESSAGES[0].topic,
        "payload": MESSAGES[0].payload.decode(),
    }


def test_a_message_is_in_the_file_after_a_flush(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    with Recording(path) as recording:
        recording.write(AT, MESSAGES[0])
        assert list(read_recording(path)) == []
        recording.flush()
        assert list(read_recording(path)) == [Recorded(AT, MESSAGES[0])]


@pytest.mark.parametrize("kept", [1, 20, -1])
def test_a_torn_last_line_is_left_out_and_cut_off_when_it_goes_on(
    tmp_path: Path, kept: int
) -> None:
    path = tmp_path / "history.jsonl"
    with Recording(path) as recording:
        recording.write(AT, MESSAGES[0])
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:kept])
    assert list(read_recording(path)) == [Recorded(AT, MESSAGES[0])]
    with Recording(path) as recording:
        assert path.read_bytes() == whole
        recording.write(AT + 5, MESSAGES[1])
    assert list(read_recording(path)) == [Recorded(AT, MESSAGES[0]), Recorded(AT + 5, MESSAGES[1])]


def test_a_torn_line_longer_than_a_look_back_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "history.jsonl"
    with Recording(path) as recording:
        recording.write(AT, MESSAGES[0])
    whole = path.read_bytes()
    path.write_bytes(whole + b"x" * (3 << 20))
    with Recording(path):
        assert path.read_bytes() == whole


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"hello",
        b'{"at":"x","topic":"t"}',
        b'{"at":"x","ms":"1","topic":"t"}',
        b'{"at":"x","ms":1}',
        b'{"at":"x","ms":1,"topic":"t","correlation":"%"}',
    ],
)
def test_a_damaged_line_is_named(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "history.jsonl"
    with Recording(path) as recording:
        recording.write(AT, MESSAGES[0])
    path.write_bytes(path.read_bytes() + line + b"\n")
    with pytest.raises(JournalError, match="line 2 is not a message"):
        list(read_recording(path))


def test_a_history_that_cannot_be_written_or_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="cannot write"):
        Recording(tmp_path / "no" / "folder.jsonl")
    with pytest.raises(JournalError, match="cannot read"):
        list(read_recording(tmp_path / "nothing.jsonl"))


def test_a_long_history_is_put_aside_in_compressed_parts_and_nothing_is_missing(
    tmp_path: Path,
) -> None:
    path = tmp_path / "history.jsonl"
    with Recording(path, part=4_000) as recording:
        for number in range(100):
            recording.write(AT + number, MESSAGES[number % 4])
            if (complete := recording.flush()) is not None:
                compress(complete)
    put_aside = parts(tmp_path / "history-20260101T000000123Z.jsonl")
    assert len(put_aside) > 1
    assert all(part.stat().st_mode & 0o777 == 0o600 for part in put_aside)
    assert sorted(tmp_path.iterdir()) == sorted([path, *put_aside])
    entries = [entry for file in (*put_aside, path) for entry in read_recording(file)]
    assert entries == [Recorded(AT + number, MESSAGES[number % 4]) for number in range(100)]


def test_only_so_many_parts_are_kept_and_those_of_other_histories_stay(tmp_path: Path) -> None:
    other = tmp_path / "history-of-monday-20260101T000000123Z.jsonl.gz"
    other.write_bytes(b"")
    with Recording(tmp_path / "history.jsonl", part=1) as recording:
        for _ in range(5):
            recording.write(AT, MESSAGES[0])  # all in the same millisecond
            complete = recording.flush()
            assert complete is not None
            compress(complete, keep=2)
    names = [part.name for part in parts(complete)]
    assert names == [f"history-20260101T00000012{3 + number}Z.jsonl.gz" for number in (3, 4)]
    assert other.exists()


def test_a_part_that_is_damaged_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with Recording(tmp_path / "history.jsonl", part=1) as recording:
        recording.write(AT, MESSAGES[0])
        complete = recording.flush()
        assert complete is not None
        compress(complete)
    (part,) = parts(complete)
    whole = part.read_bytes()
    other = bytes([whole[20] ^ 0xFF])
    for damaged in (whole[:-9], b"no gzip", whole[:20] + other + whole[21:]):
        part.write_bytes(damaged)
        with pytest.raises(JournalError, match="cannot read the history"):
            list(read_recording(part))


@pytest.mark.parametrize(
    "there", [b"sku,price\nCAN-40,49.00\n", b"a line that does not end", b"\n", b'{"at":1}\n']
)
def test_a_file_that_is_no_recording_is_left_as_it_is(tmp_path: Path, there: bytes) -> None:
    path = tmp_path / "prices.csv"
    path.write_bytes(there)
    path.chmod(0o644)
    with pytest.raises(RecordingError, match=r"prices\.csv is there and is no recording"):
        Recording(path)
    assert path.read_bytes() == there
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_folder_is_no_file_to_record_into_and_keeps_its_rights(tmp_path: Path) -> None:
    folder = tmp_path / "days"
    folder.mkdir(mode=0o755)
    with pytest.raises(RecordingError, match="is a folder"):
        Recording(folder)
    assert folder.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("there", [b"", b'{"', b'{"at":"2026-11-22T10'])
def test_what_a_crash_left_of_a_first_line_is_begun_anew(tmp_path: Path, there: bytes) -> None:
    path = tmp_path / "day.jsonl"
    path.write_bytes(there)
    with Recording(path) as recording:
        recording.connected(1)
    assert len(list(read_recording(path))) == 1
