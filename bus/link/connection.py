"""One MQTT connection of our own, on a transport of asyncio (docs/adr/0003).

It sends without waiting and notes what the broker denied: the outbox repeats what is not answered,
so nothing here needs to wait for an acknowledgement.
"""

import asyncio
import logging
import ssl
from collections.abc import Sequence
from typing import cast

from bus.contract.errors import LinkError, NotGrantedError, OversizeError
from bus.link.base import Incoming, Outgoing, Subscription
from bus.link.dialling import connect
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
from bus.link.keep_alive import KeepAlive
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
from bus.link.window import Window

logger = logging.getLogger("storebus.link")

_ARRIVED = 20_000
"""Received messages that wait to be taken."""
_UNSENT = 32 * 1024 * 1024
"""Bytes that the broker does not take."""
_PATIENCE = 5.0
"""Seconds to wait for a connection, and for each answer of the broker."""
_GOODBYE = 1.0
"""Seconds that the broker may take for what waits, and then to hang up."""
_LARGEST_IDENTIFIER = 0xFFFF


class Connection(asyncio.Protocol):
    """A client's side of one connection.

    Args:
        introduction: what the client says of itself.
    """

    def __init__(self, introduction: Introduction) -> None:
        self.denied: list[str] = []
        """Topics that the broker's access list denied (MQTT 5 only)."""
        self.arrived: asyncio.Queue[Incoming | None] = asyncio.Queue(_ARRIVED)
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
        self._window = Window(self._write)
        self._keep_alive = KeepAlive(
            introduction.keep_alive, lambda: self._write(PINGREQ), self.abort
        )
        self._identifier = 0
        self._unread, self._unsent = bytearray(), bytearray()
        self._flushing = False
        self._left = False

    async def open(self, host: str, port: int, tls: ssl.SSLContext | None) -> int:
        """Connect to a broker.

        Returns:
            The reason code of its answer.

        Raises:
            OSError: there is none, or it says nothing (`TimeoutError`) or hangs up.
        """
        await connect(self, host, port, tls, _PATIENCE)
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
        if unsent > _UNSENT or self._window.is_full:
            raise LinkError("the message was not sent: too many wait already")
        if message.retain and not self.granted.retain:
            raise NotGrantedError("the broker keeps no retained messages")
        identifier = self._next_identifier() if qos else 0
        packet = write_publish(message, qos, identifier, self._properties_of(message))
        if self.granted.largest is not None and len(packet) > self.granted.largest:
            raise OversizeError("packet", len(packet), self.granted.largest)
        if qos:
            self._window.send(identifier, message.topic, packet)
        else:
            self._write(packet)

    async def leave(self) -> None:
        """Say goodbye, and let the broker hang up.

        Hanging up while something is still arriving makes TCP reset the connection: the last
        messages are lost, and the last will is published in their place.
        """
        try:
            all_out = self._window.when_empty()
            if all_out is not None and not self.ended:
                await asyncio.wait({all_out, self._lost}, timeout=_GOODBYE)
            if not self.ended:
                self._window.send_all()
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
            self._keep_alive.sent()
            self._transport.write(unsent)

    # -- in -----------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the CONNECT."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass of it
        self._write(write_connect(self._introduction))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - it is lost anyhow
        """Tell everything that waits."""
        self.ended = True
        self._keep_alive.end()
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
        self._keep_alive.received()
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
        """Hang up without a goodbye."""
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
            self._keep_alive.answered()
        elif kind == DISCONNECTED and self._v5:
            self.why_lost = name_of(read_disconnect(packet))
            self.abort()
        else:
            raise ValueError(f"a packet of an unexpected kind, {kind:#x}")

    def _take_connack(self, packet: bytes) -> None:
        welcome = read_connack(packet, v5=self._v5)
        self.granted = welcome.granted
        self._window.narrow(self.granted.at_once)
        self._welcome.set_result(welcome)
        if not is_refused(welcome.reason):
            self._keep_alive.begin(welcome.keep_alive)

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
        if self._left:
            return
        topic = self._window.acknowledged(identifier)
        if topic is not None and is_refused(reason):
            self.denied.append(topic)
