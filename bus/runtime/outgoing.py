"""Messages as the link takes them."""

from bus.contract.outbound import OutboundMessage
from bus.link import Outgoing


def outgoing(message: OutboundMessage) -> Outgoing:
    """A message that has just been made."""
    return Outgoing(
        message.topic,
        message.to_bytes(),
        message.qos,
        message.retain,
        message.response_topic,
        message.correlation,
        message.expires_in,
        message.trace if message.shows_trace else None,
    )
