"""The link over MQTT 5 or 3.1.1 with aiomqtt."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import aiomqtt
from aiomqtt.exceptions import MqttConnectError
from paho.mqtt.client import MQTT_CLEAN_START_FIRST_ONLY
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from bus.contract.envelope import CONTENT_TYPE
from bus.contract.errors import BrokerError, ConfigurationError, LinkError, OversizeError
from bus.contract.values import MAX_PAYLOAD
from bus.link.base import Incoming, Outgoing, Subscription
from bus.link.client import Client
from bus.link.granted import NO_RETAINED, NO_WILDCARDS, Granted

logger = logging.getLogger("storebus.link")

BATCH = 512
KEEP_ALIVE = 6
"""Seconds of silence after which a client pings. A broker gives a silent one half as long again
(MQTT 5 section 3.1.2.10) before it calls it lost; Mosquitto looks every five seconds."""
_QUEUED = 20_000
_RETAIN_NOT_SUPPORTED, _QOS_NOT_SUPPORTED = 0x9A, 0x9B
"""Reason codes of a CONNACK (MQTT 5 section 3.2.2.2)."""
_PERHAPS = (
    ". If it is one, it may grant no retained messages, which nodes need, or no QoS 1 (?qos=0);"
    " in MQTT 5 it would say so"
)
_PROTOCOLS = {"5": aiomqtt.ProtocolVersion.V5, "3.1.1": aiomqtt.ProtocolVersion.V311}


class MqttLink:
    """One MQTT connection."""

    def __init__(
        self,
        client: Client,
        *,
        v5: bool,
        max_qos: int,
        largest: int,
    ) -> None:
        self._client = client
        self._v5 = v5
        self._max_qos = min(max_qos, client.granted.qos)
        self._largest = largest
        self.granted: Granted = client.granted
        """What the broker grants this connection."""

    def send(self, message: Outgoing) -> None:
        """Hand a message to the client."""
        if len(message.payload) > self._largest:
            raise OversizeError("payload", len(message.payload), self._largest)
        try:
            self._client.post(message, min(message.qos, self._max_qos))
        except ValueError as error:
            raise LinkError(str(error)) from error

    async def subscribe(self, subscriptions: Sequence[Subscription]) -> None:
        """Subscribe to all in one packet."""
        if not self.granted.wildcards and any(
            set(each.filter) & set("+#") for each in subscriptions
        ):
            raise BrokerError(NO_WILDCARDS)
        topics: Any
        if self._v5:
            topics = [
                (
                    wanted.filter,
                    SubscribeOptions(qos=min(wanted.qos, self._max_qos), retainAsPublished=True),
                )
                for wanted in subscriptions
            ]
        else:
            topics = [(wanted.filter, min(wanted.qos, self._max_qos)) for wanted in subscriptions]
        try:
            granted = await self._client.subscribe(topics)
        except aiomqtt.MqttError as error:
            raise LinkError(str(error)) from error
        for wanted, reason in zip(subscriptions, granted, strict=False):
            code: Any = reason.value if isinstance(reason, ReasonCode) else reason
            if code >= 0x80:  # noqa: PLR2004 - MQTT 5 section 3.9.3
                raise BrokerError(f"the broker refused the subscription to {wanted.filter}")

    async def receive(self) -> list[Incoming]:
        """Wait for one message and take what else has arrived."""
        arrived = self._client.arrived
        batch = [await arrived.get()]
        while len(batch) < BATCH and not arrived.empty():
            batch.append(arrived.get_nowait())
        if None in batch:
            why = f": {self._client.why_lost}" if self._client.why_lost else ""
            raise LinkError(f"the connection to the broker is lost{why}")
        return [message for message in batch if message is not None]

    def take_denied(self) -> list[str]:
        """Topics that the broker's access list denied (MQTT 5 only)."""
        denied, self._client.denied = self._client.denied, []
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
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise ConfigurationError(f"not a broker URL: {error}") from error
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
            raise ConfigurationError(
                "a broker URL looks like mqtt://127.0.0.1:1883 or mqtts://host:8883"
            )
        options = parse_qs(parts.query)
        protocol = options.get("protocol", ["5"])[-1]
        qos = options.get("qos", ["1"])[-1]
        properties = options.get("properties", ["1"])[-1]
        if protocol not in _PROTOCOLS or not {qos, properties} <= {"0", "1"}:
            raise ConfigurationError(
                "a broker URL takes ?protocol=5 or 3.1.1, ?qos=0 or 1, and ?properties=0 or 1"
            )
        self._host = parts.hostname
        self._tls = parts.scheme == "mqtts"
        self._port = port or (8883 if self._tls else 1883)
        self._user = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password else None
        self._protocol = _PROTOCOLS[protocol]
        self._v5 = protocol == "5"
        self.properties = self._v5 and properties == "1"
        """Whether what is sent has MQTT 5 properties."""
        self._max_qos = int(qos)
        self._largest = largest
        self.description = f"{parts.scheme}://{self._host}:{self._port}"

    @asynccontextmanager
    async def connect(
        self, client_id: str, will: Outgoing | None = None
    ) -> AsyncIterator[MqttLink]:
        """A new connection with a clean session."""
        client = await self._enter(client_id, will)
        client.when_lost(lambda: _end(client.arrived))
        try:
            yield MqttLink(
                client,
                v5=self._v5,
                max_qos=self._max_qos,
                largest=self._largest,
            )
        finally:
            try:
                await client.leave()
            finally:
                with suppress(aiomqtt.MqttError):
                    await client.__aexit__(None, None, None)

    async def _enter(self, client_id: str, will: Outgoing | None) -> Client:
        """A client that is connected; its will at QoS 0 if the broker takes no more."""
        qos = min(will.qos, self._max_qos) if will is not None else 0
        while True:
            client = self._client(client_id, will, qos)
            try:
                await client.__aenter__()
            except MqttConnectError as error:
                reason = error.rc.value if isinstance(error.rc, ReasonCode) else error.rc
                if reason == _QOS_NOT_SUPPORTED and qos:
                    qos = 0
                    continue
                if reason == _RETAIN_NOT_SUPPORTED:
                    raise self._no_retained() from error
                said = str(error).partition("] ")[2]
                raise BrokerError(f"the broker at {self.description} says: {said}") from error
            except aiomqtt.MqttError as error:
                hint = _PERHAPS if client.ended and will is not None and not self._v5 else ""
                raise BrokerError(f"no broker at {self.description}: {error}{hint}") from error
            if client.ended:
                raise BrokerError(
                    f"no broker at {self.description}: it ended the connection at once"
                    + (f": {client.why_lost}" if client.why_lost else "")
                )
            if will is not None and will.retain and not client.granted.retain:
                await client.leave()
                with suppress(aiomqtt.MqttError):
                    await client.__aexit__(None, None, None)
                raise self._no_retained()
            return client

    def _no_retained(self) -> BrokerError:
        return BrokerError(f"{self.description}: {NO_RETAINED}")

    def _client(self, client_id: str, will: Outgoing | None, qos: int) -> Client:
        return Client(
            self._host,
            self._port,
            username=self._user,
            password=self._password,
            identifier=client_id,
            protocol=self._protocol,
            clean_session=None if self._v5 else True,
            clean_start=self._v5 or MQTT_CLEAN_START_FIRST_ONLY,
            keepalive=KEEP_ALIVE,
            timeout=5,
            queued=_QUEUED,
            properties=self.properties,
            will=self._will(will, qos),
            tls_context=ssl.create_default_context() if self._tls else None,
        )

    def _will(self, will: Outgoing | None, qos: int) -> aiomqtt.Will | None:
        if will is None:
            return None
        properties = None
        if self.properties:
            properties = Properties(PacketTypes.WILLMESSAGE)  # type: ignore[no-untyped-call]
            properties.ContentType = CONTENT_TYPE
        return aiomqtt.Will(will.topic, will.payload, qos, will.retain, properties)


def _end(queue: asyncio.Queue[Incoming | None]) -> None:
    """Wake the receiver up for the last time; what a full queue still holds is repeated."""
    if queue.full():
        queue.get_nowait()
    queue.put_nowait(None)
