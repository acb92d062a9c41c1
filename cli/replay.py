"""`storebus replay`: sends the messages of a recording again, onto any broker."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from bus.contract.channel import ROLES
from bus.contract.errors import BrokenReply, ConfigurationError, LinkError, NoAnswer, Problem
from bus.contract.every import PING
from bus.contract.timestamp import milliseconds, rfc3339
from bus.contract.topics import Topics, site_of
from bus.contract.values import Empty
from bus.history.archive import Archive
from bus.history.filter import FilterError, Test, parse_filter
from bus.history.message import read
from bus.history.recording import Recorded
from bus.link import Incoming, Link, MqttConnector, Outgoing, Subscription
from bus.runtime.caller import Caller
from bus.runtime.environment import Environment
from bus.text.console import output
from cli import completion, options
from cli.run import run
from store.address import broker_url
from store.settings import read_settings
from tui.model.history import MessageHistory

_LARGEST = 256 * 1024 * 1024 - 1024
"""Bytes of a payload that still fit into a packet (MQTT 5 section 2.1.4)."""
_TOGETHER = 500
"""Messages after which the broker is asked whether it has got them."""
_PATIENCE = 1.0
"""Seconds in which a store that lives answers."""
_LONGEST = 31_536_000.0


@dataclass(slots=True)
class _Count:
    sent: int = 0
    passed_over: int = 0


def replay(
    files: Annotated[
        list[Path], typer.Argument(metavar="RECORDING...", help="A recording, and parts of it.")
    ],
    words: Annotated[
        str,
        typer.Option(
            "--filter",
            metavar="FILTER",
            help="Only these, such as 'kind:req from:terminal-*'; as in tail.",
            autocompletion=completion.filters,
        ),
    ] = "",
    speed: Annotated[
        float,
        typer.Option(metavar="X", min=0.001, help="2 is twice as fast as recorded, inf at once."),
    ] = 1.0,
    pause: Annotated[
        float,
        typer.Option(metavar="S", min=0, max=_LONGEST, help="The longest pause, in seconds."),
    ] = _LONGEST,
    force: Annotated[bool, typer.Option("--force", help="Also where a store lives.")] = False,
    broker: options.Broker = None,
    site: options.Site = None,
    data: options.Data = None,
) -> None:
    """Send the messages of a recording again, with their ids, at the pace at which they came.

    Deadlines go on from now. A store that has carried out a message before answers it again, and
    does nothing twice. On a broker where a store lives this would be other people's voices beside
    their own: it is refused, unless --force; then take what devices said:
    --filter 'kind:req from:terminal-*'. States stay on the broker as they are kept in a store.

    Example: storebus replay monday.jsonl --broker mqtt://127.0.0.1:1884 --speed 10 --pause 2
    """
    settings = read_settings(site=site, data=data)
    try:
        test = parse_filter(words)
    except FilterError as error:
        raise ConfigurationError(str(error)) from error
    archive, topics = Archive(files), Topics(settings.site)
    connector = MqttConnector(broker_url(broker, settings), largest=_LARGEST)
    count = _Count()
    try:
        run(
            _replay(
                connector, topics, _Again(archive, topics, test, count), speed, pause, force=force
            )
        )
    finally:
        if count.sent or count.passed_over:
            where = f"{topics.root} at {connector.description}"
            passed = f"; {count.passed_over} were not chosen" if count.passed_over else ""
            output.print(f"{count.sent} messages were sent to {where}{passed}.", soft_wrap=True)


async def _replay(
    connector: MqttConnector, topics: Topics, again: "_Again", speed: float, pause: float, *,
    force: bool,
) -> None:  # fmt: skip
    if not force:
        await _refuse_living(connector, topics)
    name = f"{topics.site}-replay-{Environment().boot}"
    async with connector.connect(name) as link:
        try:
            await _send(link, topics, again, speed, pause)
        except LinkError as error:
            raise LinkError(
                f"The broker ended the connection, or does not answer: {error}."
            ) from error
        denied = link.take_denied()
        if denied:
            raise LinkError(f"The broker does not let us say {len(denied)} of the messages.")


async def _send(link: Link, topics: Topics, again: "_Again", speed: float, pause: float) -> None:
    # The broker takes what we say in order: once it has granted this, it has got what was before.
    barrier = [Subscription(topics.event("tester-1", "sent"))]
    last: int | None = None
    for at, message in again.messages():
        wait = 0.0 if last is None else min(pause, max(0, at - last) / 1000 / speed)
        last = at
        if wait:
            await asyncio.sleep(wait)
        link.send(message)
        again.count.sent += 1
        if again.count.sent % _TOGETHER == 0:
            await link.subscribe(barrier)
    await link.subscribe(barrier)


async def _refuse_living(connector: MqttConnector, topics: Topics) -> None:
    """Look whether a store answers.

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


class _Again:
    """What of a recording is sent again, and how.

    Args:
        tape: the recording.
        topics: of the site that it is sent to.
        test: chooses.
        count: told what was passed over.
    """

    def __init__(self, archive: Archive, topics: Topics, test: Test, count: _Count) -> None:
        self.count = count
        self._archive, self._topics, self._test = archive, topics, test
        self._recorded = Topics(archive.site())
        self._environment = Environment()

    def messages(self) -> Iterator[tuple[int, Outgoing]]:
        """Each with when it was recorded, in milliseconds."""
        history = MessageHistory()  # finds the request of a reply, and what is repeated
        for number, (_, entry) in enumerate(self._archive.entries()):
            if not isinstance(entry, Recorded):
                continue
            message = read(self._recorded, number, entry.at, entry.message)
            history.add(message)
            if self._test(message):
                yield entry.at, self._outgoing(entry.at, entry.message, message.kind)
            else:
                self.count.passed_over += 1

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
        """A topic in the site that it is sent to."""
        if site_of(topic) != self._recorded.site:
            return topic
        return self._topics.root + topic.removeprefix(self._recorded.root)

    @staticmethod
    def _from_now(payload: bytes, later: int) -> bytes:
        """A message whose deadline is as far ahead as it was; everything else stays as it is."""
        if b'"expirytime"' not in payload:
            return payload
        try:
            event: Any = json.loads(payload)
            event["expirytime"] = rfc3339(milliseconds(event["expirytime"]) + later)
            return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
        except (ValueError, OverflowError, TypeError, KeyError, RecursionError):
            return payload
