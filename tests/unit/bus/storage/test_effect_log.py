"""A machine loses power while it writes down what it did; afterwards nothing is done twice."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bus.contract.errors import JournalError
from bus.storage.effect_log import EffectLog


def test_what_was_done_is_remembered_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "done.jsonl"
    with EffectLog(path) as done:
        assert done.get("j-1.1") is None
        done.write("j-1.1", sku="OXF-BLU-M", note="größe\nM")
        assert done.get("j-1.1") == {"key": "j-1.1", "sku": "OXF-BLU-M", "note": "größe\nM"}
    with EffectLog(path) as again:
        assert again.get("j-1.1") == {"key": "j-1.1", "sku": "OXF-BLU-M", "note": "größe\nM"}
        assert again.get("j-1.2") is None


def test_a_deed_is_on_the_disk_as_soon_as_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "done.jsonl"
    with EffectLog(path) as done:
        done.write("a")
        assert path.read_bytes() == b'{"key": "a"}\n'
        with EffectLog(path) as other:
            assert other.get("a") == {"key": "a"}


@pytest.mark.parametrize("kept", range(1, len(b'{"key": "second"}\n')))
def test_a_torn_last_line_counts_as_not_done_and_is_written_anew(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "done.jsonl"
    whole = b'{"key": "first"}\n'
    path.write_bytes(whole + b'{"key": "second"}\n'[:kept])
    with EffectLog(path) as done:
        assert done.get("first") is not None
        assert done.get("second") is None
        assert path.read_bytes() == whole
        done.write("second")
    assert path.read_bytes() == whole + b'{"key": "second"}\n'
    with EffectLog(path) as again:
        assert again.get("second") == {"key": "second"}


def test_a_deed_that_does_not_fit_on_the_disk_leaves_nothing_and_may_be_written_later(
    tmp_path: Path,
) -> None:
    path = tmp_path / "done.jsonl"
    with EffectLog(path) as done:
        done.write("first")
        whole = path.read_bytes()
        for room in (0, 5):
            with _room_for(len(whole) + room), pytest.raises(OSError, match="too large"):
                done.write("second")
            assert done.get("second") is None
            assert path.read_bytes() == whole
        done.write("second")
    assert path.read_bytes() == whole + b'{"key": "second"}\n'


@contextmanager
def _room_for(size: int) -> Iterator[None]:
    """No file of this process can grow beyond so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_file_that_was_only_begun_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "done.jsonl"
    path.write_bytes(b'{"ke')
    with EffectLog(path) as done:
        assert done.get("ke") is None
    assert path.read_bytes() == b""


def test_many_deeds_survive_many_restarts(tmp_path: Path) -> None:
    path = tmp_path / "done.jsonl"
    for start in range(5):
        with EffectLog(path) as done:
            for number in range(start):
                assert done.get(f"k-{number}") == {"key": f"k-{number}", "start": number + 1}
            done.write(f"k-{start}", start=start + 1)


def test_a_file_that_cannot_be_opened_is_told_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "in-the-way").touch()
    with pytest.raises(JournalError, match=r"cannot write to .*done.jsonl: "):
        EffectLog(tmp_path / "in-the-way" / "done.jsonl")
