"""HTTP/1.1 as uvicorn speaks it, with an end to whoever sends half a request, or opens too much.

uvicorn has a time-out for the time between two requests only, and bounds only what all clients
open together.
"""

import asyncio
import ipaddress
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

_SAID = b"Too many connections from here; close some of them.\n"
_REFUSED = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"retry-after: 5\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%s" % (len(_SAID), _SAID)
)


@dataclass(slots=True)
class ConnectionLimits:
    """What one connection, and one address, may take."""

    head: float
    """Seconds in which the head of a request is to be there, from the connection's beginning or
    from its first byte."""
    body: float
    """Seconds in which the whole of its body is to be there."""
    connections: int
    """That one address may hold open."""
    proxies: str = ""
    """Addresses and networks for which that does not hold, with commas: everybody is behind
    them."""
    open: Counter[str] = field(default_factory=Counter)
    """Connections by address."""


class LimitedProtocol(H11Protocol):
    """One connection."""

    patience: ConnectionLimits

    _late: asyncio.TimerHandle | None = None
    _waits_for: str = ""
    _address: str = ""

    def connection_made(self, transport: Any) -> None:
        """Somebody is there, and has not said anything yet."""
        super().connection_made(transport)
        address = self.client[0] if self.client else ""
        if not _is_among(address, self.patience.proxies):
            if self.patience.open[address] >= self.patience.connections:
                transport.write(_REFUSED)
                transport.close()
                return
            self.patience.open[address] += 1
            self._address = address
        self._wait_for("head")

    def connection_lost(self, exc: Exception | None) -> None:
        """They have gone."""
        self._wait_for("")
        if self._address:
            self.patience.open[self._address] -= 1
            if not self.patience.open[self._address]:
                del self.patience.open[self._address]
            self._address = ""
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Some of a request."""
        if self.transport.is_closing():
            return
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        """It was answered."""
        super().on_response_complete()
        self._look()

    def _look(self) -> None:
        """What is missing now decides how long it may take."""
        state = self.conn.their_state
        if state is h11.SEND_BODY:
            self._wait_for("body")
        elif state is h11.IDLE and self.conn.trailing_data[0]:
            self._wait_for("head")
        else:  # between two requests uvicorn's own time-out counts
            self._wait_for("")

    def _wait_for(self, what: str) -> None:
        if what == self._waits_for:
            return  # further bytes buy no time
        self._waits_for = what
        if self._late is not None:
            self._late.cancel()
            self._late = None
        if what:
            seconds = self.patience.head if what == "head" else self.patience.body
            self._late = self.loop.call_later(seconds, self._give_up)

    def _give_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.abort()


def protocol_with(patience: ConnectionLimits) -> type[H11Protocol]:
    """The protocol class that uvicorn is given for its `http` setting."""
    return type("Protocol", (LimitedProtocol,), {"patience": patience})


def _is_among(address: str, trusted: str) -> bool:
    """Whether an address is one of those, or in one of those networks; `*` is every one."""
    for each in filter(None, map(str.strip, trusted.split(","))):
        if each in ("*", address):
            return True
        try:
            if ipaddress.ip_address(address) in ipaddress.ip_network(each):
                return True
        except ValueError:
            continue  # a name, or another version of IP
    return False
