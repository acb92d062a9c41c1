"""Each state of an order and each kind of alarm, told by hand, as the console shows it."""

from collections.abc import Callable
from typing import get_args

import pytest
from store_builder import MINUTE, ROLES, SECOND, StoreBuilder

from bus.contract.settlement import OrderState
from bus.contract.timestamp import rfc3339
from bus.text.texts import Texts
from tui.model.alarms import KINDS
from tui.model.stock import SURE
from tui.rendering import alarms, orders
from tui.rendering.canvas import Canvas, Line
from tui.rendering.words import ORDER

REFUSED = {"status": 409, "code": "wrong-state", "detail": "no", "retryable": False}
LATE = {"status": 504, "code": "expired", "detail": "too late"}


def _disagreement(told: StoreBuilder) -> None:
    told.stock("MUG", 25, received=25, written_off=0)
    for _ in range(2):
        told.later(SURE).located("MUG", {"A-01-1": 20}, received=20, written_off=0)


def _clock_wrong(told: StoreBuilder) -> None:
    there = rfc3339(told.at + 600 * SECOND)
    asked = told.say("req", "terminal-7/catalog/lookup", {}, time=there)
    told.say("rep", "terminal-7/catalog/lookup", {}, time=rfc3339(told.at), correlationid=asked.id)


def _no_broker(told: StoreBuilder) -> None:
    told.store.reach("mqtt://shop:1883", told.at, up=False)
    told.store.reach("mqtt://shop:1883", told.at + MINUTE, up=False)


def _duplicates(told: StoreBuilder) -> None:
    for _ in range(200):
        told.raw("main/req/settlement/catalog/commit", b'{"id":"1","data":{}}')


def _two_of_a_name(told: StoreBuilder) -> None:
    for boot in ("left", "right", "left"):
        told.node("terminal-1", boot=boot)


def _restless(told: StoreBuilder) -> None:
    for number in range(5):
        told.node("sorter-1", boot=f"start-{number}")


_SHOWN_BY = {
    "no-sorter": "warehouse", "refund-refused": "settlement", "provider-refuses-us": "settlement",
    "clock-step": "terminal-7", "standstill": "warehouse", "cannot-write": "warehouse",
    "database-replaced": "settlement", "database-older": "settlement",
    "provider-silent": "settlement", "outcome-unknown": "settlement", "refuses": "warehouse",
    "charge-refused": "settlement", "step-refused": "settlement", "short-pick": "warehouse",
    "put-back": "warehouse",
}  # fmt: skip
"""Kinds that a node shows itself, and which node does."""
_FOUND: dict[str, Callable[[StoreBuilder], object]] = {
    "lost": lambda told: told.lost("terminal-1"),
    "deadline": lambda told: told.say("req", "terminal-1/settlement/purchase", {}, expiresin=5),
    "refused": lambda told: told.say(
        "event", "catalog/refused", {"caller": "terminal-9", "operation": "restock", "detail": "x"}
    ),
    "foreign": lambda told: told.raw("main/odd", b"{}"),
    "duplicates": _duplicates,
    "malformed": lambda told: told.raw("main/event/catalog/stock-changed", b"{"),
    "stuck": lambda told: told.order("o-1", "charging"),
    "low-stock": lambda told: told.stock("MUG", 1),
    "disagreement": _disagreement,
    "outbox": lambda told: told.about("settlement", outbox=5_000),
    "dead-letter": lambda told: told.answered("settlement", "catalog", "commit", **REFUSED),
    "clock-wrong": _clock_wrong,
    "two-of-a-name": _two_of_a_name,
    "restless": _restless,
    "no-broker": _no_broker,
}
"""Kinds that the console finds out, and of what."""


def text(line: Line) -> str:
    return "".join(part for part, _ in line)


def canvas(told: StoreBuilder, language: str = "en") -> Canvas:
    return Canvas(160, 40, Texts("tui", language), told.at)


def test_each_kind_is_told_in_one_way() -> None:
    assert set(_SHOWN_BY) | set(_FOUND) == set(KINDS)
    assert not set(_SHOWN_BY) & set(_FOUND)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_an_alarm_of_this_kind_is_raised_and_shown_in_both_languages(kind: str) -> None:
    told = StoreBuilder()
    if kind in _SHOWN_BY:
        told.shows(_SHOWN_BY[kind], kind)
    else:
        _FOUND[kind](told)
    told.later(2 * SECOND).later(10 * SECOND)
    if kind == "stuck":
        told.later(MINUTE)
    (group,) = told.store.alarms.groups()
    assert group.head.kind == kind
    assert group.head.sources == ({_SHOWN_BY[kind]} if kind in _SHOWN_BY else set())
    for language in ("en", "zh_Hans"):
        drawn = canvas(told, language)
        row = text(alarms.row(group, told.store, drawn))
        assert Texts("tui", language)(KINDS[group.head.kind])[:20] in row


@pytest.mark.parametrize("state", get_args(OrderState))
@pytest.mark.parametrize("language", ["en", "zh_Hans"])
def test_an_order_in_this_state_is_a_row_with_its_word(state: str, language: str) -> None:
    told = StoreBuilder().node(*ROLES).order("o-1", state).later(5 * SECOND)
    tracked = told.store.orders.get("o-1")
    assert tracked is not None
    assert tracked.state == state
    row = text(orders.row(tracked, told.store.diagnose(tracked), canvas(told, language)))
    sign, _, word = ORDER[state]
    assert f"{sign} {Texts('tui', language)(word)}" in row
    assert "terminal-2" in row


def test_a_request_that_came_too_late_is_told_by_its_code_alone() -> None:
    told = StoreBuilder().answered("terminal-1", "settlement", "purchase", **LATE)
    assert told.store.alarms.subjects("deadline") == {"terminal-1"}
