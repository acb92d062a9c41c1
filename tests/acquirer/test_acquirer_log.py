"""The acquirer's log on a bad day: a disk that refuses, and a second owner."""

import errno
import os
from pathlib import Path

import pytest

from acquirer import log as log_module
from acquirer.card_processor import CaptureBody, CardProcessor
from acquirer.log import Log
from bus.contract.errors import JournalError

BODY = CaptureBody(token="tok_approve", amount=700, currency="EUR")


def test_a_capture_that_the_disk_refuses_has_not_happened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "acquirer.jsonl"
    log = Log(path)
    processor = CardProcessor(log)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", refuse)
        with pytest.raises(OSError, match="No space"):
            processor.capture("a", BODY)
    assert processor.outcome("a").status == 404
    assert path.read_bytes() == b""
    assert processor.capture("b", BODY).status == 201
    log.close()
    again = Log(path)
    assert [entry.key for entry in again.entries] == ["b"]
    again.close()


def test_two_acquirers_never_share_a_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_module, "LOCK_SECONDS", 0.0)
    first = Log(tmp_path / "acquirer.jsonl")
    with pytest.raises(JournalError, match="another acquirer"):
        Log(tmp_path / "acquirer.jsonl")
    first.close()
    Log(tmp_path / "acquirer.jsonl").close()


def test_only_its_owner_may_read_a_log(tmp_path: Path) -> None:
    Log(tmp_path / "acquirer.jsonl").close()
    assert (tmp_path / "acquirer.jsonl").stat().st_mode & 0o077 == 0
