"""What a link is; nothing here knows MQTT libraries or the contract."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from bus.link.granted import Granted


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message as it arrived."""

    topic: str
    payload: bytes
    retain: bool = False
    """It was published as retained (as far as the protocol version shows it)."""
    response_topic: str | None = None
    correlation: bytes | None = None
    qos: int = 0
    expiry: int | None = None
    """Seconds after which the broker need not have delivered it."""
    user: tuple[tuple[str, str], ...] = ()
    """MQTT 5 User Properties."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to be sent."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False
    response_topic: str | None = None
    correlation: bytes | None = None
    expiry: int | None = None
    """Seconds after which the broker need not deliver it any more."""
    trace: str | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """A topic filter and the quality of service asked for."""

    filter: str
    qos: int = 0


class Link(Protocol):
    """One connection. It is thrown away when it is lost."""

    @property
    def granted(self) -> Granted:
        """What the broker grants this connection."""

    def send(self, message: Outgoing) -> None:
        """Hand a message to the connection, without waiting for it to arrive.

        Raises:
            OversizeError: the message is too large, for the bus or for the broker.
            NotGrantedError: the broker would end the connection over it.
            LinkError: the connection is gone or full.
        """

    async def subscribe(self, subscriptions: Sequence[Subscription]) -> None:
        """Subscribe, and wait for the broker's answer.

        Raises:
            BrokerError: the broker refused one, or has no wildcards.
            LinkError: the connection is gone.
        """

    async def receive(self) -> list[Incoming]:
        """Wait for messages: at least one, and whatever else has arrived.

        Raises:
            LinkError: the connection is gone.
        """

    def take_denied(self) -> list[str]:
        """Topics whose messages the broker denied since the last call."""


class Connector(Protocol):
    """Makes links to one broker."""

    description: str
    """The broker's address, without secrets, for messages to people."""

    def connect(
        self, client_id: str, will: Outgoing | None = None
    ) -> AbstractAsyncContextManager[Link]:
        """A new link; the will is published when it is lost without a goodbye.

        Raises:
            BrokerError: the broker cannot be reached or refuses the client.
        """
