"""Codes as lines of bytes, as keyboard wedges and serial scanners send them."""

import asyncio
import os
from collections.abc import AsyncGenerator

from devices.terminal.code import is_of_a_code

_LONGEST = 2048
"""The most bytes of a code; longer lines are ignored."""
_CHUNK = 4096


class LineBuffer:
    """Splits incoming bytes into codes."""

    def __init__(self) -> None:
        self._rest = b""
        self._skips = False

    def feed(self, data: bytes) -> list[str]:
        """Take bytes; returns the codes that they complete, ended by CR, LF, CR LF or a tab."""
        *whole, self._rest = (
            (self._rest + data).replace(b"\r", b"\n").replace(b"\t", b"\n").split(b"\n")
        )
        if whole and self._skips:
            del whole[0]
            self._skips = False
        if len(self._rest) > _LONGEST:
            self._rest, self._skips = b"", True
        return [code for line in whole if len(line) <= _LONGEST and (code := _text(line))]

    def end(self) -> list[str]:
        """The last code, if it was not ended."""
        return self.feed(b"\n")


def _text(line: bytes) -> str:
    text = line.decode("utf-8", "replace").strip(" ")
    return "".join(filter(is_of_a_code, text))


async def lines_of(descriptor: int) -> AsyncGenerator[str, None]:
    """The codes from a file descriptor, until its end or until the device is unplugged."""
    lines = LineBuffer()
    while data := await _read(descriptor):
        for code in lines.feed(data):
            yield code
    for code in lines.end():
        yield code


async def _read(descriptor: int) -> bytes:
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    try:
        loop.add_reader(descriptor, ready.set)
    except (OSError, ValueError):
        pass  # a file can always be read
    else:
        try:
            await ready.wait()
        finally:
            loop.remove_reader(descriptor)
    try:
        return os.read(descriptor, _CHUNK)
    except BlockingIOError:
        return await _read(descriptor)
    except OSError:
        return b""  # unplugged
