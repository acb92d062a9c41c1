"""`storebus tail`: follow the messages of a store, filtered in the console's filter language."""

import asyncio
from collections.abc import Callable
from typing import Annotated

import typer
from rich.text import Text

from bus.contract.errors import ConfigurationError, first_error
from bus.contract.topics import Topics
from bus.history.filter import FilterError, Test, parse_filter
from bus.history.message import Message, read
from bus.history.recording import as_line
from bus.link import Incoming, MqttConnector, Subscription
from bus.link.session import Session
from bus.runtime.environment import Environment
from bus.text.console import output
from bus.text.texts import Texts
from cli import completion, options
from cli.run import run
from store.address import broker_url
from store.settings import Settings, read_settings
from testing.kit.show import when_reader_leaves, write
from tui.model.history import MessageHistory
from tui.rendering.canvas import Canvas, Line
from tui.rendering.traffic import row
from tui.theme import style


def tail(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILTER...]",
            help="Such as op:purchase status:>=400. After --, also -kind:state.",
            autocompletion=completion.filters,
        ),
    ] = None,
    count: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="End after N messages.")
    ] = None,
    broker: options.Broker = None,
    site: options.Site = None,
    data: options.Data = None,
) -> None:
    """Follow the messages of the store, one line each; in a pipe, as `storebus record` writes them.

    It begins with the retained states. Filter words: from, to, node, op, kind, order, id, topic,
    code, status, size, latency, repeats, text. A value that is not in the contract is refused,
    since it would never match; op:=dance allows it.

    Example: storebus tail node:terminal-7 kind:req,rep
    """
    settings = read_settings(site=site, data=data)
    try:
        test = parse_filter(" ".join(words or []))
    except FilterError as error:
        raise ConfigurationError(str(error)) from error
    run(_tail(MqttConnector(broker_url(broker, settings)), settings, test, count))


async def _tail(
    connector: MqttConnector, settings: Settings, test: Test, count: int | None
) -> None:
    topics, environment, over = Topics(settings.site), Environment(), asyncio.Event()
    show = _paint if output.is_terminal else _write
    follower = _Follower(topics, environment.steady, test, show, count, over)
    session = Session(
        connector,
        f"{settings.site}-follower-{environment.boot}",
        [Subscription(topics.everything(), 1)],
        follower.receive,
        lambda: None,
        reconnect_limit=settings.runtime.reconnect_limit,
    )
    when_reader_leaves(over.set)
    try:
        async with asyncio.TaskGroup() as tasks:
            following = tasks.create_task(session.run(once=True), name="follower/link")
            await over.wait()
            following.cancel()
    except ExceptionGroup as group:
        raise first_error(group) from None


class _Follower:
    """Shows messages that match the filter, up to a given number."""

    def __init__(
        self, topics: Topics, now: Callable[[], int], test: Test,
        show: Callable[[Message, Incoming], None], count: int | None, over: asyncio.Event,
    ) -> None:  # fmt: skip
        self._topics, self._now, self._test, self._show = topics, now, test, show
        self._left = count
        self._over = over
        self._history = MessageHistory()  # finds the request of a reply, and what is repeated

    def receive(self, messages: list[Incoming]) -> None:
        at = self._now()
        for incoming in messages:
            if self._over.is_set():
                return
            message = read(self._topics, self._history.heard + 1, at, incoming)
            self._history.add(message)
            if not self._test(message):
                continue
            self._show(message, incoming)
            if self._left is not None:
                self._left -= 1
                if not self._left:
                    self._over.set()


def _write(message: Message, incoming: Incoming) -> None:
    write(as_line(message.at, incoming))


def _paint(message: Message, _incoming: Incoming) -> None:
    canvas = Canvas(output.width, 1, Texts("tui"), message.at)
    output.print(_coloured(row(message, canvas)), overflow="ellipsis", no_wrap=True)


def _coloured(line: Line) -> Text:
    return Text.assemble(*((text, style(name, dark=True)) for text, name in line))
