"""The topics that were heard: last value, how many, how fast, what is retained; bounded."""

from console_fixtures import START, model

from bus.link import Incoming
from tui.model import topics as module
from tui.model.store import StoreModel
from tui.model.topics import BYTES, TOPICS, grown, rows

_ROOT = "storebus/1/main"


def heard(store: StoreModel, name: str, value: bytes = b"{}", at: int = START, **how: bool) -> None:
    """A message on a topic."""
    store.take(at, [Incoming(f"{_ROOT}/{name}", value, **how)])  # type: ignore[arg-type]


def test_the_last_value_of_each_topic_is_kept_with_how_often_it_was_heard() -> None:
    store = model()
    for value in (b"1", b"2", b"3"):
        heard(store, "event/catalog/x", value)
    topic = store.heard.get(f"{_ROOT}/event/catalog/x")
    assert topic is not None
    assert (topic.value, topic.count, topic.number, topic.is_retained) == (b"3", 3, 3, False)


def test_what_the_broker_keeps_is_marked_until_it_is_taken_away() -> None:
    store = model()
    heard(store, "state/catalog/about", b"{}")
    heard(store, "odd", b"x", retain=True)
    kept = [store.heard.get(f"{_ROOT}/{name}") for name in ("state/catalog/about", "odd")]
    assert [topic.is_retained for topic in kept if topic] == [True, True]
    heard(store, "state/catalog/about", b"")
    assert [topic.is_retained for topic in kept if topic] == [False, True]


def test_a_rate_is_that_of_the_last_ten_seconds_and_falls_to_nothing() -> None:
    store = model()
    start = START // 10_000 * 10_000
    for number in range(50):
        heard(store, "event/catalog/x", at=start + number * 200)
    topic = store.heard.get(f"{_ROOT}/event/catalog/x")
    assert topic is not None
    assert topic.rate(start + 9_999) == 0.0, "the first ten seconds are not over"
    assert topic.rate(start + 10_000) == topic.rate(start + 19_999) == 5.0
    assert topic.rate(start + 20_000) == 0.0
    heard(store, "event/catalog/x", at=start + 35_000)
    assert topic.rate(start + 35_000) == 0.0


def test_topics_that_are_invented_and_long_values_are_bounded() -> None:
    store = model()
    heard(store, "x" * 5_000)
    assert (len(store.heard), store.heard.unnamed) == (0, 1)
    for number in range(TOPICS + 10):
        heard(store, f"odd/{number}", b"x" * 3_000)
    assert (len(store.heard), store.heard.unnamed) == (TOPICS, 11)
    assert store.heard.size == sum(len(topic.value or b"") for topic in store.heard) <= BYTES
    first, last = (store.heard.get(f"{_ROOT}/odd/{number}") for number in (0, TOPICS - 1))
    assert first is not None
    assert last is not None
    assert (first.value, first.size, first.count) == (None, 3_000, 1)
    assert last.value == b"x" * 3_000


def test_the_tree_joins_what_does_not_fork_and_hides_what_is_closed() -> None:
    store = model()
    for name in ("state/catalog/about", "state/catalog/presence", "event/catalog/x", "state"):
        heard(store, name)
    tree = grown(store.heard)
    everything = rows(tree, lambda _: True)
    assert [(each.depth, each.name) for each in everything] == [
        (0, _ROOT), (1, "event/catalog/x"), (1, "state"), (2, "catalog"), (3, "about"),
        (3, "presence"),
    ]  # fmt: skip
    assert [each.path for each in everything if each.topic] == [
        f"{_ROOT}/{name}"
        for name in ("event/catalog/x", "state", "state/catalog/about", "state/catalog/presence")
    ]
    closed = rows(tree, lambda branch: branch.depth < 1)
    assert [each.name for each in closed] == [_ROOT, "event/catalog/x", "state"]
    assert sum(topic.count for topic in everything[0].topics()) == 4
    only = grown(store.heard, lambda topic: "presence" in topic.name)
    assert [each.name for each in rows(only, lambda _: True)] == [f"{_ROOT}/state/catalog/presence"]


def test_a_topic_of_slashes_is_a_topic() -> None:
    store = model()
    for name in ("", "/", "//x", "x/"):
        store.take(START, [Incoming(f"storebus{name}", b"1")])
    assert len(list(grown(store.heard).topics())) == len(store.heard) == 4
    assert module.Topic("x").rate(START) == 0.0
