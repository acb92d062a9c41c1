"""The link over MQTT 5 or 3.1.1 that nodes and tools use: our own connection (docs/adr/0003)."""

import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from bus.contract.errors import BrokerError, LinkError, OversizeError
from bus.contract.values import MAX_PAYLOAD
from bus.link.base import Incoming, Outgoing, Subscription
from bus.link.connection import Connection
from bus.link.granted import NO_RETAINED, NO_WILDCARDS, Granted
from bus.link.handshake import Introduction, is_refused
from bus.link.reasons import QOS_NOT_SUPPORTED, RETAIN_NOT_SUPPORTED, name_of
from bus.link.url import BrokerUrl

BATCH = 512
KEEP_ALIVE = 6
"""Seconds of silence after which a client pings. A broker gives a silent one half as long again
(MQTT 5 section 3.1.2.10) before it calls it lost; Mosquitto looks every five seconds."""
_PERHAPS = (
    ". If it is one, it may grant no retained messages, which nodes need, or no QoS 1 (?qos=0);"
    " in MQTT 5 it would say so"
)


class MqttLink:
    """One MQTT connection.

    Args:
        connection: with a broker that has taken us in.
        max_qos: the highest quality of service that is used.
        largest: the largest payload in bytes that is sent.
    """

    def __init__(self, connection: Connection, *, max_qos: int, largest: int) -> None:
        self._connection = connection
        self._max_qos = min(max_qos, connection.granted.qos)
        self._largest = largest
        self.granted: Granted = connection.granted
        """What the broker grants this connection."""

    def send(self, message: Outgoing) -> None:
        """Hand a message to the connection."""
        if len(message.payload) > self._largest:
            raise OversizeError("payload", len(message.payload), self._largest)
        try:
            self._connection.post(message, min(message.qos, self._max_qos))
        except ValueError as error:
            raise LinkError(str(error)) from error

    async def subscribe(self, subscriptions: Sequence[Subscription]) -> None:
        """Subscribe to all in one packet."""
        if not self.granted.wildcards and any(
            set(each.filter) & set("+#") for each in subscriptions
        ):
            raise BrokerError(NO_WILDCARDS)
        reasons = await self._connection.subscribe(subscriptions, self._max_qos)
        for wanted, reason in zip(subscriptions, reasons, strict=False):
            if is_refused(reason):
                raise BrokerError(f"the broker refused the subscription to {wanted.filter}")

    async def receive(self) -> list[Incoming]:
        """Wait for one message and take what else has arrived."""
        arrived = self._connection.arrived
        batch = [await arrived.get()]
        while len(batch) < BATCH and not arrived.empty():
            batch.append(arrived.get_nowait())
        if None in batch:
            raise LinkError(self._connection.lost_text)
        return [message for message in batch if message is not None]

    def take_denied(self) -> list[str]:
        """Topics that the broker's access list denied (MQTT 5 only)."""
        denied, self._connection.denied = self._connection.denied, []
        return denied


class MqttConnector:
    """Connects to the broker at a URL.

    Args:
        url: `mqtt://[user:password@]host[:port]`, or `mqtts://` for TLS. `?protocol=3.1.1` speaks
            MQTT 3.1.1 instead of 5; `?qos=0` sends and subscribes everything at QoS 0;
            `?properties=0` sends no MQTT 5 properties (see docs/adr/0002).
        largest: the largest payload in bytes that is sent; what is larger would end the connection.

    Raises:
        ConfigurationError: not such a URL.
    """

    def __init__(self, url: str, largest: int = MAX_PAYLOAD) -> None:
        self._url = BrokerUrl.read(url)
        self._largest = largest
        self.properties = self._url.properties
        """Whether what is sent has MQTT 5 properties."""
        self.description = self._url.description

    @asynccontextmanager
    async def connect(
        self, client_id: str, will: Outgoing | None = None
    ) -> AsyncIterator[MqttLink]:
        """A new connection with a clean session."""
        connection = await self._open(client_id, will)
        try:
            yield MqttLink(connection, max_qos=self._url.qos, largest=self._largest)
        finally:
            await connection.leave()

    async def _open(self, client_id: str, will: Outgoing | None) -> Connection:
        """A connection that is open; its will at QoS 0 if the broker takes no more."""
        qos = min(will.qos, self._url.qos) if will is not None else 0
        tls = ssl.create_default_context() if self._url.tls else None
        while True:
            connection = Connection(self._introduction(client_id, will, qos))
            try:
                reason = await connection.open(self._url.host, self._url.port, tls)
            except OSError as error:
                hint = _PERHAPS if connection.ended and will and not self._url.v5 else ""
                raise BrokerError(f"no broker at {self.description}: {error}{hint}") from error
            if is_refused(reason):
                connection.abort()
                if reason == QOS_NOT_SUPPORTED and qos:
                    qos = 0
                    continue
                if reason == RETAIN_NOT_SUPPORTED:
                    raise self._no_retained()
                raise BrokerError(f"the broker at {self.description} says: {name_of(reason)}")
            if connection.ended:
                raise BrokerError(
                    f"no broker at {self.description}: it ended the connection at once"
                    + (f": {connection.why_lost}" if connection.why_lost else "")
                )
            if will is not None and will.retain and not connection.granted.retain:
                await connection.leave()
                raise self._no_retained()
            return connection

    def _introduction(self, client_id: str, will: Outgoing | None, qos: int) -> Introduction:
        return Introduction(
            client_id,
            v5=self._url.v5,
            keep_alive=KEEP_ALIVE,
            user=self._url.user,
            password=self._url.password,
            will=will,
            will_qos=qos,
            properties=self._url.properties,
        )

    def _no_retained(self) -> BrokerError:
        return BrokerError(f"{self.description}: {NO_RETAINED}")
