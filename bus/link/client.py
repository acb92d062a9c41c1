"""aiomqtt's client with shortcuts past it and past paho (docs/adr/0003)."""

import asyncio
import socket
import threading
from collections.abc import Callable
from typing import Any

import aiomqtt
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from bus.errors import LinkError
from bus.link.base import Incoming, Outgoing
from bus.link.buffered import BufferedSocket
from bus.link.packets import PublishProperties, read_publish


class Client(aiomqtt.Client):
    """An aiomqtt client that sends without waiting and sees what the broker denied.

    aiomqtt 2.5 waits for the acknowledgement of each publish and drops its reason code. The
    outbox repeats what is not answered, so nothing here needs to wait.
    """

    def __init__(self, *args: Any, queued: int, **kwargs: Any) -> None:
        self.denied: list[str] = []
        self._topics: dict[int, str] = {}
        self._thread = threading.get_ident()
        self._flushing = False
        super().__init__(*args, **kwargs)
        paho: Any = self._client
        self._v5 = kwargs["protocol"] == aiomqtt.ProtocolVersion.V5
        self._connect = paho._create_socket
        paho._create_socket = self._create_socket
        paho._handle_publish = self._handle_publish
        self.arrived: asyncio.Queue[Incoming | None] = asyncio.Queue(queued)
        """What was received; None at its end."""

    def post(self, message: Outgoing, qos: int, properties: PublishProperties | None) -> None:
        """Hand a message to paho.

        Raises:
            LinkError: the connection is gone, or too much waits already.
        """
        packed: Any = properties  # paho only ever packs it
        info = self._client.publish(message.topic, message.payload, qos, message.retain, packed)
        if info.rc:
            raise LinkError(f"the message was not sent (paho result {int(info.rc)})")
        if qos:
            self._topics[info.mid] = message.topic

    def when_lost(self, tell: Callable[[], None]) -> None:
        """Call once when the connection is gone.

        aiomqtt's own iterator makes a task for each message to notice that.
        """

        def lost(ended: "asyncio.Future[None]") -> None:
            ended.exception()  # it has been seen
            tell()

        self._disconnected.add_done_callback(lost)

    def _on_socket_register_write(self, client: Any, userdata: Any, sock: Any) -> None:
        """Write at the end of this turn of the loop instead of asking the selector first."""
        if threading.get_ident() != self._thread:
            super()._on_socket_register_write(client, userdata, sock)
        elif not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)

    def _create_socket(self) -> BufferedSocket:
        connected = self._connect()
        # aiomqtt's own socket options are for real sockets only, and it says nothing. Without this
        # one an acknowledgement waits 40 ms for another (Nagle against delayed ACK).
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return BufferedSocket(connected)

    def _flush(self) -> None:
        self._flushing = False
        paho: Any = self._client
        sock = paho.socket()
        if sock is None:
            return
        try:
            sock.hold()
            self._client.loop_write()
            sock.flush()
        except Exception as error:  # noqa: BLE001 - as aiomqtt does: any failure ends the link
            if not self._disconnected.done():
                self._disconnected.set_exception(error)
            return
        if paho.socket() is not sock:
            return
        if sock.unsent or self._client.want_write():
            self._loop.add_writer(sock.fileno(), self._flush)
        else:
            self._loop.remove_writer(sock.fileno())

    def _handle_publish(self) -> MQTTErrorCode:
        """Take a message without paho's general decoding and aiomqtt's classes."""
        paho: Any = self._client
        received = paho._in_packet
        try:
            message, identifier = read_publish(
                received["command"], bytes(received["packet"]), v5=self._v5
            )
        except ValueError:
            return MQTTErrorCode.MQTT_ERR_PROTOCOL
        if self.arrived.full():
            self._logger.warning("the queue is full: a message is dropped")
        else:
            self.arrived.put_nowait(message)
        if identifier is None:
            return MQTTErrorCode.MQTT_ERR_SUCCESS
        acknowledged: MQTTErrorCode = paho._send_puback(identifier)
        return acknowledged

    def _on_publish(
        self, client: Any, userdata: Any, mid: int, reason_code: ReasonCode, properties: Properties
    ) -> None:
        topic = self._topics.pop(mid, None)
        if topic is not None and reason_code.is_failure:
            self.denied.append(topic)
        super()._on_publish(client, userdata, mid, reason_code, properties)
