"""A socket that reads and writes in large pieces.

paho reads a packet in three to four calls and writes each packet in one of its own. Each of them
lets go of the interpreter, which a journal's thread may then keep for a while.
"""

import socket
import ssl
from contextlib import suppress
from typing import Any

_PIECE = 65_536


class BufferedSocket:
    """Stands in for a connected, non-blocking socket.

    Args:
        connected: the socket, or one with TLS.
    """

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._tls = connected if isinstance(connected, ssl.SSLSocket) else None
        self._read = b""
        self._at = 0
        self.unsent = bytearray()
        """What was sent and is not on its way yet."""
        self._held = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)

    def recv(self, size: int) -> bytes:
        """At most so many bytes; as the socket's own."""
        if self._at == len(self._read):
            self._read, self._at = self._socket.recv(_PIECE), 0
        start = self._at
        self._at = min(start + size, len(self._read))
        return self._read[start : self._at]

    def pending(self) -> int:
        """How many bytes can be read although the socket has nothing to read."""
        here = len(self._read) - self._at
        return here + (self._tls.pending() if self._tls is not None else 0)

    def hold(self) -> None:
        """Collect what is sent until `flush`."""
        self._held = True

    def send(self, data: bytes) -> int:
        """Send, or keep for the next flush; as the socket's own."""
        if self._held and len(self.unsent) < _PIECE:
            self.unsent += data
            return len(data)
        self._push()
        if self.unsent:
            raise BlockingIOError
        return self._socket.send(data)

    def flush(self) -> None:
        """Send what was held; what does not go out now stays in `unsent`."""
        self._held = False
        self._push()

    def _push(self) -> None:
        with suppress(BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            while self.unsent:
                del self.unsent[: self._socket.send(self.unsent)]

    def close(self) -> None:
        """Send what can still be sent, and close."""
        with suppress(OSError):
            self._push()
        self._socket.close()
