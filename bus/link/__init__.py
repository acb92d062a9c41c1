"""The connection to the broker: what a node sees of it, whichever library carries it."""

from bus.link.aiomqtt_link import AiomqttConnector
from bus.link.base import Connector, Incoming, Link, Outgoing, Subscription
from bus.link.granted import Granted
from bus.link.memory import MemoryBroker
from bus.link.mqtt import MqttConnector

__all__ = [
    "AiomqttConnector",
    "Connector",
    "Granted",
    "Incoming",
    "Link",
    "MemoryBroker",
    "MqttConnector",
    "Outgoing",
    "Subscription",
]
