"""A TCP relay before a broker, which passes MQTT packets on and can cut connections.

It knows the boundaries of MQTT packets, but no nodes, channels or messages.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Self

from bus.link.packets import find_packet

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Dial = Callable[[bytes], Awaitable[Stream]]


class PacketReader:
    """Reads whole packets from a stream."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._received = bytearray()

    async def packet(self) -> bytes:
        """The next packet, with its fixed header.

        Raises:
            EOFError: the connection has ended.
            OSError: the connection is lost.
            ValueError: the length of the packet has no end.
        """
        while (found := find_packet(self._received, 0)) is None:
            chunk = await self._reader.read(65_536)
            if not chunk:
                raise EOFError
            self._received += chunk
        _, end = found
        packet = bytes(self._received[:end])
        del self._received[:end]
        return packet


class Relay:
    """Relays between clients and a broker.

    Args:
        dial: connects to the broker for a client, given its first packet (CONNECT).
    """

    def __init__(self, dial: Dial) -> None:
        self.port = 0
        self._dial = dial
        self._connections: set[asyncio.Task[None]] = set()
        self._host = ""
        self._server: asyncio.Server

    @property
    def connections(self) -> int:
        """How many clients are connected now."""
        return len(self._connections)

    def cut(self) -> None:
        """Break every connection, without DISCONNECT."""
        for connection in self._connections:
            connection.cancel()

    @asynccontextmanager
    async def running(self, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[Self]:
        """Accept connections within the block; a port of 0 picks a free one.

        Raises:
            OSError: nothing can listen there.
        """
        self._host, self.port = host, port
        await self.come_back()
        try:
            yield self
        finally:
            self.go_down()
            await asyncio.gather(*self._connections, return_exceptions=True)

    def go_down(self) -> None:
        """Break every connection and refuse new ones, as if the broker was killed."""
        self._server.close()
        self.cut()

    async def come_back(self) -> None:
        """Accept connections again, at the same port.

        Raises:
            OSError: nothing can listen there.
        """
        self._server = await asyncio.start_server(self._accept, self._host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            with suppress(OSError, EOFError, ValueError, asyncio.CancelledError):
                packets = PacketReader(reader)
                first = await packets.packet()
                broker = await self._dial(first)
                try:
                    broker[1].write(first)
                    await self._join(first, packets, writer, broker)
                finally:
                    broker[1].transport.abort()
        finally:
            writer.transport.abort()
            self._connections.discard(task)

    async def _join(
        self, first: bytes, packets: PacketReader, client: asyncio.StreamWriter, broker: Stream
    ) -> None:
        """Relay in both directions until one of them ends.

        Args:
            first: the client's first packet, which has been sent already.
            packets: what else the client sends.
            client: to the client.
            broker: from and to the broker.
        """
        raise NotImplementedError
