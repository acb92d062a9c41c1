"""A lasting connection: connects, subscribes, receives, and connects again when it is lost."""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence

from bus.contract.errors import BrokerError, LinkError, OversizeError, TooLarge
from bus.link import Connector, Incoming, Link, Outgoing, Subscription

logger = logging.getLogger("storebus.session")

_BACKOFF_FIRST = 0.1


class Session:
    """One client's lasting connection.

    Args:
        connector: makes the links.
        client_id: unique at the broker; a second connection of the same id would end the first.
        subscriptions: made anew with each connection.
        receive: called with whatever arrives, in order.
        connected: called after each subscription was granted.
        will: published by the broker when the connection is lost.
        reconnect_limit: seconds between tries at the most.
        chance: what the seconds between tries are drawn from.
    """

    def __init__(
        self,
        connector: Connector,
        client_id: str,
        subscriptions: Sequence[Subscription],
        receive: Callable[[list[Incoming]], None],
        connected: Callable[[], None],
        will: Outgoing | None = None,
        reconnect_limit: float = 5.0,
        chance: random.Random | None = None,
    ) -> None:
        self._connector = connector
        self._client_id = client_id
        self._subscriptions = subscriptions
        self._receive = receive
        self._connected = connected
        self._will = will
        self._reconnect_limit = reconnect_limit
        self._chance = chance or random.Random()
        self._link: Link | None = None
        self._told = ""
        self.shortage = ""
        """What the broker does not grant although the bus needs it, as a sentence; or nothing."""
        self.up = asyncio.Event()
        """Set while connected and subscribed."""

    def send(self, message: Outgoing) -> bool:
        """Send if connected; returns whether the message was handed to the connection.

        Raises:
            TooLarge: it would never get through.
        """
        if self._link is None:
            return False
        try:
            self._link.send(message)
        except LinkError as error:
            if str(error) != self._told:  # one line says it, however many messages it concerns
                self._told = str(error)
                logger.warning("%s: not sent to %s: %s", self._client_id, message.topic, error)
            if isinstance(error, OversizeError):
                raise TooLarge(
                    f"The message has {error.size} bytes; {error.limit} at most get through.",
                    limit=error.limit,
                ) from error
            return False
        return True

    def take_denied(self) -> list[str]:
        """Topics that the broker denied since the last call."""
        return self._link.take_denied() if self._link is not None else []

    async def run(self, *, once: bool = False) -> None:
        """Stay connected until cancelled.

        Raises:
            BrokerError: only with `once`: there is no broker, or it refused us, from the beginning.
        """
        delay = _BACKOFF_FIRST
        complained = False
        while True:
            try:
                async with self._connector.connect(self._client_id, self._will) as link:
                    await link.subscribe(self._subscriptions)
                    self.shortage = link.granted.shortage
                    if self.shortage:
                        logger.warning("%s: %s", self._client_id, self.shortage)
                    self._link, self._told = link, ""
                    self.up.set()
                    if complained:
                        logger.warning("%s: connected again", self._client_id)
                    complained, once, delay = False, False, _BACKOFF_FIRST
                    self._connected()
                    while True:
                        self._receive(await link.receive())
            except (BrokerError, LinkError) as error:
                if once and isinstance(error, BrokerError):
                    raise
                once = False
                if not complained:
                    logger.warning("%s: %s; trying again", self._client_id, error)
                    complained = True
            finally:
                self._link = None
                self.up.clear()
            await asyncio.sleep(self._chance.uniform(0, delay))
            delay = min(delay * 2, self._reconnect_limit)
