"""A socket that writes in large pieces.

paho writes each packet in a call of its own. Each of them lets go of the interpreter, which a
journal's thread may then keep for a while.
"""

import socket
import ssl
from contextlib import suppress
from typing import Any


class BufferedSocket:
    """Stands in for a connected, non-blocking socket.

    Args:
        connected: the socket, or one with TLS.
    """

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self.unsent = bytearray()
        """What was sent and is not on its way yet."""
        self._held = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)

    def hold(self) -> None:
        """Collect what is sent until `flush`."""
        self._held = True

    def send(self, data: bytes) -> int:
        """Send, or keep for later; all of it is taken."""
        self.unsent += data
        if not self._held:
            self._push()
        return len(data)

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
