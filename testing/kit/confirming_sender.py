"""Sends messages as they are, and makes sure that the broker has received them."""

from bus.contract.errors import ConfigurationError, LinkError, NotGrantedError
from bus.contract.topics import Topics, site_of
from bus.link import Connector, Link, Outgoing, Subscription
from bus.runtime.environment import Environment
from bus.text.safe import visible
from testing.kit.request_statistics import paced

LARGEST = 256 * 1024 * 1024 - 1024
"""Bytes of a payload that still fit into a packet (MQTT 5 section 2.1.4)."""
_TOGETHER = 500
"""Messages after which the broker has to confirm."""


class ConfirmingSender:
    """Sends on one connection; the broker confirms every few hundred messages.

    The broker handles what a client sends in order: once it has granted a subscription, it has
    received what was sent before.
    """

    def __init__(self, link: Link, topics: Topics) -> None:
        self._link = link
        self._barrier = [Subscription(topics.event("tester-1", "sent"))]
        self._unconfirmed = 0

    async def send(self, message: Outgoing) -> None:
        """Send, and wait for the broker if much is unconfirmed.

        Raises:
            LinkError: the connection is lost, or the broker does not confirm.
        """
        self._link.send(message)
        self._unconfirmed += 1
        if self._unconfirmed == _TOGETHER:
            await self.confirm()

    async def confirm(self) -> None:
        """Wait until the broker has received everything.

        Raises:
            LinkError: the connection is lost, or the broker does not confirm.
        """
        await self._link.subscribe(self._barrier)
        self._unconfirmed = 0


async def publish(
    connector: Connector, topics: Topics, message: Outgoing, repeat: int, rate: float | None
) -> None:
    """Send a message, and wait until the broker has received it.

    Args:
        connector: to the broker.
        topics: of the site.
        message: what is sent.
        repeat: how often.
        rate: messages per second; as fast as possible if None.

    Raises:
        LinkError: the broker ended the connection, or does not let us send this.
    """
    async with connector.connect(f"{topics.site}-publisher-{Environment().boot}") as link:
        sender = ConfirmingSender(link, topics)
        try:
            async for number in paced(repeat, rate):
                await sender.send(message)
                if rate is not None or number == repeat - 1:
                    await sender.confirm()
        except NotGrantedError as error:
            raise LinkError(f"Not sent: {error}.") from error
        except LinkError as error:
            raise LinkError(
                f"The broker ended the connection, or does not answer: {error}."
            ) from error
        if link.take_denied():
            raise LinkError(f"The broker does not let us say {visible(message.topic)}.")


def written_topic(topics: Topics, topic: str, *, force: bool) -> str:
    """The topic that is meant; `./` is the site's root.

    Raises:
        ConfigurationError: it is empty, too long, has wildcards or is not UTF-8; or it looks like
            a topic of the contract outside the site, and `force` is not set.
    """
    whole = topics.below(topic)
    meant = None if force else topics.meant(whole)
    if meant is not None:
        other = site_of(whole)
        which = "" if other is None else f" --site {other}"
        raise ConfigurationError(
            f"{visible(whole[:80])} is outside the site {topics.site}, where no node of it listens:"
            f" write {visible(meant[:80])}{which}, or insist with --force."
        )
    try:
        size = len(whole.encode())
    except UnicodeEncodeError as error:
        raise ConfigurationError("The topic is not UTF-8 text.") from error
    if not 1 <= size <= 65_535 or set(whole) & {"+", "#", "\0"}:  # noqa: PLR2004 - MQTT 5, 4.7.3
        raise ConfigurationError(
            f"{visible(whole[:80])} cannot be a topic: 1 to 65535 bytes, without + and #."
        )
    return whole
