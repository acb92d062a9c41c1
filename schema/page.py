"""The contract as a page to read, in Markdown: topics, fields, refusals, examples."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from bus.contract import CHANNELS
from bus.contract.channel import ROLES, Operation, State
from bus.contract.cloudevent import COMPLETE, CloudEvent
from bus.contract.problem import COMMON_PROBLEMS, ProblemData
from bus.contract.refusals import problems
from bus.contract.topics import CONTRACT_VERSION
from bus.contract.values import MAX_LINES, MAX_PAYLOAD, Model
from schema.examples import example, problem_example
from schema.fields import fields_of
from schema.messages import Channel, MessageKind, messages_of, names_for, owner_of
from schema.schemas import data_schema

HEAD = f"""\
# The contract, version {CONTRACT_VERSION}

Written by `storebus asyncapi` from the declarations in `bus/contract`; do not edit. Programs read
[asyncapi.yaml](asyncapi.yaml) or [asyncapi.json](asyncapi.json), and the `data` of each message as
a JSON Schema in [schemas](schemas).

## In short

* You publish a request on `req/{{you}}/{{callee}}/{{operation}}` and receive the reply, or a
  problem, on `rep/{{you}}/{{callee}}/{{operation}}`. The topic says who you are: the broker lets
  you write only below your own name.
* A payload is a JSON object with an `id` of your own and the `data`; the rest is optional.
* A **query** is published with QoS 0, a **command** with QoS 1; neither retained. Repeat it with
  the same `id` until it is answered: a command has one effect and one reply. The same `id` with
  another `data` is refused.
* With MQTT 5, a Response Topic must be the reply's topic, and Correlation Data is returned
  unchanged. Nothing requires MQTT 5.
* Ignore fields that you do not know. Expect states, kinds and codes that you do not know: lists of
  what the store sends may grow. A change that would break devices gets a new version under its own
  root.
* Money is a whole number of minor units (cents) with its currency, a quantity a whole number of
  pieces, a time RFC 3339. There are no fractions anywhere.
* A payload has at most {MAX_PAYLOAD // 1024} KiB, an order {MAX_LINES} lines. A name of a site
  or node has lower case letters, digits and dashes, 48 at most.
* Connect with a last will on `state/{{you}}/presence`, QoS 1, retained, that says `lost`.
"""


def page() -> str:
    """Return the whole page."""
    parts = [HEAD, *_contents(), *_envelope(), *_problems()]
    for owner in dict.fromkeys(owner_of(channel) for channel in CHANNELS):
        parts.append(f"## {_title(owner)}\n")
        for channel in CHANNELS:
            if owner_of(channel) == owner:
                parts += _channel(channel)
    return "\n".join(parts).rstrip() + "\n"


def _title(owner: str) -> str:
    if owner == "every":
        return "Every node"
    return owner.capitalize() if owner in ROLES else f"{owner.capitalize()}s (`{owner}-...`)"


def _contents() -> Iterator[str]:
    yield "## Everything in one table\n"
    rows = []
    for channel in CHANNELS:
        first = messages_of(channel)[0]
        heading = _heading(channel)
        anchor = heading.replace(" ", "-").replace("`", "")
        rows.append((f"[{heading}](#{anchor})", _who(channel), f"{first.qos}", channel.description))
    yield _table(("", "who sends it", "QoS", ""), rows)


def _who(channel: Channel) -> str:
    if not isinstance(channel, Operation):
        owner = owner_of(channel)
        return "every node" if owner == "every" else names_for(frozenset({owner}))[0]
    return names_for(channel.callers)[0] if channel.callers else "any node"


def _envelope() -> Iterator[str]:
    yield "## A message\n"
    yield "The store always sends the marked attributes; you need only `id` and `data`.\n"
    rows = [
        (f"`{name}`", "always" if name in COMPLETE else "", field["description"])
        for name, field in data_schema(CloudEvent)["properties"].items()
    ]
    yield _table(("attribute", "from the store", "meaning"), rows)


def _problems() -> Iterator[str]:
    yield "## Problems\n"
    yield "A refusal comes in place of the reply, on the same topic: a problem of RFC 9457. Check"
    yield "`code`; `retryable` says whether the same request may succeed later. Any request may get"
    yield "a problem marked *any*.\n"
    yield _table(("field", "type", "", "meaning"), fields_of(data_schema(ProblemData)))
    rows = [
        (
            f"`{kind.code}`",
            str(kind.status),
            "yes" if kind.retryable else "",
            "any" if kind.code in COMMON_PROBLEMS else "",
            " ".join((kind.__doc__ or "").split()),
        )
        for kind in sorted(problems(), key=lambda kind: (kind.status, kind.code))
    ]
    yield _table(("code", "status", "retryable", "", "meaning"), rows)
    yield _json(problem_example("sold-out"))


def _heading(channel: Channel) -> str:
    owner = owner_of(channel)
    kind = (
        ""
        if isinstance(channel, Operation)
        else " state"
        if isinstance(channel, State)
        else " event"
    )
    return f"{owner} {channel.name}{kind}"


def _channel(channel: Channel) -> Iterator[str]:
    yield f"### {_heading(channel)}\n"
    yield f"{channel.description.rstrip('.?')}{'?' if channel.description.endswith('?') else '.'}\n"
    messages = messages_of(channel)
    yield _table(("", ""), list(_facts(channel, messages)))
    for message in messages:
        yield f"**{message.part.capitalize()}** {_meaning(message.model)}\n"
        fields = list(fields_of(data_schema(message.model)))
        yield _table(("field", "type", "", "meaning"), fields) if fields else "`data` is `{}`.\n"
        yield _json(example(message))
    if isinstance(channel, Operation) and channel.problems:
        known = {kind.code: kind for kind in problems()}
        rows = [
            (f"`{code}`", str(known[code].status), " ".join((known[code].__doc__ or "").split()))
            for code in sorted(channel.problems)
        ]
        yield _table(("problem", "status", "meaning"), rows)


def _facts(channel: Channel, messages: Iterable[MessageKind]) -> Iterator[tuple[str, str]]:
    first, *replies = messages
    yield "topic", f"`{first.address}`"
    for reply in replies:
        yield "reply", f"`{reply.address}`"
    yield "who sends it", _who(channel)
    yield "QoS", f"{first.qos}{', retained' if first.retained else ''}"
    if isinstance(channel, Operation):
        yield "kind", channel.kind
        wait = "as long as it takes" if channel.timeout is None else f"{channel.timeout:g} s"
        yield "a caller waits", wait


def _meaning(model: type[Model]) -> str:
    return " ".join((model.__doc__ or "").split())


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _json(event: dict[str, Any]) -> str:
    return f"```json\n{json.dumps(event, indent=1, ensure_ascii=False)}\n```\n"
