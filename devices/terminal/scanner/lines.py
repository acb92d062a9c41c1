"""Codes as lines of bytes: what wedges and serial scanners send, each ended by Enter."""

import asyncio
import os
from collections.abc import AsyncGenerator

from devices.terminal.code import is_of_a_code

_LONGEST = 2048
"""Bytes of a code; a line that is longer is none, and is left out as a whole."""
_CHUNK = 4096


class LineBuffer:
    """Puts codes together from what arrives, in whatever pieces."""

    def __init__(self) -> None:
        self._rest = b""
        self._skips = False

    def feed(self, data: bytes) -> list[str]:
        """The codes that `data` completes; CR, LF, CR LF or a tab ends one."""
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
        """The last code, if nothing ended it."""
        return self.feed(b"\n")


def _text(line: bytes) -> str:
    text = line.decode("utf-8", "replace").strip(" ")
    return "".join(filter(is_of_a_code, text))


async def lines_of(descriptor: int) -> AsyncGenerator[str, None]:
    """The codes that arrive at a file descriptor, until its end or until the device is gone."""
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
        pass  # a file never makes anybody wait
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
