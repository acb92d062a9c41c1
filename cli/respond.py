"""`storebus respond`: plays a node that gives every request of an operation the same reply."""

from pathlib import Path
from typing import Annotated, Any

import typer

from bus.contract import errors, find_operation, operations_of
from bus.contract.channel import role_of
from bus.contract.errors import ConfigurationError
from bus.contract.topics import Topics
from bus.link import MqttConnector
from bus.runtime.environment import Environment
from bus.runtime.takeover import refuse_second
from cli import completion, options
from cli.run import run
from store.address import broker_url
from store.settings import Settings, read_settings
from testing.kit.canned_node import CannedNode, problem_template
from testing.kit.fake_node import CannedReply
from testing.kit.request_items import parse_json
from testing.kit.show import warn
from testing.kit.template import OLD_REPLY_SYNTAX, REQUEST, has_old_syntax, used


def respond(
    callee: Annotated[
        str,
        typer.Argument(help="The node to play, such as sorter-9.", autocompletion=completion.nodes),
    ],
    operation: Annotated[
        str, typer.Argument(help="Such as pick.", autocompletion=completion.operations)
    ],
    reply: Annotated[
        str | None,
        typer.Argument(
            metavar="[@FILE | JSON]",
            help="The data of each reply, such as ${request.data.order} and ${request.id}.",
        ),
    ] = None,
    problem: Annotated[
        str | None,
        typer.Option(metavar="CODE/STATUS", help="Refuse, such as busy/429; the reply says more."),
    ] = None,
    delay: Annotated[
        float, typer.Option(metavar="S", min=0, max=86_400, help="Seconds before each answer.")
    ] = 0.0,
    times: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="End after so many requests.")
    ] = None,
    force: Annotated[
        bool, typer.Option(help="Also when the real node is there, or has no such operation.")
    ] = False,
    broker: options.Broker = None,
    site: options.Site = None,
    data: options.Data = None,
) -> None:
    """Play a node: answer each request of an operation, and say what was answered.

    While it plays, the node shows itself online and answers ping. With --force it only answers.

    Example: storebus respond sorter-9 pick '{"job":"${request.data.job}","accepted":true}'
    """
    settings = read_settings(site=site, data=data)
    role = role_of(callee)
    if role is None:
        raise ConfigurationError(f"{callee} is no node of the contract, such as sorter-9.")
    if find_operation(role, operation) is None and not force:
        known = ", ".join(each.name for each in operations_of(role))
        raise ConfigurationError(f"{callee} has no operation {operation}, but {known}.")
    canned = CannedReply(
        callee, operation, _template(reply, problem), problem is not None, delay, times
    )
    run(_respond(canned, broker_url(broker, settings), settings, force=force))


async def _respond(canned: CannedReply, url: str, settings: Settings, *, force: bool) -> None:
    connector, topics, environment = MqttConnector(url), Topics(settings.site), Environment()
    if not force:
        wait = settings.runtime.takeover_wait
        try:
            await refuse_second(connector, topics, canned.node, environment, wait)
        except errors.RoleTakenError as error:
            raise errors.RoleTakenError(f"{error}, or answer beside it with --force") from None
    node = CannedNode(connector, topics, environment, canned, settings.runtime, shows=not force)
    await node.play()


def _template(reply: str | None, problem: str | None) -> Any:
    """The data of each reply, a template.

    Raises:
        ConfigurationError: nothing is said, or what is said is no reply.
    """
    if reply is None and problem is None:
        raise ConfigurationError("Give a reply (@FILE or JSON), or --problem CODE/STATUS.")
    data = {} if reply is None else parse_json(_text(reply), "The reply")
    if has_old_syntax(data):
        warn(OLD_REPLY_SYNTAX)
    for name in used(data):
        if name != REQUEST:
            raise ConfigurationError(
                f"There is no variable {name}: a reply takes its values from the request,"
                " such as ${request.data.job}."
            )
    return data if problem is None else problem_template(problem, data)


def _text(reply: str) -> str:
    if not reply.startswith("@"):
        return reply
    try:
        return Path(reply[1:]).read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{reply[1:]} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise ConfigurationError(f"{reply[1:]} is not UTF-8 text.") from error
