"""What is typed is found: orders by what people call them, nodes, styles, alarms, topics."""

import pytest
from console_fixtures import START, incoming, model, told
from story import recorded

from bus.link import Incoming, Outgoing
from bus.text.sentence import Sentence
from tui.model.search import MOST, search
from tui.model.store import StoreModel
from tui.model.target import Target


@pytest.fixture(scope="module")
def day() -> StoreModel:
    """A console that has heard the told day."""
    store = model()
    for at, message in recorded().messages:
        store.take(at, [message])
    store.tick(store.now + 1_000)
    return store


def names(store: StoreModel, text: str, kind: str = "order") -> list[str]:
    """What of a kind is found."""
    return [each.target.name for each in search(store, text) if each.target.kind == kind]


def test_an_order_is_found_by_a_part_of_all_that_people_call_it_by(day: StoreModel) -> None:
    order = recorded().stuck
    track = day.orders.get(order)
    assert track is not None
    assert track.code is not None
    for text in (order, order[2:8].upper(), track.code, track.code[:4], f" {track.code} "):
        assert names(day, text) == [order]
    assert set(names(day, "terminal-1")) == {
        each.order for each in day.orders if each.terminal == "terminal-1"
    }
    assert set(names(day, "c-1002")) == {
        each.order for each in day.orders if each.account == "C-1002"
    }
    assert order in names(day, "SHIRT-BLUE")


def test_what_has_the_text_as_its_own_name_comes_before_what_only_has_to_do_with_it(
    day: StoreModel,
) -> None:
    assert search(day, "terminal-1")[0].target == Target("node", "terminal-1")
    assert search(day, "mug")[0].target == Target("style", "MUG")
    first = search(day, "terminal-1")[1]
    assert (first.target.kind, first.what, first.value) == ("order", "terminal", "terminal-1")


def test_orders_that_moved_last_come_first(day: StoreModel) -> None:
    found = names(day, "o-")
    times = [track.active for each in found if (track := day.orders.get(each))]
    assert times == sorted(times, reverse=True)
    assert len(times) == len(day.orders)


def test_styles_alarms_and_topics_are_found(day: StoreModel) -> None:
    assert names(day, "oxford", "style") == ["SHIRT-BLUE", "SHIRT-RED"]
    assert names(day, "terminal-3", "alarm") == ["lost terminal-3"]
    assert "storebus/1/main/state/sorter-1/job" in names(day, "sorter-1/job", "topic")
    assert names(day, "s", "topic") == [], "one letter stands in all of them"


def test_nothing_is_found_for_nothing_and_for_what_is_nowhere(day: StoreModel) -> None:
    assert search(day, "  ") == search(day, "nowhere-at-all") == []


def test_however_many_there_are_so_many_of_a_kind_are_found() -> None:
    store = model()
    for number in range(3 * MOST):
        topic = f"storebus/1/main/event/settlement/x-{number}"
        store.take(START + number, [Incoming(topic, b'{"id":"1","data":{}}')])
        store.orders.summed_up({"order": f"o-{number}", "state": "settled"}, START + number)
        store.alarms.raise_("stuck", f"o-{number}", Sentence("x"), START)
    assert len(names(store, "o-")) == len(names(store, "x-", "topic")) == MOST
    assert len(names(store, "o-", "alarm")) == MOST
    assert names(store, "o-0")[0] == "o-0"


def test_a_code_and_an_account_are_learned_from_the_bus_alone() -> None:
    store = model()
    topics = store.topics
    bought = b'{"id":"1","traceparent":"00-%s-%s-01","data":{"payment":{"account":"C-7"},' % (
        b"a" * 32, b"b" * 16)  # fmt: skip
    told(store, [
        Outgoing(topics.request("terminal-1", "settlement", "purchase"),
                 bought + b'"lines":[{"sku":"MUG","quantity":1},{"sku":[]}]}}'),
        Outgoing(topics.reply("terminal-1", "settlement", "purchase"),
                 b'{"id":"2","correlationid":"1","orderid":"o-1","traceparent":"00-%s-%s-01",'
                 b'"data":{"order":"o-1","pickup_code":"004711"}}' % (b"a" * 32, b"c" * 16)),
    ])  # fmt: skip
    track = store.orders.get("o-1")
    assert track is not None
    assert (track.code, track.account, track.skus) == ("004711", "C-7", ("MUG",))
    store.take(START, [incoming(Outgoing(topics.request("settlement", "terminal-1", "remind"),
               b'{"id":"3","orderid":"o-2","data":{"pickup_code":"123456"}}'))])  # fmt: skip
    assert names(store, "123456") == ["o-2"]
