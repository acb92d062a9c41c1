"""A link on aiomqtt, through its public interface alone, in MQTT 3.1.1 (docs/adr/0003).

For tools that speak as an old device does: so they share no line of MQTT with the nodes. aiomqtt
tells nobody what a broker grants or why it refuses a message; MQTT 3.1.1 has neither.
"""

import asyncio
import math
import socket
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiomqtt
from aiomqtt.exceptions import MqttConnectError

from bus.contract.errors import BrokerError, LinkError, OversizeError
from bus.contract.values import MAX_PAYLOAD
from bus.link.base import Incoming, Outgoing, Subscription
from bus.link.granted import Granted
from bus.link.mqtt import BATCH, KEEP_ALIVE
from bus.link.reasons import FAILURE
from bus.link.url import BrokerUrl

_AT_ONCE = 100
"""Messages that aiomqtt sends or waits for at once; it looks through all of them for each."""
_WAITING = 20_000
_TIMEOUT = 5.0
"""Seconds to wait for a connection, and for each answer of the broker."""
_GOODBYE = 1.0
"""Seconds that the broker may take for what waits."""
_LOST = "the connection to the broker is lost"


class AiomqttLink:
    """One connection of aiomqtt's client.

    Args:
        client: connected.
        max_qos: the highest quality of service that is used.
        largest: the largest payload in bytes that is sent.
    """

    def __init__(self, client: aiomqtt.Client, *, max_qos: int, largest: int) -> None:
        self.granted = Granted()
        """MQTT 3.1.1 grants everything."""
        self._client = client
        self._max_qos, self._largest = max_qos, largest
        self._filters: list[str] = []
        self._sending: set[asyncio.Task[None]] = set()
        self._lost = False

    def send(self, message: Outgoing) -> None:
        """Hand a message to aiomqtt, which waits for its acknowledgement in a task."""
        if len(message.payload) > self._largest:
            raise OversizeError("payload", len(message.payload), self._largest)
        if set(message.topic) & set("+#"):
            raise LinkError("a topic has no wildcards")
        if self._lost:
            raise LinkError("the message was not sent: the connection is gone")
        if len(self._sending) == _WAITING:
            raise LinkError("the message was not sent: too many wait already")
        task = asyncio.create_task(self._publish(message))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _publish(self, message: Outgoing) -> None:
        qos = min(message.qos, self._max_qos)
        try:
            await self._client.publish(
                message.topic, message.payload, qos, message.retain, timeout=math.inf
            )
        except (aiomqtt.MqttError, ValueError):
            self._lost = True  # `receive` tells

    async def subscribe(self, subscriptions: Sequence[Subscription]) -> None:
        """Subscribe to all in one packet."""
        topics = [(wanted.filter, min(wanted.qos, self._max_qos)) for wanted in subscriptions]
        try:
            granted = await self._client.subscribe(topics)
        except aiomqtt.MqttError as error:
            raise LinkError(str(error)) from error
        self._filters += [wanted.filter for wanted in subscriptions]
        for wanted, reason in zip(subscriptions, granted, strict=False):
            code: Any = getattr(reason, "value", reason)
            if code >= FAILURE:
                raise BrokerError(f"the broker refused the subscription to {wanted.filter}")

    async def receive(self) -> list[Incoming]:
        """Wait for one message and take what else has arrived."""
        arrived = self._client.messages
        try:
            batch = [_incoming(await anext(arrived))]
            while len(batch) < BATCH and len(arrived):
                batch.append(_incoming(await anext(arrived)))
        except aiomqtt.MqttError as error:
            self._lost = True
            raise LinkError(_LOST) from error
        return batch

    def take_denied(self) -> list[str]:
        """Nothing: MQTT 3.1.1 does not tell."""
        return []

    async def leave(self) -> None:
        """Send what waits, and unsubscribe.

        Hanging up while something is still arriving makes TCP reset the connection: the last
        messages and the goodbye would be lost.
        """
        if self._sending:
            await asyncio.wait(self._sending, timeout=_GOODBYE)
        with suppress(aiomqtt.MqttError):
            if self._filters:
                await self._client.unsubscribe(self._filters, timeout=_GOODBYE)
        for task in self._sending:
            task.cancel()


class AiomqttConnector:
    """Connects to the broker at a URL, in MQTT 3.1.1.

    Args:
        url: as `MqttConnector` takes it; `?protocol` and `?properties` are passed over.
        largest: the largest payload in bytes that is sent.

    Raises:
        ConfigurationError: not such a URL.
    """

    properties = False
    """Whether what is sent has MQTT 5 properties."""

    def __init__(self, url: str, largest: int = MAX_PAYLOAD) -> None:
        self._url = BrokerUrl.read(url)
        self._largest = largest
        self.description = self._url.description

    @asynccontextmanager
    async def connect(
        self, client_id: str, will: Outgoing | None = None
    ) -> AsyncIterator[AiomqttLink]:
        """A new connection with a clean session."""
        client = self._client(client_id, will)
        try:
            await client.__aenter__()
        except MqttConnectError as error:
            said = str(error).partition("] ")[2]
            raise BrokerError(f"the broker at {self.description} says: {said}") from error
        except aiomqtt.MqttError as error:
            raise BrokerError(f"no broker at {self.description}: {error}") from error
        link = AiomqttLink(client, max_qos=self._url.qos, largest=self._largest)
        try:
            yield link
        finally:
            try:
                await link.leave()
            finally:
                with suppress(aiomqtt.MqttError):
                    await client.__aexit__(None, None, None)

    def _client(self, client_id: str, will: Outgoing | None) -> aiomqtt.Client:
        client = aiomqtt.Client(
            self._url.host,
            self._url.port,
            username=self._url.user,
            password=self._url.password,
            identifier=client_id,
            protocol=aiomqtt.ProtocolVersion.V311,
            clean_session=True,
            keepalive=KEEP_ALIVE,
            timeout=_TIMEOUT,
            max_queued_incoming_messages=_WAITING,
            max_inflight_messages=_AT_ONCE,
            max_concurrent_outgoing_calls=_AT_ONCE,
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
            will=None
            if will is None
            else aiomqtt.Will(will.topic, will.payload, min(will.qos, self._url.qos), will.retain),
            tls_context=ssl.create_default_context() if self._url.tls else None,
        )
        client.pending_calls_threshold = _AT_ONCE
        return client


def _incoming(message: aiomqtt.Message) -> Incoming:
    assert isinstance(message.payload, bytes | bytearray)
    return Incoming(
        str(message.topic), bytes(message.payload), retain=message.retain, qos=message.qos
    )
