"""A developer changes a message: what would break devices out there is refused with a hint."""

import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from functools import cache
from typing import Annotated, Any, Literal

import pytest
from judge import PUBLISHED
from pydantic import Field, create_model

from bus.contract import CHANNELS
from bus.contract.catalog import LOOKUP, Found, Lookup
from bus.contract.settlement import COLLECT, ORDERS, PURCHASE, Collect, Orders, Purchase, Receipt
from bus.contract.sorter import JOB_STATE, PICK, JobState, Pick, PickReply
from bus.contract.topics import CONTRACT_VERSION
from bus.contract.values import Model
from bus.contract.warehouse import FULFIL, PACKED, REASSIGN, JobStatus
from schema.compatibility import hint, incompatible
from schema.messages import Channel
from schema.published import RELEASED, broken
from schema.snapshot import snapshot


@cache
def released() -> dict[str, Any]:
    """What devices out there rely on."""
    return snapshot()


def changed(channel: Channel, **more: Any) -> list[str]:
    """What breaks when a channel is declared otherwise."""
    other = replace(channel, **more)
    channels = tuple(other if each is channel else each for each in CHANNELS)
    return incompatible(released(), snapshot(channels))


def without(model: type[Model], *names: str) -> type[Model]:
    """The model with some of its fields gone."""
    fields = {
        name: (field.annotation, field)
        for name, field in model.model_fields.items()
        if name not in names
    }
    return create_model(model.__name__, __base__=Model, **fields)  # type: ignore[call-overload,no-any-return]


def with_field(model: type[Model], name: str, kind: Any, default: Any = ...) -> type[Model]:
    """The model with a field more, or another in place of one."""
    return create_model(model.__name__, __base__=model, **{name: (kind, default)})  # type: ignore[call-overload,no-any-return]


def test_the_contract_keeps_what_was_released() -> None:
    changes = broken(PUBLISHED)
    assert not changes, "\n".join([*changes, hint(CONTRACT_VERSION)])
    assert (PUBLISHED / RELEASED).is_file()


def test_the_hint_says_that_it_takes_contract_version_2_under_its_own_root() -> None:
    assert "contract version 2 under its own root" in hint(1)


def test_an_unchanged_contract_breaks_nothing() -> None:
    assert incompatible(released(), snapshot()) == []
    assert incompatible(json.loads(json.dumps(released())), snapshot()) == []


BREAKING: dict[str, tuple[Callable[[], list[str]], str]] = {
    "a field of a request is removed": (
        lambda: changed(PURCHASE, request=without(Purchase, "pickup_point")),
        "settlement.purchase request: the field `pickup_point` was removed.",
    ),
    "a field of a reply is removed": (
        lambda: changed(PURCHASE, reply=without(Receipt, "pickup_code")),
        "settlement.purchase reply: the field `pickup_code` was removed.",
    ),
    "a request gets a field that it must have": (
        lambda: changed(COLLECT, request=with_field(Collect, "terminal", str)),
        "settlement.collect request: the field `terminal` is now required.",
    ),
    "a field of a request must be there now": (
        lambda: changed(PURCHASE, request=with_field(Purchase, "pickup_point", str)),
        "settlement.purchase request: the field `pickup_point` is now required.",
    ),
    "a field of a request may not be null any more": (
        lambda: changed(PURCHASE, request=with_field(Purchase, "pickup_point", str, "north")),
        "settlement.purchase request: the field `pickup_point` can no longer be null.",
    ),
    "a value of a request is removed": (
        lambda: changed(
            ORDERS,
            request=with_field(Orders, "state", Literal["settled", "ready"] | None, None),
        ),
        (
            "settlement.orders request: the field `state` can no longer be reserving, charging,"
            " short, reminded, collected, refused, declined, cancelling, cancelled, expiring,"
            " expired."
        ),
    ),
    "a text of a request may only be one of a few": (
        lambda: changed(LOOKUP, request=with_field(Lookup, "code", Literal["a", "b"])),
        "catalog.lookup request: the field `code` can now be a, b only.",
    ),
    "a field has another type": (
        lambda: changed(COLLECT, request=with_field(Collect, "code", int)),
        "settlement.collect request: the field `code` can no longer be string.",
    ),
    "a request may be shorter only": (
        lambda: changed(
            ORDERS,
            request=with_field(Orders, "limit", Annotated[int, Field(ge=1, le=10)], 10),
        ),
        "settlement.orders request: the field `limit`: `maximum` was 1000 and is 10.",
    ),
    "a text of a request must have another form": (
        lambda: changed(
            COLLECT,
            request=with_field(Collect, "code", Annotated[str, Field(pattern="^[0-9]{8}$")]),
        ),
        "settlement.collect request: the field `code` must now match ^[0-9]{8}$.",
    ),
    "a way to pay is removed": (
        lambda: _within("settlement.purchase", "request", ["properties", "payment", "oneOf"]),
        (
            "settlement.purchase request: the field `payment` can no longer be object with method"
            " card."
        ),
    ),
    "a field deep within a list is removed": (
        lambda: _within(
            "catalog.lookup", "reply", ["definitions", "Style", "properties"], "available"
        ),
        "catalog.lookup reply: the field `product.styles[].available` was removed.",
    ),
    "a field of a reply may be left out now": (
        lambda: changed(PURCHASE, reply=with_field(Receipt, "pickup_code", str | None, None)),
        (
            "settlement.purchase reply: the field `pickup_code` was always there and may now be"
            " left out."
        ),
    ),
    "a field of a reply may be null now": (
        lambda: changed(LOOKUP, reply=with_field(Found, "product", Lookup | None)),
        "catalog.lookup reply: the field `product` can now be null, too.",
    ),
    "a field of a state is removed": (
        lambda: changed(JOB_STATE, data=without(JobState, "step")),
        "sorter.job.state state: the field `step` was removed.",
    ),
    "what a sorter is told may be missing": (
        lambda: changed(PICK, request=with_field(Pick, "pickup_point", str | None, None)),
        "sorter.pick request: the field `pickup_point` was always there and may now be left out.",
    ),
    "what a sorter answers must be more": (
        lambda: changed(PICK, reply=with_field(PickReply, "weight", int)),
        "sorter.pick reply: the field `weight` is now required.",
    ),
    "an operation is removed": (
        lambda: incompatible(
            released(), snapshot([each for each in CHANNELS if each is not COLLECT])
        ),
        "settlement.collect: it was removed.",
    ),
    "an operation has another name": (
        lambda: changed(COLLECT, name="fetch"),
        "settlement.collect: it was removed.",
    ),
    "a query becomes a command": (
        lambda: changed(LOOKUP, kind="command"),
        "catalog.lookup: `qos` was 0 and is 1.",
    ),
    "a caller may not call any more": (
        lambda: changed(COLLECT, callers=frozenset({"console"})),
        "settlement.collect: terminal may not call it any more.",
    ),
    "not everybody may ask any more": (
        lambda: changed(LOOKUP, callers=frozenset({"terminal"})),
        "catalog.lookup: any node could call it, and now only terminal.",
    ),
    "a state is not retained any more": (
        lambda: _edited(lambda now: now["channels"]["sorter.job.state"].update(retained=False)),
        "sorter.job.state: `retained` was True and is False.",
    ),
    "a topic is another": (
        lambda: _edited(
            lambda now: now["channels"]["catalog.lookup"]["topics"].update(request="elsewhere")
        ),
        (
            "catalog.lookup: the topic of its request was"
            " storebus/1/{site}/req/{caller}/catalog/lookup and is elsewhere."
        ),
    ),
    "an attribute of every message is removed": (
        lambda: _edited(lambda now: now["envelope"]["properties"].pop("correlationid")),
        "envelope: the field `correlationid` was removed.",
    ),
    "a problem has no code any more": (
        lambda: _edited(lambda now: now["problem"]["properties"].pop("code")),
        "problem: the field `code` was removed.",
    ),
}


def _edited(edit: Callable[[Any], Any]) -> list[str]:
    now = deepcopy(released())
    edit(now)
    return incompatible(released(), now)


def _shown_by_all(*kinds: str) -> list[str]:
    """What breaks when the warehouse's own alarms, as once released, become everybody's."""
    before, now = deepcopy(released()), deepcopy(released())
    everys = now["channels"]["every.alarms.state"]
    own = before["channels"].pop("every.alarms.state")
    own["topics"] = {"state": own["topics"]["state"].replace("{node}", "warehouse")}
    own["messages"]["state"]["definitions"]["Alarm"]["properties"]["kind"] = _kinds("no-sorter")
    definition = everys["messages"]["state"]["definitions"]["Alarm"]
    definition["properties"]["kind"] = _kinds(*kinds or ("no-sorter",))
    before["channels"]["warehouse.alarms.state"] = own
    return incompatible(before, now)


def _kinds(*kinds: str) -> dict[str, Any]:
    return {"type": "string", **({"enum": list(kinds)} if kinds[1:] else {"const": kinds[0]})}


def _within(name: str, part: str, path: list[str], gone: Any = -1) -> list[str]:
    """What breaks when something within a message's schema is taken away."""

    def edit(now: Any) -> None:
        place = now["channels"][name]["messages"][part]
        for step in path:
            place = place[step]
        place.pop(gone)

    return _edited(edit)


@pytest.mark.parametrize("what", sorted(BREAKING))
def test_a_change_that_breaks_devices_is_told_with_its_field(what: str) -> None:
    changes, sentence = BREAKING[what][0](), BREAKING[what][1]
    assert sentence in changes


COMPATIBLE: dict[str, Callable[[], list[str]]] = {
    "a request gets a field that may be left out": lambda: changed(
        COLLECT, request=with_field(Collect, "terminal", str | None, None)
    ),
    "a reply gets a field": lambda: changed(PURCHASE, reply=with_field(Receipt, "points", int)),
    "a state gets a field": lambda: changed(JOB_STATE, data=with_field(JobState, "lift", int, 0)),
    "another may call": lambda: changed(COLLECT, callers=COLLECT.callers | {"tester"}),
    "everybody may call": lambda: changed(COLLECT, callers=frozenset()),
    "the store says another state": lambda: changed(
        REASSIGN,
        reply=with_field(JobStatus, "state", Literal["waiting", "assigned", "packed", "lifting"]),
    ),
    "a request may be longer": lambda: changed(
        ORDERS, request=with_field(Orders, "limit", Annotated[int, Field(ge=1, le=5000)], 100)
    ),
    "an asker waits longer": lambda: changed(PURCHASE, timeout=120.0),
    "another operation": lambda: incompatible(
        released(), snapshot([*CHANNELS, replace(COLLECT, name="fetch")])
    ),
    "what one role showed, every node shows": _shown_by_all,
    "a field with one value gets another": lambda: _shown_by_all("no-sorter", "clock-step"),
    "another text": lambda: changed(FULFIL, description="Another text"),
    "another refusal": lambda: changed(PACKED, problems=PACKED.problems | {"conflict"}),
}


@pytest.mark.parametrize("what", sorted(COMPATIBLE))
def test_an_addition_breaks_nothing(what: str) -> None:
    assert COMPATIBLE[what]() == []
