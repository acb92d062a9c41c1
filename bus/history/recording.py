"""A recording of a store's messages as a file of JSON lines, one per message.

Only this module knows the format. Payloads are text if they are UTF-8, otherwise base64. A long
recording has parts: compressed files beside it, named by the time at which they end.
"""

import gzip
import os
import shutil
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict

from bus.contract.errors import JournalError, RecordingError
from bus.contract.timestamp import rfc3339
from bus.link import Incoming
from bus.storage.durable import new_file
from bus.storage.private import opener, tighten

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Recorded:
    """A message, and when the recorder received it."""

    at: int
    """Milliseconds since the epoch."""
    message: Incoming


@dataclass(frozen=True, slots=True)
class Connected:
    """The recorder has connected; messages from just before may be missing."""

    at: int
    """Milliseconds since the epoch."""


class _Line(BaseModel):
    """A line of the file; absent properties are left out."""

    model_config = ConfigDict(strict=True, frozen=True)

    at: str
    """RFC 3339."""
    ms: int
    """The same, in milliseconds since the epoch."""
    connected: bool = False
    topic: str = ""
    qos: int = 0
    retain: bool = False
    response_topic: str | None = None
    correlation: str | None = None
    """MQTT 5 Correlation Data, base64."""
    expiry: int | None = None
    """MQTT 5 Message Expiry, seconds."""
    user: list[tuple[str, str]] = []
    """MQTT 5 User Properties."""
    payload: str | None = None
    payload_base64: str | None = None

    def to_bytes(self) -> bytes:
        return self.model_dump_json(exclude_defaults=True).encode() + b"\n"

    def entry(self) -> Recorded | Connected:
        if self.connected:
            return Connected(self.ms)
        if not self.topic:
            raise ValueError("a message has a topic")
        payload = (self.payload or "").encode()
        if self.payload_base64 is not None:
            payload = b64decode(self.payload_base64, validate=True)
        message = Incoming(
            self.topic,
            payload,
            self.retain,
            self.response_topic,
            None if self.correlation is None else b64decode(self.correlation, validate=True),
            self.qos,
            self.expiry,
            tuple(self.user),
        )
        return Recorded(self.ms, message)


_BEGINNING = b'{"at":"'


def _is_line(line: bytes) -> bool:
    try:
        _Line.model_validate_json(line).entry()
    except ValueError:
        return False
    return True


def as_line(at: int, message: Incoming) -> bytes:
    """A message received at a time as a line of the file, with its newline."""
    correlation, text, base64 = message.correlation, None, None
    try:
        text = message.payload.decode()
    except UnicodeDecodeError:
        base64 = b64encode(message.payload).decode()
    return _Line(
        at=rfc3339(at),
        ms=at,
        topic=message.topic,
        qos=message.qos,
        retain=message.retain,
        response_topic=message.response_topic,
        correlation=None if correlation is None else b64encode(correlation).decode(),
        expiry=message.expiry,
        user=list(message.user),
        payload=text,
        payload_base64=base64,
    ).to_bytes()


class Recording:
    """A recording that is being written; one that exists is continued.

    Args:
        path: the file. A torn last line, left by a crash, is cut off; a file that is no recording
            is not touched.
        part: the size in bytes from which the file becomes a part and a new one is begun; None
            for never.

    Raises:
        RecordingError: the file is no recording.
        JournalError: the file cannot be written.
    """

    def __init__(self, path: Path, part: int | None = None) -> None:
        self.messages = 0
        """The messages written since it was opened."""
        self._path = path
        self._part = part
        self._buffer = bytearray()
        self._last = 0
        self._named = 0
        try:
            self._file = self._open()
        except OSError as error:
            raise self._unwritten(error) from error

    def _open(self) -> FileIO:
        self._require_recording()
        # Purchases carry payment tokens: not for other users of the machine.
        tighten(self._path)
        file = FileIO(self._path, "a+", opener=opener)
        try:
            file.truncate(_whole(file))
        except OSError:
            file.close()
            raise
        return file

    def _require_recording(self) -> None:
        if self._path.is_dir():
            raise RecordingError(f"{self._path} is a folder; name a file to record into")
        if not self._path.is_file():  # nothing yet, or a device
            return
        with self._path.open("rb") as file:
            first = file.readline(_CHUNK)
        if first.endswith(b"\n"):
            is_ours = _is_line(first)
        else:  # nothing yet, or torn by a crash
            is_ours = first.startswith(_BEGINNING[: len(first)])
        if not is_ours:
            raise RecordingError(
                f"{self._path} is there and is no recording; name a new file to record into"
            )

    def connected(self, at: int) -> None:
        """The recorder has connected."""
        self._buffer += _Line(at=rfc3339(at), ms=at, connected=True).to_bytes()

    def write(self, at: int, message: Incoming) -> None:
        """Take a message; it is in the file after the next `flush`."""
        self._buffer += as_line(at, message)
        self.messages += 1
        self._last = at

    def flush(self) -> Path | None:
        """Write what was taken to the file.

        Returns:
            The part that is complete now, to be passed to `compress`; None if there is none.

        Raises:
            JournalError: the file cannot be written.
        """
        try:
            while self._buffer:
                del self._buffer[: self._file.write(self._buffer)]
            if self._part is None or self._file.tell() < self._part:
                return None
            complete = self._unused()
            self._file.close()
            self._path.rename(complete)
            self._file = self._open()
        except OSError as error:
            raise self._unwritten(error) from error
        return complete

    def _unused(self) -> Path:
        """A name for the next part, later than those of earlier parts."""
        self._named = max(self._named + 1, self._last)
        while True:
            part = self._path.with_name(f"{self._path.stem}-{_stamp(self._named)}.jsonl")
            if not part.exists() and not part.with_name(f"{part.name}.gz").exists():
                return part
            self._named += 1

    def close(self) -> None:
        """Flush and close."""
        try:
            self.flush()
        finally:
            self._file.close()

    def _unwritten(self, error: OSError) -> JournalError:
        return JournalError(f"cannot write the history {self._path}: {error.strerror}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def compress(part: Path, keep: int | None = None) -> None:
    """Compress a part of a recording, and delete the oldest parts.

    Args:
        part: from `Recording.flush`.
        keep: how many parts to keep; None for all.

    Raises:
        JournalError: the disk is full; the part stays as it is.
    """
    target, half = part.with_name(f"{part.name}.gz"), part.with_name(f"{part.name}.half")
    try:
        with (
            part.open("rb") as source,
            new_file(half) as compressed,
            gzip.GzipFile("", "wb", compresslevel=6, fileobj=compressed) as packed,
        ):
            shutil.copyfileobj(source, packed, _CHUNK)
        half.rename(target)
        part.unlink()
        if keep is not None:
            for old in parts(part)[:-keep]:
                old.unlink()
    except OSError as error:
        half.unlink(missing_ok=True)
        raise JournalError(f"cannot compress the history {part}: {error.strerror}") from error


def parts(part: Path) -> list[Path]:
    """The compressed parts of the same recording, oldest first."""
    stem = part.name.removesuffix(".jsonl")[: -len(_stamp(0))]
    return sorted(part.parent.glob(f"{stem}{'[0-9]' * 8}T{'[0-9]' * 9}Z.jsonl.gz"))


def _stamp(at: int) -> str:
    """A time for a file name, which sorts by time."""
    return rfc3339(at).translate(_PLAIN)


_PLAIN = str.maketrans("", "", "-:.")


def read_recording(path: Path) -> Iterator[Recorded | Connected]:
    """Read a recording, or a compressed part of it, in the order of receipt.

    A torn last line is left out.

    Raises:
        RecordingError: the file cannot be read, or a whole line is damaged.
    """
    return (entry for _, entry in read_from(path))


def read_from(path: Path, offset: int = 0) -> Iterator[tuple[int, Recorded | Connected]]:
    """Read from an offset on; each entry comes with the offset of the next one.

    Args:
        path: the file.
        offset: in uncompressed bytes; within a line, reading begins at the next one.

    Raises:
        RecordingError: as above.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            place = offset
            if offset:
                file.seek(offset - 1)
                place += len(file.readline()) - 1
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    return
                place += len(line)
                try:
                    yield place, _Line.model_validate_json(line).entry()
                except ValueError as error:
                    where = f"the line that ends at byte {place}" if offset else f"line {number}"
                    raise RecordingError(
                        f"cannot read the history {path}: {where} is not a message"
                    ) from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise RecordingError(f"cannot read the history {path}: it is damaged: {error}") from error
    except OSError as error:
        raise RecordingError(f"cannot read the history {path}: {error.strerror}") from error


def _whole(file: FileIO) -> int:
    """The number of bytes up to the end of the last complete line."""
    end = file.seek(0, os.SEEK_END)
    while end:
        start = max(0, end - _CHUNK)
        file.seek(start)
        newline = (file.read(end - start) or b"").rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0
