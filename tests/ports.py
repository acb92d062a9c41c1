"""Ports for what a test starts, and may start again, at a place that is known beforehand."""

import random
import socket
from contextlib import ExitStack

_UNUSED = range(15_000, 32_000)
"""The kernel hands none of these to a connection or to whoever asks for any port: so nothing takes
one while its server is not up."""


def free_port(count: int = 1) -> int:
    """A port, and the next ones, that nobody listens on."""
    while True:
        first = random.choice(_UNUSED)
        with ExitStack() as stack:
            try:
                for port in range(first, first + count):
                    listener = stack.enter_context(socket.socket())
                    listener.bind(("127.0.0.1", port))
            except OSError:
                continue
            return first
