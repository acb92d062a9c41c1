"""`storebus request`: asks a node anything, in any name, and prints what it answers."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from bus.contract import find_operation, operations_of
from bus.contract.channel import Operation, role_of
from bus.contract.envelope import is_id
from bus.contract.errors import ConfigurationError, Refused
from bus.contract.values import is_name
from bus.link import AiomqttConnector, Connector, MqttConnector
from bus.runtime.admission import broken_reply
from bus.text.console import output
from cli import completion, options
from cli.run import run
from store.address import broker_url, broker_url_v311
from store.exit_codes import BROKEN_REPLY, REFUSED
from store.settings import Settings, read_settings
from testing.kit.raw_caller import RawCaller, RawRequest, ask_often
from testing.kit.request_items import flaws, parse_items, parse_json
from testing.kit.show import show_json, show_payload


def request(
    caller: Annotated[
        str,
        typer.Argument(help="In whose name, such as terminal-9.", autocompletion=completion.nodes),
    ],
    callee: Annotated[
        str, typer.Argument(help="Whom, such as catalog.", autocompletion=completion.nodes)
    ],
    operation: Annotated[
        str, typer.Argument(help="What, such as search.", autocompletion=completion.operations)
    ],
    items: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[KEY=VALUE... | KEY:=JSON... | @FILE | -]",
            help="The data, such as lines[0].sku=CAN-40; as JSON in a file or, with -, from stdin.",
            autocompletion=completion.fields,
        ),
    ] = None,
    raw: Annotated[bool, typer.Option(help="Print the whole reply as it came.")] = False,
    timeout: Annotated[
        float | None,
        typer.Option(metavar="S", min=0.001, max=86_400, help="Seconds; the operation's own."),
    ] = None,
    identifier: Annotated[
        str | None, typer.Option("--id", metavar="ID", help="The id of an earlier request.")
    ] = None,
    repeat: Annotated[
        int, typer.Option(metavar="N", min=1, max=1_000_000, help="Ask so often, and count.")
    ] = 1,
    rate: Annotated[
        float | None,
        typer.Option(metavar="R", min=0.001, max=10_000, help="So many a second; else in turn."),
    ] = None,
    force: Annotated[
        bool, typer.Option(help="Send it also when the contract does not know it.")
    ] = False,
    v311: Annotated[bool, typer.Option("--v311", help="Speak MQTT 3.1.1.")] = False,
    broker: options.Broker = None,
    site: options.Site = None,
    data: options.Data = None,
) -> None:
    """Ask a node, and print its reply: JSON in a pipe. A refusal is printed, and ends with 1.

    In what a reply breaks the contract is said beside it, and ends with 4. What the contract
    does not know is refused before it is sent, unless --force.

    Example: storebus request terminal-9 catalog search text=shirt limit=3
    """
    settings = read_settings(site=site, data=data)
    declared = _declared(caller, callee, operation, force=force)
    raw_request = RawRequest(
        callee,
        operation,
        declared,
        _data(items or [], declared, force=force),
        timeout,
    )
    if identifier is not None and not is_id(identifier):
        raise ConfigurationError("--id takes 1 to 64 printable ASCII characters without spaces.")
    connector = (
        AiomqttConnector(broker_url_v311(broker, settings))
        if v311
        else MqttConnector(broker_url(broker, settings))
    )
    if repeat == 1:
        run(_once(raw_request, identifier, caller, connector, settings, raw=raw))
    else:
        run(_often(raw_request, identifier, caller, connector, settings, repeat, rate))


async def _once(
    raw_request: RawRequest,
    identifier: str | None,
    caller: str,
    connector: Connector,
    settings: Settings,
    *,
    raw: bool,
) -> None:
    client = RawCaller(connector, settings.site, caller, settings.runtime)
    async with client.connected():
        answer = await client.ask_raw(raw_request, identifier)
    if raw or answer.envelope is None:
        show_payload(answer.payload)
    elif answer.problem is None:
        show_json(answer.envelope.data)
    if answer.breaks:
        raise broken_reply(raw_request.callee, raw_request.name, answer.breaks)
    if answer.problem is not None and raw:
        raise SystemExit(REFUSED)
    if answer.problem is not None:
        raise Refused(answer.problem)


async def _often(
    raw_request: RawRequest,
    identifier: str | None,
    caller: str,
    connector: Connector,
    settings: Settings,
    repeat: int,
    rate: float | None,
) -> None:
    client = RawCaller(connector, settings.site, caller, settings.runtime)
    async with client.connected():
        statistics = await ask_often(client, raw_request, identifier, repeat, rate)
    if output.is_terminal:
        output.print(statistics.as_table())
    else:
        show_json(statistics.as_json())
    if statistics.broken:
        raise SystemExit(BROKEN_REPLY)
    if statistics.refused:
        raise SystemExit(REFUSED)


def _declared(caller: str, callee: str, name: str, *, force: bool) -> Operation[Any, Any] | None:
    """The operation as the contract declares it; None, with `force`, if it does not.

    Raises:
        ConfigurationError: there is none, or not a name that can stand in a topic.
    """
    for each in (caller, callee, name):
        if not is_name(each):
            raise ConfigurationError(
                f"{each!r} cannot be a name: small letters, digits and dashes; `storebus publish`"
                " sends to any topic."
            )
    role = role_of(callee)
    found = find_operation(role, name) if role else None
    if found is not None or force:
        return found
    if role is None:
        raise ConfigurationError(
            f"{callee} is no node of the contract: catalog, settlement, warehouse, sorter-1,"
            " terminal-1 are (--force sends it anyway)."
        )
    known = ", ".join(each.name for each in operations_of(role))
    raise ConfigurationError(f"{callee} has no operation {name}, but {known} (--force sends it).")


def _data(items: list[str], declared: Operation[Any, Any] | None, *, force: bool) -> Any:
    """The request's data; with `force`, also what the contract does not allow.

    Raises:
        ConfigurationError: which field is missing or wrong.
    """
    model = declared.request if declared is not None else None
    if len(items) == 1 and (items[0] == "-" or items[0].startswith("@")):
        data = parse_json(*_read(items[0]))
    else:
        data = parse_items(items, model, lenient=force)
    found = [] if model is None or force else flaws(model, data)
    if found:
        sentences = "\n".join(found)
        raise ConfigurationError(f"{sentences}\nNothing was sent (--force sends it).")
    return data


def _read(item: str) -> tuple[str, str]:
    """The text of a file or of standard input, and what to call it."""
    try:
        if item == "-":
            return sys.stdin.buffer.read().decode(), "standard input"
        return Path(item[1:]).read_text(encoding="utf-8"), item[1:]
    except OSError as error:
        raise ConfigurationError(f"{item[1:]} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise ConfigurationError(f"{item} is not UTF-8 text.") from error
