"""`storebus publish`: sends anything to any topic, also what no node would send."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from bus.contract.errors import ConfigurationError
from bus.contract.topics import Topics
from bus.link import AiomqttConnector, MqttConnector, Outgoing
from bus.text.console import output
from bus.text.safe import visible
from cli import completion, options
from cli.run import run
from store.address import broker_url, broker_url_v311
from store.settings import read_settings
from testing.kit import confirming_sender
from testing.kit.confirming_sender import LARGEST, written_topic


def publish(
    topic: Annotated[
        str,
        typer.Argument(
            help="Any topic; ./req/... is below the site's root, such as storebus/1/main/req/...",
            autocompletion=completion.topics,
        ),
    ],
    payload: Annotated[
        str | None, typer.Argument(help="Sent as it is; '' takes a retained message away.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Send the bytes of a file.")
    ] = None,
    stdin: Annotated[bool, typer.Option("--stdin", help="Send what comes in.")] = False,
    as_hex: Annotated[bool, typer.Option("--hex", help="PAYLOAD is bytes in hex.")] = False,
    qos: Annotated[int, typer.Option(min=0, max=1, help="Quality of service.")] = 1,
    retain: Annotated[bool, typer.Option("--retain", help="The broker keeps it.")] = False,
    response_topic: Annotated[
        str | None, typer.Option(metavar="TOPIC", help="MQTT 5 Response Topic.")
    ] = None,
    correlation: Annotated[
        str | None, typer.Option(metavar="TEXT", help="MQTT 5 Correlation Data.")
    ] = None,
    repeat: Annotated[
        int, typer.Option(metavar="N", min=1, max=10_000_000, help="Send it so often.")
    ] = 1,
    rate: Annotated[
        float | None, typer.Option(metavar="R", min=0.001, max=100_000, help="So many a second.")
    ] = None,
    force: Annotated[
        bool, typer.Option(help="Also where it looks like a topic of the site and is outside.")
    ] = False,
    v311: Annotated[bool, typer.Option("--v311", help="Speak MQTT 3.1.1.")] = False,
    broker: options.Broker = None,
    site: options.Site = None,
    data: options.Data = None,
) -> None:
    """Send a message as it is, right or wrong, and wait until the broker has got it.

    A topic is taken as it is written, from the broker's root on; only what begins with ./ is within
    the site. What looks like one of the contract's topics and is outside the site is asked about.

    Example: storebus publish ./req/terminal-9/catalog/search '{"id":"1","data":{"text":"shirt"}}'
    """
    settings = read_settings(site=site, data=data)
    connector = (
        AiomqttConnector(broker_url_v311(broker, settings), largest=LARGEST)
        if v311
        else MqttConnector(broker_url(broker, settings), largest=LARGEST)
    )
    if not connector.properties and (response_topic is not None or correlation is not None):
        raise ConfigurationError(
            "--response-topic and --correlation need MQTT 5 and its properties, which are not"
            " spoken here."
        )
    topics = Topics(settings.site)
    message = Outgoing(
        written_topic(topics, topic, force=force),
        _payload(payload, file, stdin=stdin, as_hex=as_hex),
        qos,
        retain,
        None if response_topic is None else written_topic(topics, response_topic, force=force),
        None if correlation is None else correlation.encode("utf-8", "surrogateescape"),
    )
    run(confirming_sender.publish(connector, topics, message, repeat, rate))
    times = f", {repeat} times" if repeat > 1 else ""
    output.print(
        f"Sent {len(message.payload)} bytes to {visible(message.topic)}{times}"
        f"{_where(topics, message.topic)}.",
        markup=False,
        soft_wrap=True,
    )


def _where(topics: Topics, topic: str) -> str:
    """What nobody would expect of a topic: that no node of the site listens there."""
    if topics.parse(topic) is not None:
        return ""
    if topic.startswith(f"{topics.root}/"):
        return ", which is no topic of the contract"
    return f", outside the site {topics.site}"


def _payload(text: str | None, file: Path | None, *, stdin: bool, as_hex: bool) -> bytes:
    """What is to be sent.

    Raises:
        ConfigurationError: none of the sources, or several, or one that cannot be read.
    """
    if (text is not None) + (file is not None) + stdin != 1:
        raise ConfigurationError("Give one of PAYLOAD, --file FILE and --stdin.")
    if file is not None:
        try:
            content = file.read_bytes()
        except OSError as error:
            raise ConfigurationError(f"{file} cannot be read: {error.strerror}.") from error
    elif stdin:
        content = sys.stdin.buffer.read()
    else:
        content = (text or "").encode("utf-8", "surrogateescape")
    if not as_hex:
        return content
    try:
        return bytes.fromhex(content.decode("ascii"))
    except ValueError as error:
        raise ConfigurationError("That is not hex, such as 7b7d.") from error
