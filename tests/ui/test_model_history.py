"""The messages that were heard last: bounded, linked, and looked at through a view."""

import json
from collections.abc import Iterable

import pytest
from console_fixtures import model
from hypothesis import given
from hypothesis import strategies as st
from story import recorded

from bus.contract.topics import Topics
from bus.history.filter import FilterError, parse_filter
from bus.history.message import Message
from bus.link import Incoming
from tui.model.history import History
from tui.model.store import StoreModel
from tui.model.view import View


def event(number: int, size: int = 0) -> Incoming:
    body = {"id": f"e-{number}", "data": {"text": "x" * size, "number": number}}
    return Incoming(f"storebus/1/main/event/catalog/kind-{number % 3}", json.dumps(body).encode())


def small(messages: int = 20, size: int = 100_000) -> StoreModel:
    return StoreModel(Topics("main"), History(messages, size))


def heard_day() -> StoreModel:
    store = model()
    for at, message in recorded().messages:
        store.take(at, [message])
    return store


def one(messages: Iterable[Message], text: str) -> Message:
    test = parse_filter(text)
    return next(message for message in messages if test(message))


@given(st.lists(st.integers(0, 400), max_size=120), st.integers(1, 30), st.integers(500, 5000))
def test_a_history_keeps_no_more_than_it_may(sizes: list[int], most: int, size: int) -> None:
    store = small(most, size)
    for number, length in enumerate(sizes):
        store.take(number, [event(number, length)])
    history = store.history
    kept = list(history)
    assert len(kept) <= most
    assert sum(message.size for message in kept) == history.size <= max(size, 0)
    assert history.dropped + len(kept) == history.heard == len(sizes)
    assert [message.number for message in kept] == list(
        range(history.dropped + 1, history.heard + 1)
    )
    assert all(history.get(message.number) is message for message in kept)
    assert history.get(history.dropped) is None
    assert history.get(history.heard + 1) is None


def test_a_reply_finds_its_request_and_a_request_its_reply() -> None:
    history = heard_day().history
    request = one(history, "kind:req op:purchase from:terminal-1")
    reply = history.reply_of(request)
    assert reply is not None
    assert history.request_of(reply) is request
    assert reply.latency == reply.at - request.at


def test_a_repeated_message_is_told_from_a_new_one() -> None:
    history = heard_day().history
    replies = [
        message for message in history if message.topic.endswith("rep/settlement/warehouse/fulfil")
    ]
    by_id: dict[str | None, list[int]] = {}
    for reply in replies:
        by_id.setdefault(reply.answers, []).append(reply.repeats)
    assert [0, 1, 2] in by_id.values()


def test_a_message_finds_its_cause() -> None:
    history = heard_day().history
    reserve = one(history, "kind:req op:reserve")
    cause = history.cause_of(reserve)
    assert cause is not None
    assert (cause.kind, cause.name) == ("req", "purchase")


def test_the_message_before_on_the_same_topic_is_found() -> None:
    history = heard_day().history
    last = one(reversed(history), "op:job")
    before = history.previous(last)
    assert before is not None
    assert before.topic == last.topic
    assert not [
        m for m in history if m.topic == last.topic and before.number < m.number < last.number
    ]


def test_what_is_forgotten_is_no_longer_linked() -> None:
    store = small(2)
    request = {"id": "r", "data": {}}
    topics = Topics("main")
    store.take(
        1, [Incoming(topics.request("terminal-1", "catalog", "ping"), json.dumps(request).encode())]
    )
    store.take(2, [event(1), event(2)])
    (reply,) = store.take(
        3, [Incoming(topics.reply("terminal-1", "catalog", "ping"), json.dumps(request).encode())]
    )
    assert store.history.request_of(reply) is None
    assert reply.latency is None


def test_a_view_follows_what_passes_its_filter() -> None:
    store = small()
    view = View(store.history)
    view.set_filter("op:=kind-1")
    for number in range(30):
        view.take(store.take(number, [event(number)]))
    kept = [message for message in store.history if message.name == "kind-1"]
    assert [view[place] for place in range(len(view))] == kept


def test_a_paused_view_stands_still_and_counts_what_it_misses() -> None:
    store = small()
    view = View(store.history)
    for number in range(10):
        view.take(store.take(number, [event(number)]))
    view.pause(paused=True)
    for number in range(10, 40):
        view.take(store.take(number, [event(number)]))
    assert [message.number for message in (view[0], view[9])] == [1, 10]
    assert view.missed == 30
    view.pause(paused=False)
    assert len(view) == 20
    assert view[19].number == 40
    assert view.missed == 0


def test_a_filter_that_is_none_changes_nothing() -> None:
    store = small()
    view = View(store.history)
    view.take(store.take(1, [event(1)]))
    with pytest.raises(FilterError):
        view.set_filter("colour:blue")
    assert len(view) == 1
    assert view.filter == ""


def test_a_search_goes_on_and_back_and_round() -> None:
    store = small()
    view = View(store.history)
    for number in range(9):
        view.take(store.take(number, [event(number)]))
    assert view.search("op:=kind-1", 1) == 4
    assert view.search("op:=kind-1", 4, back=True) == 1
    assert view.search("op:=kind-1", 7) == 1
    assert view.search("nowhere", 0) is None
