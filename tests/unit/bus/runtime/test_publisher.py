"""What a node says does not always get through; who waits for it is told, and nothing breaks."""

import json

import pytest

from bus.contract.errors import TooLarge
from bus.contract.every import PRESENCE
from bus.contract.outbound import MessageFactory
from bus.contract.settlement import PURCHASE
from bus.contract.topics import Topics
from bus.contract.values import Empty
from bus.link import Outgoing
from bus.runtime.environment import Environment
from bus.runtime.outgoing import outgoing
from bus.runtime.publisher import Counts, Publisher
from bus.runtime.requests import Reply

MESSAGES = MessageFactory(Topics("main"), "settlement", Environment())
ONLINE = outgoing(MESSAGES.presence("online"))
STORED = MESSAGES.reply("terminal-1", PURCHASE, Empty(), request="m-1").to_bytes()


class Narrow:
    """A connection that lets little through."""

    def __init__(self, limit: int = 10_000, *, there: bool = True) -> None:
        self.limit, self.there = limit, there
        self.sent: list[Outgoing] = []

    def send(self, message: Outgoing) -> bool:
        """As a session does."""
        if len(message.payload) > self.limit:
            raise TooLarge("The message has too many bytes.", limit=self.limit)
        if self.there:
            self.sent.append(message)
        return self.there


def _publisher(narrow: Narrow) -> tuple[Publisher, Counts]:
    counts = Counts()
    return Publisher(MESSAGES, Environment(), counts, narrow.send), counts


def _reply(size: int) -> Reply:
    return Reply(PURCHASE, "terminal-1", STORED + b" " * (size - len(STORED)), b"c-1")


def test_a_reply_is_said_as_it_is_stored() -> None:
    narrow = Narrow()
    publisher, counts = _publisher(narrow)
    publisher.reply(_reply(5_000))
    (said,) = narrow.sent
    assert said == Outgoing(
        "storebus/1/main/rep/terminal-1/settlement/purchase",
        _reply(5_000).payload,
        PURCHASE.qos,
        correlation=b"c-1",
    )
    assert counts == {"answered": 1}


def test_in_place_of_a_stored_reply_that_is_too_large_the_caller_is_told_to_ask_again() -> None:
    narrow = Narrow()
    publisher, counts = _publisher(narrow)
    publisher.reply(_reply(10_001))
    (said,) = narrow.sent
    assert said.topic == "storebus/1/main/rep/terminal-1/settlement/purchase"
    assert (said.qos, said.correlation) == (PURCHASE.qos, b"c-1")
    told = json.loads(said.payload)
    assert (told["correlationid"], told["causationid"]) == ("m-1", "m-1")
    assert told["type"] == "storebus.settlement.purchase.problem"
    assert told["source"] == "/main/settlement"
    problem = told["data"]
    assert (problem["code"], problem["status"], problem["retryable"]) == ("unavailable", 503, True)
    assert problem["detail"].startswith("The answer is there, but does not get through. The mess")
    assert counts == {"answered": 1, "dropped": 1, "dropped.too-large": 1}


def test_what_is_too_large_is_counted_and_raised_only_at_who_asked_for_it() -> None:
    publisher, counts = _publisher(Narrow(limit=10))
    publisher.publish(ONLINE)
    publisher.state(PRESENCE, Empty())
    assert counts == {"dropped": 2, "dropped.too-large": 2}
    with pytest.raises(TooLarge):
        publisher.try_to_publish(ONLINE)


def test_what_is_said_without_a_connection_is_counted() -> None:
    publisher, counts = _publisher(Narrow(there=False))
    publisher.publish(ONLINE)
    assert counts == {"dropped": 1, "dropped.not-connected": 1}
