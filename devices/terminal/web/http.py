"""Limits for uvicorn's HTTP/1.1: time-outs for half-sent requests, and connections per address.

uvicorn itself has a time-out only between two requests, and a limit only on the connections of all
clients together.
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
    """The limits of a connection and of an address."""

    head: float
    """Seconds until the head of a request must be complete, from the beginning of the connection or
    from its first byte."""
    body: float
    """Seconds until its body must be complete."""
    connections: int
    """The most connections of an address."""
    proxies: str = ""
    """Addresses and networks without that limit, separated by commas, since all clients are behind
    them."""
    open: Counter[str] = field(default_factory=Counter)
    """Open connections by address."""


class LimitedProtocol(H11Protocol):
    """A connection with time-outs."""

    patience: ConnectionLimits

    _late: asyncio.TimerHandle | None = None
    _waits_for: str = ""
    _address: str = ""

    def connection_made(self, transport: Any) -> None:
        """Count the connection, or refuse it."""
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
        """Stop counting the connection."""
        self._wait_for("")
        if self._address:
            self.patience.open[self._address] -= 1
            if not self.patience.open[self._address]:
                del self.patience.open[self._address]
            self._address = ""
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take data, and set the time-out for what is missing."""
        if self.transport.is_closing():
            return
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        """Set the time-out for the next request."""
        super().on_response_complete()
        self._look()

    def _look(self) -> None:
        """Set the time-out for what is missing of the request."""
        state = self.conn.their_state
        if state is h11.SEND_BODY:
            self._wait_for("body")
        elif state is h11.IDLE and self.conn.trailing_data[0]:
            self._wait_for("head")
        else:  # between two requests uvicorn has a time-out
            self._wait_for("")

    def _wait_for(self, what: str) -> None:
        if what == self._waits_for:
            return  # more bytes do not extend it
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
    """The protocol class for uvicorn's `http` setting."""
    return type("Protocol", (LimitedProtocol,), {"patience": patience})


def _is_among(address: str, trusted: str) -> bool:
    """Whether an address is in a list of addresses and networks; `*` is every address."""
    for each in filter(None, map(str.strip, trusted.split(","))):
        if each in ("*", address):
            return True
        try:
            if ipaddress.ip_address(address) in ipaddress.ip_network(each):
                return True
        except ValueError:
            continue  # a name, or another version of IP
    return False
