"""The file in which a console keeps its alarms between starts: bounded, and private.

It is written in a thread, so that the screen never waits for it. If the file is damaged, read-only
or kept by another console, the console says so and works without it.
"""

import asyncio
import fcntl
import json
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from pydantic import BaseModel, ConfigDict

from bus.contract.errors import JournalError
from bus.storage.damage import reading
from bus.storage.durable import new_file
from bus.storage.private import make_folder, opener
from bus.text.sentence import Sentence
from tui.model.alarm_list import KEPT, AlarmList
from tui.model.alarms import KINDS, ConsoleAlarm

_PAST = 300
"""The most alarms of the history that are kept."""
_LONGEST = 300
"""The most characters of one value of a text that are kept."""
_MOST = 4_000_000
"""The largest file in bytes that is read."""
_DEEPEST = 8
"""The deepest nesting of sentences that is read."""


class _Row(BaseModel):
    """An alarm in the file."""

    model_config = ConfigDict(strict=True)

    kind: str
    subject: str
    text: list[Any]
    since: int
    last: int
    times: int
    ended: int | None
    acknowledged: bool
    source: str
    topic: str
    sender: str
    looked: bool


class _Silence(BaseModel):
    model_config = ConfigDict(strict=True)

    kind: str
    subject: str | None
    until: int | None


class _Kept(BaseModel):
    """The content of the file."""

    model_config = ConfigDict(strict=True)

    now: list[_Row]
    dismissed: list[_Row]
    past: list[_Row]
    silences: list[_Silence]


class AlarmFile:
    """Where a console keeps its alarms.

    Args:
        path: of the file; its folder is made if it is missing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.trouble = ""
        """Why nothing can be kept, in a sentence; empty if it can."""
        self._lock: IO[str] | None = None
        self._saved = 0
        """The number of changes (`AlarmList.changes`) that are in the file."""
        self._writing = asyncio.Lock()

    def load(self, alarms: AlarmList) -> None:
        """Restore the alarms of an earlier console, and lock the file for this one.

        Raises:
            JournalError: it cannot be read; or it is damaged, and was renamed.
        """
        self._take()
        try:
            with reading(self.path, "The console begins without what was known"):
                if not self.path.exists():
                    return
                kept = _read(self.path)
        except JournalError:
            with suppress(OSError):
                if self._lock is not None:
                    self.path.rename(self.path.with_suffix(".damaged"))
            raise
        _recall(kept, alarms)
        self._saved = alarms.changes

    def _take(self) -> None:
        """Lock the file: one console writes it, others only read it at their start."""
        try:
            make_folder(self.path.parent)
            lock = open(self.path.with_suffix(".lock"), "w", opener=opener)  # noqa: SIM115 - held
        except OSError as error:
            self.trouble = f"{self.path.parent} cannot be written: {error.strerror}."
            return
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            self.trouble = f"Another console keeps its alarms in {self.path}."
            return
        self._lock = lock

    async def save(self, alarms: AlarmList) -> None:
        """Write the alarms if they have changed; `trouble` says why that failed."""
        if self._lock is None or alarms.changes == self._saved or self._writing.locked():
            return
        async with self._writing:
            saved, kept = alarms.changes, _kept(alarms)
            try:
                await asyncio.to_thread(self._write, kept)
            except OSError as error:
                self.trouble = f"{self.path} cannot be written: {error.strerror}."
            else:
                self._saved, self.trouble = saved, ""

    def _write(self, kept: dict[str, Any]) -> None:
        new = self.path.with_suffix(".new")
        with new_file(new) as file:
            file.write(json.dumps(kept, ensure_ascii=False).encode())
        new.replace(self.path)

    async def close(self, alarms: AlarmList) -> None:
        """Write the last changes, and unlock the file."""
        async with self._writing:
            pass
        await self.save(alarms)
        if self._lock is not None:
            self._lock.close()
            self._lock = None


def _kept(alarms: AlarmList) -> dict[str, Any]:
    silences = alarms.silences.until.items()
    return {
        "now": list(map(_row, alarms.current())),
        "dismissed": list(map(_row, alarms.dismissed())),
        "past": list(map(_row, alarms.history()[:_PAST])),
        "silences": [
            {"kind": kind, "subject": subject, "until": until}
            for (kind, subject), until in silences
        ],
    }


def _row(alarm: ConsoleAlarm) -> dict[str, Any]:
    return {
        "kind": alarm.kind, "subject": alarm.subject[:_LONGEST], "text": _written(alarm.text),
        "since": alarm.since, "last": alarm.last, "times": alarm.times, "ended": alarm.ended,
        "acknowledged": alarm.acknowledged, "source": min(alarm.sources, default=""),
        "topic": alarm.topic[:_LONGEST], "sender": alarm.sender, "looked": alarm.looked,
    }  # fmt: skip


def _written(sentence: Sentence) -> list[Any]:
    """A sentence as its English text and its values."""
    values = {
        name: _written(value) if isinstance(value, Sentence) else str(value)[:_LONGEST]
        for name, value in sentence.values.items()
    }
    return [sentence.text, values]


def _read(path: Path) -> _Kept:
    """Read the file.

    Raises:
        ValidationError, UnicodeError, RecursionError: it is damaged.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        data = file.read(_MOST + 1)
    return _Kept.model_validate_json(data if len(data) <= _MOST else data[:1])


def _recall(kept: _Kept, alarms: AlarmList) -> None:
    now, dismissed, past = (
        [alarm for row in rows[-KEPT:] if (alarm := _alarm(row)) is not None]
        for rows in (kept.now[::-1], kept.dismissed, kept.past[::-1])
    )
    alarms.recall(now, dismissed, past)
    for each in kept.silences:
        kind = _KIND.get(each.kind)
        if kind is not None:
            alarms.silences.begin(kind, each.subject, each.until)


def _alarm(row: _Row) -> ConsoleAlarm | None:
    """An alarm from the file; None if this version does not know its kind, or it has no text."""
    kind, text = _KIND.get(row.kind), _sentence(row.text)
    if kind is None or text is None:
        return None
    return ConsoleAlarm(
        kind, row.subject, text, row.since, row.last, row.times, row.ended, row.acknowledged,
        sources={row.source} - {""}, topic=row.topic, sender=row.sender, looked=row.looked,
    )  # fmt: skip


_KIND = {str(kind): kind for kind in KINDS}


def _sentence(written: object, depth: int = 0) -> Sentence | None:
    """A sentence from the file; None if it cannot be formatted."""
    match written:
        case [str(text), dict(values)] if depth < _DEEPEST:
            said = {
                str(name): _sentence(value, depth + 1) if isinstance(value, list) else str(value)
                for name, value in values.items()
            }
            with suppress(LookupError, ValueError, AttributeError, TypeError):
                sentence = Sentence(text, **said)
                sentence.said()
                return sentence
    return None
