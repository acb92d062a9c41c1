"""The AsyncAPI 3.0 document of the contract, generated from its declarations."""

import json
import math
import re
from typing import Any

from bus.contract import CHANNELS
from bus.contract.channel import ALSO_CALLED, DEVICES, ROLES, Operation
from bus.contract.cloudevent import COMPLETE, CloudEvent
from bus.contract.envelope import CONTENT_TYPE
from bus.contract.every import PRESENCE
from bus.contract.problem import ProblemData
from bus.contract.topics import CONTRACT_VERSION
from bus.contract.values import Model
from schema.examples import PROBLEMS, example, problem_example
from schema.messages import Channel, MessageKind, messages_of, name_of, names_for, owner_of
from schema.schemas import Schema, definitions

Part = dict[str, Any]
_BINDING = {"bindingVersion": "0.2.0"}
_SCHEMAS = "#/components/schemas/"
PROBLEM = "problem"
INTRODUCTION = """\
How terminals, sorters and tools speak to a store.

The document describes the store: it *receives* what you send, and *sends* what you receive.
Messages are CloudEvents 1.0 in JSON, the same bytes in MQTT 3.1.1 and 5. A request needs only an
`id` of your own and the `data`. The reply comes on a topic that follows from the request's, with
`rep` in place of `req`; you may give an MQTT 5 Response Topic, which must be that one. A problem
(RFC 9457) may come in place of a reply.

Repeat a request with the same `id` until it is answered: it has one effect and one reply. Ignore
fields that you do not know, and expect states and kinds that you do not know."""


def document() -> Part:
    """Return the whole document as plain data that can be written as JSON or YAML."""
    messages = [message for channel in CHANNELS for message in messages_of(channel)]
    models: list[type[Model]] = [CloudEvent, ProblemData, *(message.model for message in messages)]
    return {
        "asyncapi": "3.0.0",
        "id": f"urn:storebus:contract:{CONTRACT_VERSION}",
        "info": {
            "title": "Storebus",
            "version": f"{CONTRACT_VERSION}.0.0",
            "description": INTRODUCTION,
            "license": {"name": "MIT", "url": "https://opensource.org/license/mit"},
            "tags": [
                {"name": owner} for owner in dict.fromkeys(owner_of(each) for each in CHANNELS)
            ],
        },
        "defaultContentType": CONTENT_TYPE,
        "servers": _servers(),
        "channels": {message.name: _channel(message) for message in messages},
        "operations": {name_of(channel): _operation(channel) for channel in CHANNELS},
        "components": {
            "messages": {
                **{message.name: _message(message) for message in messages},
                PROBLEM: _problem(),
            },
            "schemas": definitions(models, _SCHEMAS),
            "parameters": _parameters(),
            "correlationIds": {
                "request": {
                    "description": "The id that the caller chose.",
                    "location": "$message.payload#/id",
                },
                "reply": {
                    "description": "The id of the request.",
                    "location": "$message.payload#/correlationid",
                },
            },
            "securitySchemes": {
                "user": {
                    "type": "userPassword",
                    "description": "A user and password for each device; the broker lets it write"
                    " only below its own name.",
                },
            },
        },
    }


def _servers() -> Part:
    (presence,) = messages_of(PRESENCE)
    lost = example(presence)
    lost["data"] |= {"status": "lost"}
    bindings = {
        "mqtt": {
            "cleanSession": True,
            "keepAlive": 15,
            "lastWill": {
                "topic": presence.address,
                "qos": presence.qos,
                "retain": presence.retained,
                "message": _compact(lost),
            },
            **_BINDING,
        }
    }
    common = {"security": [{"$ref": "#/components/securitySchemes/user"}], "bindings": bindings}
    return {
        "store": {
            "host": "{host}:1883",
            "protocol": "mqtt",
            "protocolVersion": "5.0",
            "description": "The broker of a store, MQTT 3.1.1 or 5. The embedded one has no access"
            " control and speaks MQTT 5 on the next port.",
            "variables": {"host": {"description": "Its address.", "default": "127.0.0.1"}},
            **common,
        },
        "secure": {
            "host": "{host}:8883",
            "protocol": "secure-mqtt",
            "protocolVersion": "5.0",
            "description": "The same over TLS.",
            "variables": {"host": {"description": "Its address.", "default": "127.0.0.1"}},
            **common,
        },
    }


def _compact(event: Part) -> str:
    kept = {name: event[name] for name in ("id", "type", "data")}
    return json.dumps(kept)


def _parameters() -> Part:
    return {
        "site": {"description": "The site's name.", "default": "main"},
        "anybody": {
            "description": "The caller: the name of your node.",
            "examples": ["terminal-7", "console-1"],
        },
        "node": {"description": "Any node.", "examples": ["catalog", "sorter-2"]},
        **{
            kind: {"description": f"A {kind}: {_called(kind)}.", "examples": [f"{kind}-7"]}
            for kind in sorted(DEVICES)
        },
    }


def _called(kind: str) -> str:
    """The names that nodes of a kind may have."""
    others = sorted(name for name, other in ALSO_CALLED.items() if other == kind)
    return " or ".join(f"`{name}-...`" for name in (kind, *others))


def _channel(message: MessageKind) -> Part:
    channel = message.channel
    parts: dict[str, Part] = {message.part: {"$ref": f"#/components/messages/{message.name}"}}
    if message.part == "reply":
        parts[PROBLEM] = {"$ref": f"#/components/messages/{PROBLEM}"}
    parameters: Part = {"site": {"$ref": "#/components/parameters/site"}}
    for name in ("caller", "callee", "node"):
        if f"{{{name}}}" in message.address:
            parameters[name] = _parameter(name, message)
    said = {
        "request": f"Requests: {channel.description}",
        "reply": f"Replies to `{channel.name}`, to the caller that the topic names.",
        "state": f"The latest state of a node, retained: {channel.description}.",
        "event": f"Best effort, nothing depends on it: {channel.description}.",
    }
    return {
        "address": message.address,
        "description": said[message.part],
        "messages": parts,
        "parameters": parameters,
        "tags": [{"name": message.owner}],
    }


def _parameter(name: str, message: MessageKind) -> Part:
    """Which names may stand at this level of the topic."""
    if name != "caller":
        return _ref("node" if message.owner == "every" else message.owner)
    assert isinstance(message.channel, Operation)
    callers = message.channel.callers
    if not callers:
        return _ref("anybody")
    if callers <= ROLES:
        return {"description": "Who may ask.", "enum": sorted(callers)}
    if len(callers) == 1:
        return _ref(*callers)
    words, examples = names_for(callers)
    return {"description": f"Who may ask: {words}.", "examples": examples}


def _ref(parameter: str) -> Part:
    return {"$ref": f"#/components/parameters/{parameter}"}


def _operation(channel: Channel) -> Part:
    first, *replies = messages_of(channel)
    received = first.owner in (ROLES | {"every"}) if replies else first.owner == "sorter"
    operation: Part = {
        "action": "receive" if received else "send",
        "channel": {"$ref": f"#/channels/{first.name}"},
        "title": name_of(channel),
        "summary": channel.description,
        "tags": [{"name": first.owner}],
        "messages": [{"$ref": f"#/channels/{first.name}/messages/{first.part}"}],
        "bindings": {"mqtt": {"qos": first.qos, "retain": first.retained, **_BINDING}},
    }
    if isinstance(channel, Operation):
        (reply,) = replies
        operation["description"] = _rules(channel)
        operation["x-storebus-kind"] = channel.kind
        operation["x-storebus-callers"] = sorted(channel.callers)
        operation["x-storebus-problems"] = sorted(channel.problems)
        if channel.timeout is not None:
            operation["x-storebus-timeout"] = channel.timeout
            operation["bindings"]["mqtt"]["messageExpiryInterval"] = math.ceil(channel.timeout)
        operation["reply"] = {
            "channel": {"$ref": f"#/channels/{reply.name}"},
            "messages": [
                {"$ref": f"#/channels/{reply.name}/messages/{part}"} for part in ("reply", PROBLEM)
            ],
        }
    return operation


def _rules(channel: Operation[Any, Any]) -> str:
    who = names_for(channel.callers)[0] if channel.callers else "any node"
    kind = (
        "A query: it has no side effect; repeat it if no reply comes."
        if channel.kind == "query"
        else "A command: repeated with the same `id` until it is answered, it has one effect."
    )
    wait = (
        "It is repeated for as long as it takes."
        if channel.timeout is None
        else f"A caller waits {channel.timeout:g} seconds."
    )
    return f"May be called by {who}. {kind} {wait}"


def payload(message: MessageKind) -> Schema:
    """The schema of a whole message, with references into the document."""
    return _payload(message.type_pattern, message.model.__name__, complete=message.from_store)


def _payload(type_pattern: str, model: str, *, complete: bool) -> Schema:
    more: Schema = {
        "type": "object",
        "properties": {
            "type": {"type": ["string", "null"], "pattern": type_pattern},
            "data": {"$ref": f"{_SCHEMAS}{model}"},
        },
    }
    if complete:
        more["required"] = list(COMPLETE)
    return {"allOf": [{"$ref": f"{_SCHEMAS}{CloudEvent.__name__}"}, more]}


def _message(message: MessageKind) -> Part:
    summary = " ".join((message.model.__doc__ or "").split("\n\n", maxsplit=1)[0].split())
    binding: Part = {"contentType": CONTENT_TYPE, **_BINDING}
    described: Part = {
        "name": message.name,
        "title": message.name,
        "summary": summary,
        "contentType": CONTENT_TYPE,
        "headers": _headers(),
        "payload": payload(message),
    }
    if isinstance(message.channel, Operation):
        described["correlationId"] = {"$ref": f"#/components/correlationIds/{message.part}"}
        binding["correlationData"] = _correlation()
    if message.part == "request":
        binding["responseTopic"] = {
            "type": "string",
            "description": "May be left out. `rep` in place of the topic's `req`: any other is"
            " refused with 403.",
            "pattern": _pattern(messages_of(message.channel)[1].address),
        }
    described["bindings"] = {"mqtt": binding}
    described["examples"] = [
        {"name": message.name, "summary": summary, "payload": example(message)}
    ]
    return described


def _pattern(address: str) -> str:
    """A regular expression for the topics of this address."""
    return "^" + re.sub(r"\{\w+\}", "[^/]+", address) + "$"


def _problem() -> Part:
    return {
        "name": PROBLEM,
        "title": PROBLEM,
        "summary": "Why a request was refused (RFC 9457).",
        "contentType": CONTENT_TYPE,
        "headers": _headers(),
        "payload": _payload(
            r"^storebus\.[a-z]+\.[a-z0-9-]+\.problem$", ProblemData.__name__, complete=False
        ),
        "correlationId": {"$ref": "#/components/correlationIds/reply"},
        "bindings": {
            "mqtt": {"contentType": CONTENT_TYPE, "correlationData": _correlation(), **_BINDING}
        },
        "examples": [{"name": code, "payload": problem_example(code)} for code in PROBLEMS],
    }


def _headers() -> Schema:
    return {
        "type": "object",
        "description": "MQTT 5 User Properties; MQTT 3.1.1 has none, and none is needed.",
        "properties": {
            "traceparent": {"type": "string", "description": "As in the message itself."}
        },
    }


def _correlation() -> Schema:
    return {"type": "string", "description": "MQTT 5; a reply returns it byte for byte."}
