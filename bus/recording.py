"""The history of a store's messages as a file: JSON lines, one message a line.

The only place that knows the format. Payloads are text where they are UTF-8, base64 otherwise.
"""

import os
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict

from bus.envelope import rfc3339
from bus.errors import JournalError
from bus.link import Incoming

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Recorded:
    """A message and when the recorder received it."""

    at: int
    """Milliseconds since the epoch."""
    message: Incoming


@dataclass(frozen=True, slots=True)
class Connected:
    """From here on the recorder heard everything; what was said just before may be missing."""

    at: int
    """Milliseconds since the epoch."""


class _Line(BaseModel):
    """A line of the file; what a message does not have is left out."""

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


class Recording:
    """A history that is being written; one that is there already is continued.

    Args:
        path: the file. A torn last line, from a crash while it was written, is cut off.

    Raises:
        JournalError: the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.messages = 0
        """How many were written since it was opened."""
        self._path = path
        self._buffer = bytearray()
        try:
            # Purchases carry payment tokens: not for other users of the machine.
            self._file = FileIO(path, "a+", opener=lambda name, how: os.open(name, how, 0o600))
            self._file.truncate(_whole(self._file))
        except OSError as error:
            raise self._unwritten(error) from error

    def connected(self, at: int) -> None:
        """The recorder is connected, for the first time or again."""
        self._add(_Line(at=rfc3339(at), ms=at, connected=True))

    def write(self, at: int, message: Incoming) -> None:
        """A message was received; it is in the file after the next `flush`."""
        correlation, text, base64 = message.correlation, None, None
        try:
            text = message.payload.decode()
        except UnicodeDecodeError:
            base64 = b64encode(message.payload).decode()
        line = _Line(
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
        )
        self._add(line)
        self.messages += 1

    def flush(self) -> None:
        """Hand what was received to the operating system.

        Raises:
            JournalError: the file cannot be written.
        """
        try:
            while self._buffer:
                del self._buffer[: self._file.write(self._buffer)]
        except OSError as error:
            raise self._unwritten(error) from error

    def close(self) -> None:
        """Flush and close."""
        try:
            self.flush()
        finally:
            self._file.close()

    def _add(self, line: _Line) -> None:
        self._buffer += line.model_dump_json(exclude_defaults=True).encode() + b"\n"

    def _unwritten(self, error: OSError) -> JournalError:
        return JournalError(f"cannot write the history {self._path}: {error.strerror}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_recording(path: Path) -> Iterator[Recorded | Connected]:
    """What a history holds, in the order of receipt; a torn last line is left out.

    Raises:
        JournalError: the file cannot be read, or a whole line is damaged.
    """
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    return
                try:
                    yield _Line.model_validate_json(line).entry()
                except ValueError as error:
                    raise JournalError(
                        f"cannot read the history {path}: line {number} is not a message"
                    ) from error
    except OSError as error:
        raise JournalError(f"cannot read the history {path}: {error.strerror}") from error


def _whole(file: FileIO) -> int:
    """How many bytes there are up to the end of the last whole line."""
    end = file.seek(0, os.SEEK_END)
    while end:
        start = max(0, end - _CHUNK)
        file.seek(start)
        newline = (file.read(end - start) or b"").rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0
