"""Sends the messages of a recording again, with their ids, at the pace at which they came."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

from bus.contract.channel import ROLES
from bus.contract.errors import BrokenReply, ConfigurationError, LinkError, NoAnswer, Problem
from bus.contract.every import PING
from bus.contract.timestamp import milliseconds, rfc3339
from bus.contract.topics import Topics, site_of
from bus.contract.values import Empty
from bus.history.archive import Archive
from bus.history.filter import Test
from bus.history.message import read
from bus.history.recording import Recorded
from bus.link import Incoming, MqttConnector, Outgoing
from bus.runtime.caller import Caller
from bus.runtime.environment import Environment
from testing.kit.confirming_sender import ConfirmingSender
from tui.model.history import MessageHistory

_PATIENCE = 1.0
"""Seconds in which a store that runs answers."""


class Replay:
    """The messages of a recording that are sent again.

    Args:
        archive: the recording.
        topics: of the site that they are sent to.
        test: chooses them.
    """

    def __init__(self, archive: Archive, topics: Topics, test: Test) -> None:
        self.sent = 0
        """How many messages were sent."""
        self.passed_over = 0
        """How many messages were not chosen."""
        self._tape, self._topics, self._test = archive, topics, test
        self._recorded = Topics(archive.site())
        self._environment = Environment()

    def messages(self) -> Iterator[tuple[int, Outgoing]]:
        """Each message with the time at which it was recorded, in milliseconds."""
        history = MessageHistory()  # finds the request of a reply, and what is repeated
        for number, (_, entry) in enumerate(self._tape.entries()):
            if not isinstance(entry, Recorded):
                continue
            message = read(self._recorded, number, entry.at, entry.message)
            history.add(message)
            if self._test(message):
                yield entry.at, self._outgoing(entry.at, entry.message, message.kind)
            else:
                self.passed_over += 1

    def _outgoing(self, at: int, message: Incoming, kind: str) -> Outgoing:
        response = message.response_topic
        return Outgoing(
            self._moved(message.topic),
            self._from_now(message.payload, self._environment.steady() - at),
            min(message.qos, 1),
            message.retain or kind == "state",
            None if response is None else self._moved(response),
            message.correlation,
            message.expiry,
            dict(message.user).get("traceparent"),
        )

    def _moved(self, topic: str) -> str:
        """The topic in the site that it is sent to."""
        if site_of(topic) != self._recorded.site:
            return topic
        return self._topics.root + topic.removeprefix(self._recorded.root)

    @staticmethod
    def _from_now(payload: bytes, later: int) -> bytes:
        """The message with its deadline as far ahead as it was; the rest stays as it is."""
        if b'"expirytime"' not in payload:
            return payload
        try:
            event: Any = json.loads(payload)
            event["expirytime"] = rfc3339(milliseconds(event["expirytime"]) + later)
            return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
        except (ValueError, OverflowError, TypeError, KeyError, RecursionError):
            return payload


async def replay(
    connector: MqttConnector, topics: Topics, messages: Replay, speed: float, pause: float, *,
    force: bool,
) -> None:  # fmt: skip
    """Send the messages, and wait until the broker has received them.

    Args:
        connector: to the broker.
        topics: of the site that they are sent to.
        messages: what is sent; it counts.
        speed: 2 is twice as fast as recorded.
        pause: the longest pause between two messages, in seconds.
        force: send also where a store runs.

    Raises:
        ConfigurationError: a store runs there, and `force` is not set.
        LinkError: the broker ended the connection, or denied messages.
    """
    if not force:
        await _refuse_running(connector, topics)
    async with connector.connect(f"{topics.site}-replay-{Environment().boot}") as link:
        sender = ConfirmingSender(link, topics)
        last: int | None = None
        try:
            for at, message in messages.messages():
                wait = 0.0 if last is None else min(pause, max(0, at - last) / 1000 / speed)
                last = at
                if wait:
                    await asyncio.sleep(wait)
                await sender.send(message)
                messages.sent += 1
            await sender.confirm()
        except LinkError as error:
            raise LinkError(
                f"The broker ended the connection, or does not answer: {error}."
            ) from error
        denied = link.take_denied()
        if denied:
            raise LinkError(f"The broker does not let us say {len(denied)} of the messages.")


async def _refuse_running(connector: MqttConnector, topics: Topics) -> None:
    """Check that no store answers.

    Raises:
        ConfigurationError: one does.
    """
    name = f"tester-replay-{Environment().boot[-6:]}"
    async with Caller(connector, topics.site, name).connected() as caller:

        async def lives(role: str) -> str | None:
            try:
                await caller.ask(PING, role, Empty(), timeout=_PATIENCE)
            except NoAnswer as nothing:
                return role if isinstance(nothing, BrokenReply) else None
            except Problem:
                pass
            return role

        living = [role for role in await asyncio.gather(*map(lives, sorted(ROLES))) if role]
    if living:
        raise ConfigurationError(
            f"A store lives at {connector.description}: {', '.join(living)} of the site"
            f" {topics.site} answer. Take another --broker or --site, or insist with --force and"
            " choose what devices said: --filter 'kind:req from:terminal-*'."
        )
