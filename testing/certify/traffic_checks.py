"""Checks that hold for all traffic of the device, whatever was tried."""

from bisect import bisect
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from pydantic import ValidationError

from bus.contract import EVENTS, STATES, find_operation
from bus.contract.channel import EVERY, ROLES, Event, State, role_of
from bus.contract.envelope import body_digest
from bus.contract.every import PRESENCE
from bus.contract.problem import ProblemData
from bus.contract.timestamp import milliseconds
from bus.contract.topics import Address
from bus.contract.values import MAX_PAYLOAD, Model
from testing.certify.fake_store import FakeStore
from testing.certify.observing_relay import ObservedMessage, read_message
from testing.certify.verdicts import Verdicts

_COMPLETE = ("specversion", "id", "source", "type", "time")
_HASTY = 1.0
"""Seconds within which nothing may be sent three times."""
_AT_ONCE = 0.5
"""Seconds after a new connection in which open requests may be sent more than once."""
_GROWN = 1.3
"""The least factor between the first pause and the longest later one, if pauses grow."""
_KEEP_ALIVE = 60
"""The longest keep-alive, in seconds."""


def check_traffic(store: FakeStore[Any], verdicts: Verdicts) -> None:
    """Check everything that the device has sent."""
    for message in store.received:
        verdicts.check(
            "C7", _is_own(store, message), f"It published to {message.incoming.topic}.", message
        )
        size = len(message.incoming.payload)
        verdicts.check("C9", size <= MAX_PAYLOAD, f"It sent a payload of {size} bytes.", message)
        kind = message.address.kind if message.address else None
        if kind in ("req", "rep"):
            name = "request" if kind == "req" else "reply"
            held = not message.incoming.retain
            verdicts.check("C8", held, f"It published a {name} as retained.", message)
        if message.address is not None and message.incoming.payload:
            _check_content(store, verdicts, message)
    _check_replies(store, verdicts)
    _check_ids(store, verdicts)
    _check_pace(store, verdicts)
    for connecting in store.relay.opened:
        sentence = f"Its keep-alive is {connecting.keep_alive} s."
        verdicts.check("C23", 0 < connecting.keep_alive <= _KEEP_ALIVE, sentence)
    _check_presence(store, verdicts, "S1" if store.kind == "sorter" else "T1")


def _is_own(store: FakeStore[Any], message: ObservedMessage) -> bool:
    address = message.address
    if address is None:
        return False
    return (address.callee if address.kind == "rep" else address.node) == store.device


def _check_content(store: FakeStore[Any], verdicts: Verdicts, message: ObservedMessage) -> None:
    wrong = message.flaw or _wrong_attribute(message.document)
    if not verdicts.check("C2", wrong is None, f"It is no message: {wrong}", message):
        return
    missing = [name for name in _COMPLETE if name not in message.document]
    verdicts.check("C3", not missing, f"It has no {', '.join(missing)}.", message)
    model, where = _model_of(store, message)
    if model is None:
        if where:
            verdicts.broke("C4", where, message)
        return
    try:
        model.model_validate(message.document.get("data"))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        path = ".".join(map(str, first["loc"])) or "data"
        verdicts.broke("C4", f"{path}: {first['msg']}.", message)
    else:
        verdicts.keep("C4")


def _wrong_attribute(document: dict[str, Any]) -> str | None:
    """What is wrong with the attributes that Storebus itself does not read."""
    for name in ("source", "type", "datacontenttype"):
        value = document.get(name)
        if value is not None and not (isinstance(value, str) and value):
            return f"`{name}` must be text."
    time = document.get("time")
    if time is None:
        return None
    try:
        milliseconds(time)
    except (ValueError, AttributeError, OverflowError):
        return "`time` must be an RFC 3339 time with an offset."
    return None


def _model_of(store: FakeStore[Any], message: ObservedMessage) -> tuple[type[Model] | None, str]:
    """The model of `data`, or why the contract has no such message."""
    address = message.address
    assert address is not None
    if address.kind == "req":
        return _request_of(store, address)
    channel: State[Any] | Event[Any] | None
    if address.kind == "rep":
        operation = find_operation(store.kind, address.name)
        reply = operation.reply if operation else None
        return (ProblemData if message.is_problem else reply), ""
    if address.kind == "state":
        channel = STATES.get((store.kind, address.name)) or STATES.get((EVERY, address.name))
    else:
        channel = EVENTS.get((store.kind, address.name)) or EVENTS.get((EVERY, address.name))
    return (channel.data if channel else None), ""


def _request_of(store: FakeStore[Any], address: Address) -> tuple[type[Model] | None, str]:
    operation = find_operation(role_of(address.callee) or "", address.name)
    if operation is None:
        return None, f"{address.callee} has no operation {address.name}."
    if operation.callers and store.kind not in operation.callers:
        return None, f"A {store.kind} may not call {address.name}."
    return operation.request, ""


def _check_replies(store: FakeStore[Any], verdicts: Verdicts) -> None:
    for message in store.received:
        request = store.sent.get(message.names or "")
        address = message.address
        asked = address is not None and address.kind in ("req", "state", "event")
        if request is not None and not asked:
            topic = message.incoming.topic
            sentence = f"It answered on {topic} instead of {request.reply_topic}."
            verdicts.check("C5", topic == request.reply_topic, sentence, request.message, message)
        is_reply = message.flaw is None and address is not None and address.kind == "rep"
        to_us = address is not None and address.node != store.device
        if is_reply and to_us and not message.is_problem:  # it may ask itself who plays its name
            verdicts.check("C6", request is not None, "It names no request.", message)


def _check_ids(store: FakeStore[Any], verdicts: Verdicts) -> None:
    first: dict[str, tuple[bytes, ObservedMessage]] = {}
    for message in _commands(store):
        assert message.address is not None
        assert message.id is not None
        digest = body_digest(message.address.name, message.document.get("data"))
        known, before = first.setdefault(message.id, (digest, message))
        sentence = f"The id {message.id} came with another body."
        verdicts.check("C16", known == digest, sentence, before, message)


def _check_pace(store: FakeStore[Any], verdicts: Verdicts) -> None:
    """Each connection starts afresh: open requests may be sent at once, even more than once."""
    several: dict[tuple[str, int], list[ObservedMessage]] = {}
    for message in store.received:
        address = message.address
        if address is None or address.kind != "req" or address.callee not in ROLES:
            continue
        place = bisect(store.begun, message.at)
        copies = several.setdefault((str(message.id), place), [])
        if place and message.at < store.begun[place - 1] + _AT_ONCE:
            copies.clear()
        copies.append(message)
    grown = []
    for copies in several.values():
        pauses = [later.at - each.at for each, later in pairwise(copies)]
        for place, pair in enumerate(pairwise(pauses)):
            three = copies[place : place + 3]
            sentence = f"It sent a request three times within {sum(pair):.2f} s."
            verdicts.check("C19", sum(pair) >= _HASTY, sentence, *three)
        if len(pauses) > 1:
            grown.append((max(pauses[1:]) >= _GROWN * pauses[0], copies))
    if grown and not verdicts.is_broken("C19"):
        sentence = "The pauses between its repetitions did not grow."
        verdicts.check("C20", any(each for each, _ in grown), sentence, *grown[0][1][:3])


def _commands(store: FakeStore[Any]) -> Iterator[ObservedMessage]:
    for message in store.received:
        address = message.address
        if address is None or address.kind != "req" or message.flaw or address.callee not in ROLES:
            continue
        operation = find_operation(address.callee, address.name)
        if operation is not None and operation.kind == "command":
            yield message


def _check_presence(store: FakeStore[Any], verdicts: Verdicts, rule: str) -> None:
    topic = store.topics.state(store.device, PRESENCE.name)
    online = [
        each for each in store.received
        if each.incoming.topic == topic and each.data.get("status") == "online"
    ]  # fmt: skip
    if not online:
        verdicts.broke(rule, f"It showed nothing `online` on {topic}.")
        return
    unretained = next((each for each in online if not each.incoming.retain), None)
    if unretained is not None:
        verdicts.broke(rule, "It showed its presence without the retain flag.", unretained)
        return
    boots = {each.data.get("boot") for each in online}
    wills = [connecting.will for connecting in store.relay.opened if connecting.will is not None]
    said = [read_message(store.topics, will, by_device=True) for will in wills]
    good = [
        each for each in said
        if each.incoming.topic == topic and each.incoming.retain
        and each.data.get("status") == "lost" and each.data.get("boot") in boots
    ]  # fmt: skip
    verdicts.check(
        rule, good, f"It left no retained last will `lost` with the same boot on {topic}.",
        *online[:1], *said[:1],
    )  # fmt: skip
