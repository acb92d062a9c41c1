"""Holds what our nodes send against the published contract and the CloudEvents schema.

It hears whatever goes out over a session, which is how nodes, callers and consoles speak; a raw
client that plays a broken device has none. A scenario's stage has one, and says what it is told to.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jsonschema import Draft7Validator, FormatChecker

from bus.contract import EVENTS, STATES, find_operation
from bus.contract.channel import EVERY, Operation, role_of
from bus.contract.cloudevent import COMPLETE
from bus.contract.problem import COMMON_PROBLEMS
from bus.contract.timestamp import milliseconds
from bus.contract.topics import Address, Topics, site_of
from bus.link import Incoming, Outgoing
from bus.link.session import Session
from schema.messages import MessageKind, messages_of

ROOT = Path(__file__).parents[1]
PUBLISHED = ROOT / "docs" / "contract"
_FORMATS = FormatChecker(())
_FORMATS.checks("date-time", ValueError)(lambda text: text is None or milliseconds(text) > 0)
_FORMATS.checks("uri-reference", ValueError)(lambda text: urlsplit(text) is not None)


def operation_at(address: Address) -> Operation[Any, Any] | None:
    """The operation that a topic is about."""
    return find_operation(role_of(address.callee) or "", address.name)


def message_at(address: Address) -> MessageKind | None:
    """What the contract says of a topic; None if it knows no such channel."""
    if address.kind in ("req", "rep"):
        operation = operation_at(address)
        return messages_of(operation)[address.kind == "rep"] if operation is not None else None
    declared: dict[Any, Any] = STATES if address.kind == "state" else EVENTS
    role = role_of(address.node) or ""
    channel = declared.get((role, address.name)) or declared.get((EVERY, address.name))
    return messages_of(channel)[0] if channel is not None else None


def sender_of(address: Address) -> str:
    """The node that may publish there."""
    return address.callee if address.kind == "rep" else address.node


def sent_by(node: str, message: Incoming) -> bool:
    """Whether a message came from a node."""
    address = Topics(site_of(message.topic) or "none").parse(message.topic)
    return address is not None and sender_of(address) == node


@cache
def cloud_event() -> Draft7Validator:
    """The schema of the CloudEvents project."""
    schema = json.loads((ROOT / "tests" / "data" / "cloudevents.json").read_text())
    return Draft7Validator(schema, format_checker=_FORMATS)


@cache
def published(name: str) -> Draft7Validator:
    """The published schema of a whole message."""
    document = _document()
    reference = {"$ref": f"#/components/messages/{name}/payload"}
    return Draft7Validator({**reference, "components": document["components"]})


@cache
def _document() -> Any:
    return json.loads((PUBLISHED / "asyncapi.json").read_text())


def faults(message: Outgoing | Incoming) -> list[str]:
    """What is wrong with a message of ours, each a sentence; nothing of other topics."""
    site = site_of(message.topic)
    address = Topics(site).parse(message.topic) if site is not None else None
    if site is None or address is None:
        return []
    event = json.loads(message.payload)
    problem = address.kind == "rep" and str(event.get("type")).endswith(".problem")
    known = message_at(address)
    found = [f"CloudEvents: {error.message}" for error in cloud_event().iter_errors(event)]
    found += [f"`{name}` is missing" for name in COMPLETE if event.get(name) is None]
    if known is None and not problem:
        return [*found, "the contract knows no such channel"]
    name = "problem" if problem or known is None else known.name
    found += [
        f"{'.'.join(map(str, error.absolute_path))}: {error.message}"
        for error in published(name).iter_errors(event)
    ]
    operation = operation_at(address) if address.callee else None
    if problem and operation is not None:
        code = event["data"]["code"]
        if code not in operation.problems | COMMON_PROBLEMS:
            found.append(f"{operation.callee} {operation.name} does not declare {code}")
    if event.get("source") != f"/{site}/{sender_of(address)}":
        found.append(f"the source is {event.get('source')}")
    if isinstance(message, Outgoing) and known is not None:
        found += _delivery(message, known, Topics(site), address)
    return found


def _delivery(
    message: Outgoing, known: MessageKind, topics: Topics, address: Address
) -> Iterator[str]:
    """How it was published."""
    if (message.qos, message.retain) != (known.qos, known.retained):
        yield f"it was published with QoS {message.qos}, retain {message.retain}"
    if message.response_topic is not None:
        computed = topics.reply(address.node, address.callee, address.name)
        if message.response_topic != computed:
            yield f"the response topic is {message.response_topic}"


class Judge:
    """Collects one message of each kind and shape."""

    def __init__(self) -> None:
        self.kinds: set[str] = set()
        """Names of the messages that were heard."""
        self._heard: dict[tuple[Any, ...], Outgoing] = {}

    def hear(self, message: Outgoing) -> None:
        """Something that a node of ours sends."""
        site = site_of(message.topic)
        address = Topics(site).parse(message.topic) if site is not None else None
        if address is None:
            return
        known = message_at(address)
        if known is not None:
            self.kinds.add(known.name)
        data = json.loads(message.payload).get("data")
        shape = frozenset(data) if isinstance(data, dict) else None
        code = data.get("code") if isinstance(data, dict) and "retryable" in data else None
        key = (address.kind, role_of(address.callee or address.node), address.name, shape, code)
        self._heard.setdefault(key, message)

    def verdict(self) -> list[str]:
        """What is wrong with what was heard."""
        found = []
        for message in self._heard.values():
            found += [f"{message.topic}: {fault}" for fault in faults(message)]
        return found

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Hear every session of this process within the block."""
        send, run = Session.send, Session.run

        def heard_send(session: Session, message: Outgoing) -> bool:
            if not session._client_id.startswith(f"{site_of(message.topic)}-stage-"):
                self.hear(message)
            return send(session, message)

        async def heard_run(session: Session, *, once: bool = False) -> None:
            if session._will is not None:
                self.hear(session._will)
            await run(session, once=once)

        Session.send, Session.run = heard_send, heard_run  # type: ignore[method-assign]
        try:
            yield
        finally:
            Session.send, Session.run = send, run  # type: ignore[method-assign]
