"""aiomqtt's client with shortcuts past it and past paho (docs/adr/0003)."""

import asyncio
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import aiomqtt
from paho.mqtt import MQTTException
from paho.mqtt.client import ConnectFlags, DisconnectFlags
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from bus.contract.errors import LinkError, NotGrantedError, OversizeError
from bus.link.base import Incoming, Outgoing
from bus.link.buffered import BufferedSocket
from bus.link.granted import Granted
from bus.link.packets import (
    DISCONNECT,
    PUBACK,
    PUBLISH,
    find_packet,
    pack_properties,
    read_puback,
    read_publish,
    write_puback,
    write_publish,
)

_INFLIGHT = 1000
"""QoS 1 messages that are not acknowledged yet; fewer if the broker says so."""
_QUEUED = 20_000
"""QoS 1 messages that wait for an acknowledgement of others."""
_UNSENT = 32 * 1024 * 1024
"""Bytes that the broker does not take."""
_GOODBYE = 1.0
"""Seconds that the broker may take for what waits, and then to hang up."""
_PIECE = 65_536
_FAILURE = 0x80
"""The first reason code that says no (MQTT 5 section 2.4)."""


class Client(aiomqtt.Client):
    """An aiomqtt client that sends without waiting and sees what the broker denied.

    aiomqtt 2.5 waits for the acknowledgement of each publish and drops its reason code. The
    outbox repeats what is not answered, so nothing here needs to wait. PUBLISH and PUBACK do not
    go through paho at all.

    Args:
        queued: how many received messages may wait to be taken.
        properties: whether what is sent has MQTT 5 properties.
    """

    def __init__(self, *args: Any, queued: int, properties: bool, **kwargs: Any) -> None:
        self.denied: list[str] = []
        """Topics that the broker's access list denied (MQTT 5 only)."""
        self.arrived: asyncio.Queue[Incoming | None] = asyncio.Queue(queued)
        """What was received; None at its end."""
        self.granted = Granted()
        """What the broker has granted."""
        self.ended = False
        """Whether the connection has ended; aiomqtt forgets it when that comes with the CONNACK."""
        self.why_lost = ""
        """What the broker said when it ended the connection."""
        self._unacknowledged: dict[int, str] = {}  # topics by packet identifier
        self._at_once = _INFLIGHT
        self._waiting: deque[tuple[int, str, bytes]] = deque()  # identifier, topic, packet
        self._all_out: asyncio.Future[None] | None = None
        """Set, by whoever wants to leave, for when nothing waits any more."""
        self._unread = bytearray()
        self._thread = threading.get_ident()
        self._flushing = False
        self._left = False
        super().__init__(*args, **kwargs)
        self._v5 = kwargs["protocol"] == aiomqtt.ProtocolVersion.V5
        self._with_properties = properties
        paho: Any = self._client
        self._paho = paho
        self._connect = paho._create_socket
        paho._create_socket = self._create_socket
        paho.loop_read = self._read

    def post(self, message: Outgoing, qos: int) -> None:
        """Send a message, as soon as there is room for it.

        Raises:
            NotGrantedError: the broker would end the connection over it.
            LinkError: the connection is gone, or too much waits already.
            ValueError: the message cannot be written.
        """
        sock = self._paho.socket()
        if sock is None or self._left:
            raise LinkError("the message was not sent: the connection is gone")
        if len(sock.unsent) > _UNSENT or len(self._waiting) == _QUEUED:
            raise LinkError("the message was not sent: too many wait already")
        if message.retain and not self.granted.retain:
            raise NotGrantedError("the broker keeps no retained messages")
        identifier = self._paho._mid_generate() if qos else 0
        packet = write_publish(message, qos, identifier, self._properties_of(message))
        if self.granted.largest is not None and len(packet) > self.granted.largest:
            raise OversizeError("packet", len(packet), self.granted.largest)
        if qos and len(self._unacknowledged) >= self._at_once:
            self._waiting.append((identifier, message.topic, packet))
        else:
            self._publish(sock, identifier, message.topic, packet)

    def _properties_of(self, message: Outgoing) -> bytes:
        if self._with_properties:
            return pack_properties(message)
        return b"\x00" if self._v5 else b""

    def _publish(self, sock: BufferedSocket, identifier: int, topic: str, packet: bytes) -> None:
        sock.unsent += packet
        if identifier:
            self._unacknowledged[identifier] = topic
        self._flush_soon()

    def when_lost(self, tell: Callable[[], None]) -> None:
        """Call once when the connection is gone.

        aiomqtt's own iterator makes a task for each message to notice that.
        """

        def lost(ended: "asyncio.Future[None]") -> None:
            ended.exception()  # it has been seen
            tell()

        self._disconnected.add_done_callback(lost)

    async def leave(self) -> None:
        """Say goodbye, and let the broker hang up.

        Whoever hangs up while something is on its way to him takes back his last words (TCP
        resets the connection), and his last will is published in their place.
        """
        if self._waiting:
            self._all_out = self._loop.create_future()
            await asyncio.wait({self._all_out, self._disconnected}, timeout=_GOODBYE)
        sock = self._paho.socket()
        if sock is None or self._disconnected.done():
            return
        for waiting in self._waiting:  # a broker that takes no more is told all the same
            self._publish(sock, *waiting)
        sock.unsent += DISCONNECT
        self._left = True
        self._flush_soon()
        await asyncio.wait({self._disconnected}, timeout=_GOODBYE)

    # -- out ----------------------------------------------------------------------------------

    def _create_socket(self) -> BufferedSocket:
        connected = self._connect()
        # aiomqtt's own socket options are for real sockets only, and it says nothing. Without this
        # one an acknowledgement waits 40 ms for another (Nagle against delayed ACK).
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return BufferedSocket(connected)

    def _on_socket_register_write(self, client: Any, userdata: Any, sock: Any) -> None:
        """Write at the end of this turn of the loop instead of asking the selector first."""
        if threading.get_ident() != self._thread:
            super()._on_socket_register_write(client, userdata, sock)
        else:
            self._flush_soon()

    def _flush_soon(self) -> None:
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        self._flushing = False
        sock = self._paho.socket()
        if sock is None:
            return
        try:
            sock.hold()
            if self._client.want_write():
                self._client.loop_write()
            sock.flush()
        except Exception as error:  # noqa: BLE001 - as aiomqtt does: any failure ends the link
            if not self._disconnected.done():
                self._disconnected.set_exception(error)
            return
        if self._paho.socket() is not sock:
            return
        if sock.unsent or self._client.want_write():
            self._loop.add_writer(sock.fileno(), self._flush)
        else:
            self._loop.remove_writer(sock.fileno())

    # -- in -----------------------------------------------------------------------------------

    def _on_connect(
        self,
        client: Any,
        userdata: Any,
        flags: ConnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        self.granted = Granted.read(properties)
        self._at_once = min(self.granted.at_once or _INFLIGHT, _INFLIGHT)
        super()._on_connect(client, userdata, flags, reason_code, properties)

    def _on_disconnect(
        self,
        client: Any,
        userdata: Any,
        flags: DisconnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        self.ended = True
        if not self._connected.done():  # aiomqtt would wait until its patience ends
            self._connected.set_exception(aiomqtt.MqttError("it hung up without an answer"))
        elif flags.is_disconnect_packet_from_server:
            self.why_lost = str(reason_code)
        super()._on_disconnect(client, userdata, flags, reason_code, properties)

    def _read(self) -> MQTTErrorCode:
        """Take what has arrived; in place of paho's `loop_read`."""
        sock = self._paho.socket()
        if sock is None:
            return MQTTErrorCode.MQTT_ERR_NO_CONN
        try:
            received = sock.recv(_PIECE)
        except (BlockingIOError, ssl.SSLWantReadError):
            return MQTTErrorCode.MQTT_ERR_SUCCESS
        except OSError:
            received = b""
        result = MQTTErrorCode.MQTT_ERR_CONN_LOST
        if received:
            self._paho._last_bytes_received = time.monotonic()
            self._unread += received
            try:
                result = self._take_packets()
            except (ValueError, IndexError, MQTTException) as error:
                self._logger.warning("the broker breaks the protocol: %s", error)
                result = MQTTErrorCode.MQTT_ERR_PROTOCOL
        if result:
            ended: MQTTErrorCode = self._paho._loop_rc_handle(result)
            return ended
        return result

    def _take_packets(self) -> MQTTErrorCode:
        at, result = 0, MQTTErrorCode.MQTT_ERR_SUCCESS
        while at < len(self._unread) and not result:
            found = find_packet(self._unread, at)
            if found is None:
                break
            first, packet = self._unread[at], bytes(self._unread[found[0] : found[1]])
            kind, at = first & 0xF0, found[1]
            if kind == PUBLISH:
                self._take_publish(first, packet)
            elif kind == PUBACK:
                self._take_puback(packet)
            else:
                result = self._hand_on(first, packet)
        del self._unread[:at]
        return result

    def _take_publish(self, first: int, packet: bytes) -> None:
        message, identifier = read_publish(first, packet, v5=self._v5)
        if self.arrived.full():
            self._logger.warning("the queue is full: a message is dropped")
        else:
            self.arrived.put_nowait(message)
        sock = self._paho.socket()
        if identifier is not None and sock is not None and not self._left:
            sock.unsent += write_puback(identifier)
            self._flush_soon()

    def _take_puback(self, packet: bytes) -> None:
        identifier, reason = read_puback(packet)
        topic = self._unacknowledged.pop(identifier, None)
        if topic is not None and reason >= _FAILURE:
            self.denied.append(topic)
        sock = self._paho.socket()
        if self._waiting and sock is not None and not self._left:
            self._publish(sock, *self._waiting.popleft())
            if not self._waiting and self._all_out is not None and not self._all_out.done():
                self._all_out.set_result(None)

    def _hand_on(self, first: int, packet: bytes) -> MQTTErrorCode:
        """Whatever is not about messages is paho's."""
        paho = self._paho
        paho._in_packet |= {
            "command": first,
            "remaining_length": len(packet),
            "packet": bytearray(packet),
        }
        handled: MQTTErrorCode = paho._packet_handle()
        return handled
