"""One MQTT connection of our own, on a transport of asyncio (docs/adr/0003).

It sends without waiting and notes what the broker denied: the outbox repeats what is not answered,
so nothing here needs to wait for an acknowledgement.
"""

import asyncio
import logging
import os
import socket
import ssl
from collections import deque
from collections.abc import Sequence

from bus.contract.errors import LinkError, NotGrantedError, OversizeError
from bus.link.base import Incoming, Outgoing, Subscription
from bus.link.granted import Granted
from bus.link.handshake import (
    CONNACK,
    DISCONNECT,
    DISCONNECTED,
    PINGREQ,
    PINGRESP,
    SUBACK,
    Introduction,
    Welcome,
    is_refused,
    read_connack,
    read_disconnect,
    read_suback,
    write_connect,
    write_subscribe,
)
from bus.link.packets import (
    PUBACK,
    PUBLISH,
    find_packet,
    pack_properties,
    read_puback,
    read_publish,
    write_puback,
    write_publish,
)
from bus.link.reasons import name_of

logger = logging.getLogger("storebus.link")

_AT_ONCE = 1000
"""QoS 1 messages that are not acknowledged yet; fewer if the broker says so."""
_WAITING = 20_000
"""QoS 1 messages that wait for an acknowledgement of others, and received ones to be taken."""
_UNSENT = 32 * 1024 * 1024
"""Bytes that the broker does not take."""
_PATIENCE = 5.0
"""Seconds to wait for a connection, and for each answer of the broker."""
_GOODBYE = 1.0
"""Seconds that the broker may take for what waits, and then to hang up."""
_LOOK = 1.0
"""Seconds at most between looks at how long nothing was sent or received."""
_LARGEST_IDENTIFIER = 0xFFFF


class Connection(asyncio.Protocol):
    """A client's side of one connection.

    Args:
        introduction: what it says of itself when it connects.
    """

    def __init__(self, introduction: Introduction) -> None:
        self.denied: list[str] = []
        """Topics that the broker's access list denied (MQTT 5 only)."""
        self.arrived: asyncio.Queue[Incoming | None] = asyncio.Queue(_WAITING)
        """What was received; None at its end."""
        self.granted = Granted()
        """What the broker has granted."""
        self.ended = False
        """Whether the connection has ended or is about to."""
        self.why_lost = ""
        """What the broker said when it ended the connection."""
        self._introduction, self._v5 = introduction, introduction.v5
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._welcome: asyncio.Future[Welcome] = self._loop.create_future()
        self._lost: asyncio.Future[None] = self._loop.create_future()
        self._subscribing: dict[int, asyncio.Future[bytes]] = {}  # by packet identifier
        self._unacknowledged: dict[int, str] = {}  # topics by packet identifier
        self._at_once = _AT_ONCE
        self._waiting: deque[tuple[int, str, bytes]] = deque()  # identifier, topic, packet
        self._all_out: asyncio.Future[None] | None = None
        """Set, by whoever wants to leave, for when nothing waits any more."""
        self._identifier = 0
        self._unread, self._unsent = bytearray(), bytearray()
        self._flushing = False
        self._left = False
        self._keep_alive = introduction.keep_alive
        self._sent_at = self._received_at = self._loop.time()
        self._pinged_at: float | None = None
        self._looking: asyncio.TimerHandle | None = None

    async def open(self, host: str, port: int, tls: ssl.SSLContext | None) -> int:
        """Connect to a broker.

        Returns:
            The reason code of its answer.

        Raises:
            OSError: there is none, or it says nothing (`TimeoutError`) or hangs up.
        """
        try:
            async with asyncio.timeout(_PATIENCE):
                dialled = await _dial(host, port)
                try:
                    await self._loop.create_connection(
                        lambda: self, sock=dialled, ssl=tls, server_hostname=host if tls else None
                    )
                except BaseException:
                    dialled.close()
                    raise
        except TimeoutError as error:
            raise TimeoutError("timed out") from error
        try:
            async with asyncio.timeout(_PATIENCE):
                welcome = await self._welcome
        except TimeoutError as error:
            raise TimeoutError("Operation timed out") from error
        finally:
            if not self._welcome.done() or self._welcome.cancelled():
                self._transport.abort()
        return welcome.reason

    async def subscribe(self, subscriptions: Sequence[Subscription], max_qos: int) -> bytes:
        """Subscribe to all in one packet.

        Returns:
            A reason code for each.

        Raises:
            LinkError: the connection is gone, or the broker says nothing.
        """
        if self.ended or self._left:
            raise LinkError(self.lost_text)
        identifier = self._next_identifier()
        answer: asyncio.Future[bytes] = self._loop.create_future()
        self._subscribing[identifier] = answer
        self._write(write_subscribe(identifier, subscriptions, max_qos, v5=self._v5))
        try:
            async with asyncio.timeout(_PATIENCE):
                return await answer
        except TimeoutError as error:
            raise LinkError("Operation timed out") from error
        finally:
            self._subscribing.pop(identifier, None)

    def post(self, message: Outgoing, qos: int) -> None:
        """Send a message, as soon as there is room for it.

        Raises:
            NotGrantedError: the broker would end the connection over it.
            LinkError: the connection is gone, or too much waits already.
            ValueError: the message cannot be written.
        """
        if self.ended or self._left:
            raise LinkError("the message was not sent: the connection is gone")
        unsent = len(self._unsent) + self._transport.get_write_buffer_size()
        if unsent > _UNSENT or len(self._waiting) == _WAITING:
            raise LinkError("the message was not sent: too many wait already")
        if message.retain and not self.granted.retain:
            raise NotGrantedError("the broker keeps no retained messages")
        identifier = self._next_identifier() if qos else 0
        packet = write_publish(message, qos, identifier, self._properties_of(message))
        if self.granted.largest is not None and len(packet) > self.granted.largest:
            raise OversizeError("packet", len(packet), self.granted.largest)
        if qos and len(self._unacknowledged) >= self._at_once:
            self._waiting.append((identifier, message.topic, packet))
        else:
            self._publish(identifier, message.topic, packet)

    async def leave(self) -> None:
        """Say goodbye, and let the broker hang up.

        Whoever hangs up while something is on its way to him takes back his last words (TCP
        resets the connection), and his last will is published in their place.
        """
        try:
            if self._waiting and not self.ended:
                self._all_out = self._loop.create_future()
                await asyncio.wait({self._all_out, self._lost}, timeout=_GOODBYE)
            if not self.ended:
                for waiting in self._waiting:  # a broker that takes no more is told all the same
                    self._publish(*waiting)
                self._write(DISCONNECT)
                self._left = True
                await asyncio.wait({self._lost}, timeout=_GOODBYE)
        finally:
            self._transport.abort()

    @property
    def lost_text(self) -> str:
        """That the connection is lost, and why, if the broker said so."""
        return "the connection to the broker is lost" + (
            f": {self.why_lost}" if self.why_lost else ""
        )

    # -- out ----------------------------------------------------------------------------------

    def _next_identifier(self) -> int:
        self._identifier = self._identifier % _LARGEST_IDENTIFIER + 1
        return self._identifier

    def _properties_of(self, message: Outgoing) -> bytes:
        if self._introduction.properties:
            return pack_properties(message)
        return b"\x00" if self._v5 else b""

    def _publish(self, identifier: int, topic: str, packet: bytes) -> None:
        if identifier:
            self._unacknowledged[identifier] = topic
        self._write(packet)

    def _write(self, packet: bytes) -> None:
        """Send at the end of this turn of the loop, with whatever else there is by then."""
        self._unsent += packet
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = False
        if not self.ended:
            unsent, self._unsent = self._unsent, bytearray()
            self._sent_at = self._loop.time()
            self._transport.write(unsent)

    def _look(self) -> None:
        """Ping a broker after a silence; one that does not answer that is lost."""
        now = self._loop.time()
        if self._pinged_at is not None and now - self._pinged_at >= self._keep_alive:
            self.abort()
            return
        if self._pinged_at is None and (
            now - min(self._sent_at, self._received_at) >= self._keep_alive
        ):
            self._pinged_at = self._received_at = now
            self._write(PINGREQ)
        self._looking = self._loop.call_later(min(_LOOK, self._keep_alive / 4), self._look)

    # -- in -----------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Introduce oneself."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._write(write_connect(self._introduction))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - it is lost anyhow
        """Tell everybody who waits."""
        self.ended = True
        if self._looking is not None:
            self._looking.cancel()
        if not self._welcome.done():
            self._welcome.set_exception(ConnectionError("it hung up without an answer"))
            self._welcome.exception()  # whoever does not wait for it any more need not know
        for answer in self._subscribing.values():
            if not answer.done():
                answer.set_exception(LinkError(self.lost_text))
        if not self._lost.done():
            self._lost.set_result(None)
        if self.arrived.full():
            self.arrived.get_nowait()  # what a full queue still holds is repeated
        self.arrived.put_nowait(None)

    def data_received(self, data: bytes) -> None:
        """Take the packets that have arrived."""
        self._received_at = self._loop.time()
        self._unread += data
        at = 0
        try:
            while at < len(self._unread) and not self.ended:
                found = find_packet(self._unread, at)
                if found is None:
                    break
                first, packet = self._unread[at], bytes(self._unread[found[0] : found[1]])
                at = found[1]
                self._take(first, packet)
        except (ValueError, IndexError) as error:
            logger.warning("the broker breaks the protocol: %s", error)
            self.abort()
        del self._unread[:at]

    def abort(self) -> None:
        """Hang up without a word."""
        self.ended = True
        self._transport.abort()

    def _take(self, first: int, packet: bytes) -> None:
        kind = first & 0xF0
        if kind == PUBLISH:
            self._take_publish(first, packet)
        elif kind == PUBACK:
            self._take_puback(packet)
        elif kind == CONNACK and not self._welcome.done():
            self._take_connack(packet)
        elif kind == SUBACK:
            identifier, reasons = read_suback(packet, v5=self._v5)
            answer = self._subscribing.get(identifier)
            if answer is not None and not answer.done():
                answer.set_result(reasons)
        elif kind == PINGRESP:
            self._pinged_at = None
        elif kind == DISCONNECTED and self._v5:
            self.why_lost = name_of(read_disconnect(packet))
            self.abort()
        else:
            raise ValueError(f"a packet of an unexpected kind, {kind:#x}")

    def _take_connack(self, packet: bytes) -> None:
        welcome = read_connack(packet, v5=self._v5)
        self.granted = welcome.granted
        self._at_once = min(self.granted.at_once or _AT_ONCE, _AT_ONCE)
        self._keep_alive = welcome.keep_alive or self._keep_alive
        self._welcome.set_result(welcome)
        if not is_refused(welcome.reason):
            self._look()

    def _take_publish(self, first: int, packet: bytes) -> None:
        message, identifier = read_publish(first, packet, v5=self._v5)
        if self.arrived.full():
            logger.warning("the queue is full: a message is dropped")
        else:
            self.arrived.put_nowait(message)
        if identifier is not None and not self._left:
            self._write(write_puback(identifier))

    def _take_puback(self, packet: bytes) -> None:
        identifier, reason = read_puback(packet)
        topic = self._unacknowledged.pop(identifier, None)
        if topic is not None and is_refused(reason):
            self.denied.append(topic)
        if self._waiting and not self._left:
            self._publish(*self._waiting.popleft())
            if not self._waiting and self._all_out is not None and not self._all_out.done():
                self._all_out.set_result(None)


async def _dial(host: str, port: int) -> socket.socket:
    """A socket that is connected to the first address that takes it.

    Raises:
        OSError: none does; the words are the operating system's.
    """
    loop, failure = asyncio.get_running_loop(), OSError("no address")
    for family, kind, proto, _, address in await loop.getaddrinfo(
        host, port, type=socket.SOCK_STREAM
    ):
        dialled = socket.socket(family, kind, proto)
        try:
            dialled.setblocking(False)
            # Without it an acknowledgement waits 40 ms for another (Nagle against delayed ACK).
            dialled.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await loop.sock_connect(dialled, address)
        except OSError as error:
            dialled.close()
            failure = OSError(error.errno, os.strerror(error.errno)) if error.errno else error
        except BaseException:
            dialled.close()
            raise
        else:
            return dialled
    raise failure
