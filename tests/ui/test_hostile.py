"""Whatever is published under the site's root, by whomever: it is taken, drawn, and harmless."""

import json
import unicodedata
from collections.abc import Iterator
from typing import Any

import pytest
from console_fixtures import START, model
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from story import recorded

from bus.contract import CHANNELS
from bus.contract.channel import Operation
from bus.link import Incoming
from bus.text.safe import visible
from bus.text.texts import Texts
from tui.app import Console
from tui.model.alarms import SEVERITIES
from tui.model.lane import lane
from tui.model.remedy import advice, remedy
from tui.model.search import search
from tui.model.store import StoreModel
from tui.model.topics import grown, rows
from tui.picture import alarms, orders, stock, topics, traffic
from tui.picture import node as nodes
from tui.picture import search as found
from tui.picture.detail import detail
from tui.picture.paper import Paper
from tui.picture.store import picture

_NASTY = ["\x1b[31m", "\x1b]52;c;AAAA\x07", "[bold]x[/bold]", "[/]", "\u202egnp", "a\x00b",
          "{order}", "{}", "%s", "\ud800", "\U000e0041", "衬" * 50, "x" * 5000]  # fmt: skip
_TEXTS = st.sampled_from(_NASTY) | st.text(st.characters(codec=None), max_size=20)
_NUMBERS = st.integers() | st.sampled_from([10**30, -1, 2**63]) | st.floats(allow_nan=False)
_JSON = st.recursive(
    st.none() | st.booleans() | _NUMBERS | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=8,
)
_NODES = ["catalog", "settlement", "warehouse", "sorter-1", "terminal-1", "console-1", "nobody"]
_NAMES = sorted({channel.name for channel in CHANNELS} | {"order-changed", "odd"})
_FIELDS = sorted(
    {"order", "orders", "state", "since", "status", "boot", "step", "job", "pick", "picks",
     "levels", "sku", "available", "on_hand", "bins", "location", "quantity", "points", "id",
     "name", "alarms", "kind", "detail", "code", "total", "reason", "outbox", "returns", "lines",
     "history", "terminal", "pickup_point", "default", "caller", "operation", "host", "process",
     "data", "connections", "errors", "counts", "at", "payment", "account", "pickup_code",
     "products", "styles"}
)  # fmt: skip
_WORDS = st.sampled_from(
    ["online", "lost", "settled", "picking", "no-sorter", "o-1", "o-2", "MUG", "A-01-1"]
)
_DATA = st.dictionaries(st.sampled_from(_FIELDS), _JSON | _WORDS, max_size=8) | _JSON
_DATA = _DATA | st.builds(lambda name, items: {name: items}, st.sampled_from(_FIELDS),
                          st.lists(_DATA, max_size=3))  # fmt: skip
_HEADS = st.fixed_dictionaries(
    {"data": _DATA},
    optional={
        "id": st.sampled_from(["m-1", "m-2"]) | _JSON,
        "orderid": st.sampled_from(["o-1", "o-2"]) | _TEXTS,
        "causationid": st.sampled_from(["m-1", "m-2"]) | _JSON,
        "correlationid": st.sampled_from(["m-1", "m-2"]) | _JSON,
        "traceparent": _TEXTS | st.just("00-" + "a" * 32 + "-" + "b" * 16 + "-01"),
        "expiresin": st.none() | st.integers() | _TEXTS,
        "expirytime": _TEXTS | st.just("2025-11-22T08:27:00Z"),
        "type": _TEXTS | st.just("storebus.catalog.lookup.problem"),
    },
)
_PAYLOADS = st.binary(max_size=40) | _HEADS.map(lambda head: json.dumps(head).encode())
_TOPICS = st.one_of(
    st.builds("req/{}/{}/{}".format, *[st.sampled_from(_NODES)] * 2, st.sampled_from(_NAMES)),
    st.builds("rep/{}/{}/{}".format, *[st.sampled_from(_NODES)] * 2, st.sampled_from(_NAMES)),
    st.builds("state/{}/{}".format, st.sampled_from(_NODES), st.sampled_from(_NAMES)),
    st.builds("event/{}/{}".format, st.sampled_from(_NODES), st.sampled_from(_NAMES)),
    _TEXTS,
)


def drawn(store: StoreModel, width: int, height: int, last: int = 1_000) -> list[Any]:
    """Everything that the screens draw of a model, and of its last messages."""
    paper = Paper(width, height, Texts("tui", "zh"), store.now)
    lines = picture(store, paper, up=True, broker="x").lines
    messages = list(store.history)[-last:]
    lines += [traffic.row(message, paper) for message in messages]
    for message in messages:
        lines += detail(message, paper, store.history.previous(message))
    for track in store.orders:
        reason, way = store.why(track), lane(track)
        lines += [orders.row(track, reason, paper), orders.lane_heading(way, paper)]
        lines += orders.summary(track, reason, paper) + orders.history(track, paper)
        lines += [orders.arrow(each, way, paper, reason and reason.hop) for each in way.arrows]
    for style in store.stock:
        lines += [stock.row(style, paper), *stock.whole(style, paper)]
    lines += stock.floor(store, paper)
    for each in store.nodes:
        lines += [nodes.row(each, paper), *(row.line for row in nodes.whole(each, store, paper))]
    tree = rows(grown(store.heard), lambda _: True)
    lines += [topics.row(branch, paper, is_open=True) for branch in tree]
    for wanted in ("m", "o-1", "1"):
        lines += [found.row(each, store, paper) for each in search(store, wanted)]
    opened = {alarm.key for alarm in store.alarms.current()}
    for only in (None, *SEVERITIES):
        lines += alarms.heading(store.alarms, paper, "severity", only, 1)
        listed = alarms.lines(store.alarms, paper, "oldest", only, opened)
        lines += [alarms.row(each, store, paper) for each in listed]
    for alarm in store.alarms.current():
        todo, help_ = advice(alarm, store), remedy(alarm, store)
        lines += alarms.whole(alarm, alarm.said, todo, help_, store.alarms, paper)
    return lines


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(_TOPICS, _PAYLOADS), max_size=12), st.integers(1, 220))
def test_nothing_that_is_sent_breaks_the_model_or_a_picture(
    messages: list[tuple[str, bytes]], width: int
) -> None:
    store = model()
    for step, (topic, payload) in enumerate(messages):
        store.take(START + step, [Incoming(f"storebus/1/main/{topic}", payload)])
    store.tick(START + 200_000)
    for line in drawn(store, width, 24):
        for text, _ in line:
            assert all(unicodedata.category(each) != "Cc" for each in visible(text))


_ODD: list[Any] = [None, True, -1, 10**30, 1.5, "", "\x1b[31m{x}", [], [[1]], {}, {"a": [None]}]


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something stands in a document."""
    yield path
    if isinstance(value, dict | list):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(part, (*path, key))


def replaced(value: Any, path: tuple[Any, ...], odd: Any) -> Any:
    """A document with something else in one place."""
    if not path:
        return odd
    copy = value.copy()
    copy[path[0]] = replaced(copy[path[0]], path[1:], odd)
    return copy


@pytest.mark.parametrize("odd", _ODD, ids=str)
def test_no_field_of_any_message_breaks_anything_whatever_it_holds(odd: object) -> None:
    kinds = {}
    for _, message in recorded().messages:
        parts = message.topic.split("/")
        kinds[parts[3], parts[-1]] = message
    store = model()
    for message in kinds.values():
        document = json.loads(message.payload)
        for path in leaves(document):
            payload = json.dumps(replaced(document, path, odd)).encode()
            store.take(START, [Incoming(message.topic, payload)])
        store.tick(START + 100_000)
        drawn(store, 80, 24, last=50)


def test_every_channel_can_be_heard_with_nothing_in_it() -> None:
    store = model()
    for channel in CHANNELS:
        parts = (
            [f"req/console-1/{channel.callee}/{channel.name}"]
            if isinstance(channel, Operation)
            else [f"state/{channel.owner}/{channel.name}", f"event/{channel.owner}/{channel.name}"]
        )
        for part in parts:
            topic = f"storebus/1/main/{part.replace('*', 'catalog')}"
            store.take(START, [Incoming(topic, b'{"id":"1","data":{}}')])
    drawn(store, 80, 24)


@pytest.mark.parametrize("size", [(1, 1), (30, 8)])
async def test_no_screen_breaks_on_a_tiny_terminal(size: tuple[int, int]) -> None:
    store = model()
    for at, message in recorded().messages:
        store.take(at, [message])
    console = Console(store, lambda: store.now)
    async with console.run_test(size=size) as pilot:
        for tab in ("traffic", "orders", "stock", "alarms", "topics", "store"):
            await console.run_action(f"tab('{tab}')")
            await pilot.pause()
        await console.run_action("tab('orders')")
        await pilot.press("enter", "question_mark", "escape", "escape", "slash", "o", "enter", "I")
        assert console.is_running


async def test_hostile_messages_are_drawn_as_what_they_are() -> None:
    store = model()
    texts = ["\x1b]0;pwned\x07", "[bold red]fire[/]", "abc\u202egnp.exe", "line\nbreak"]
    for number, text in enumerate(texts):
        payload = json.dumps({"id": f"{number}", "data": {"text": text}}).encode()
        store.take(START, [Incoming("storebus/1/main/event/catalog/x", payload)])
    store.take(START, [Incoming("storebus/1/main/\x1b[2J/x", b"\xff\x1b[2J\n" * 20)])
    store.take(START, [Incoming("storebus/1/main/event/catalog/x", b'"' + b"x" * 65_000)])
    console = Console(store, lambda: store.now)
    async with console.run_test(size=(160, 40)) as pilot:
        await console.run_action("tab('traffic')")
        await pilot.press("end", "enter")
        seen = ""
        for _ in range(len(texts) + 2):
            await pilot.press("up")
            seen += "".join(
                segment.text
                for strip in console.screen._compositor.render_strips()
                for segment in strip
            )
    assert not [each for each in seen if unicodedata.category(each) in ("Cc", "Cf")]
    for shown in ("␛]0;pwned␇", "[bold red]fire[/]", "abc\\u202egnp.exe", "␛[2J", "\\xff"):
        assert shown in seen
