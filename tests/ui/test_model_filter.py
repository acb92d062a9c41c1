"""The filter language of the traffic: what each word lets through, and what is no filter."""

import pytest
from console_fixtures import model
from hypothesis import given
from hypothesis import strategies as st
from recorded_day import recorded

from bus.contract.errors import StorebusError
from bus.history.filter import WORDS, FilterError, parse_filter
from bus.history.message import Message
from bus.link import Incoming


@pytest.fixture(scope="module")
def messages() -> list[Message]:
    """What was said on the told day."""
    store = model()
    for at, message in recorded().messages:
        store.take(at, [message])
    return list(store.history)


def passing(messages: list[Message], text: str) -> list[Message]:
    test = parse_filter(text)
    return [message for message in messages if test(message)]


def test_an_empty_filter_lets_all_through(messages: list[Message]) -> None:
    assert passing(messages, "  ") == messages


def test_from_is_who_asks_and_to_is_who_is_asked(messages: list[Message]) -> None:
    found = passing(messages, "from:terminal-1 op:purchase")
    assert {(each.sender, each.receiver, each.kind) for each in found} == {
        ("terminal-1", "settlement", "req")
    }


def test_node_finds_both_directions(messages: list[Message]) -> None:
    kinds = {message.kind for message in passing(messages, "node:terminal-1 op:purchase")}
    assert kinds == {"req", "rep"}


def test_words_are_joined_by_and_and_commas_by_or(messages: list[Message]) -> None:
    found = passing(messages, "kind:req op:reserve,commit")
    assert {(each.kind, each.name) for each in found} == {("req", "reserve"), ("req", "commit")}


def test_a_minus_turns_a_word_round(messages: list[Message]) -> None:
    without = passing(messages, "-kind:state,event")
    assert {message.kind for message in without} == {"req", "rep"}
    assert len(without) + len(passing(messages, "kind:state,event")) == len(messages)


def test_a_star_stands_for_any_end(messages: list[Message]) -> None:
    assert {each.sender for each in passing(messages, "from:sorter-* kind:state")} == {
        "sorter-1", "sorter-2",
    }  # fmt: skip


def test_status_finds_problems(messages: list[Message]) -> None:
    problems = passing(messages, "status:>=400")
    assert problems
    assert all(message.code is not None for message in problems)
    assert problems == passing(messages, "status:>399")


def test_repeats_finds_what_was_heard_again(messages: list[Message]) -> None:
    assert {message.name for message in passing(messages, "repeats:>=2")} == {"fulfil"}


def test_text_is_found_in_any_case(messages: list[Message]) -> None:
    assert passing(messages, "text:shirt-red") == passing(messages, "SHIRT-RED") != []


def test_a_topic_is_found_in_any_case() -> None:
    store = model()
    (message,) = store.take(1, [Incoming("storebus/1/main/Odd", b"{}")])
    assert parse_filter("text:ODD")(message)
    assert parse_filter("odd")(message)


def test_sizes_and_times_have_units(messages: list[Message]) -> None:
    assert passing(messages, "size:>=1k") == [m for m in messages if m.size >= 1024]
    assert passing(messages, "latency:>=1s") == [
        m for m in messages if m.latency is not None and m.latency >= 1000
    ]


def test_quotes_hold_words_together(messages: list[Message]) -> None:
    assert passing(messages, '"jam at the lift"')


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("colour:blue", "There is no word colour: there are from, to"),
        ("status:many", "status:many is not a number, such as status:>=400."),
        ("op:", "op: has no value, such as op:terminal-7."),
        ("size:", "size: has no value, such as size:>=400."),
        ('text:"mug', 'The filter has an unclosed quote: text:"mug'),
        ("-colour:blue", "There is no word colour:"),
        ("op:purchas", "The contract has no op:purchas: did you mean op:purchase? op:=purchas in"),
        ("-op:purchas", "The contract has no op:purchas: did you mean op:purchase?"),
        ("op:purchase,remnd", "The contract has no op:remnd: did you mean op:remind?"),
        ("op:zzz", "The contract has no op:zzz; op:=zzz insists."),
        ("op:presense", "The contract has no op:presense: did you mean op:presence?"),
        ("op:puk*", "The contract has no op:puk*"),
        ("kind:request", "The contract has no kind:request: did you mean kind:req?"),
        ("code:soldout", "The contract has no code:soldout: did you mean code:sold-out?"),
        ("from:catalogue", "The contract has no from:catalogue: did you mean from:catalog?"),
        ("to:sorter", "The contract has no to:sorter: did you mean to:sorter-1?"),
        ("node:teminal-7", "The contract has no node:teminal-7: did you mean node:terminal-7?"),
        ("node:termnal*", "The contract has no node:termnal*: did you mean node:terminal-1?"),
        ("node:door-1", "The contract has no node:door-1; node:=door-1 insists."),
        ("topic:./req/a/b/c", "The contract has no topic:./req/a/b/c: did you mean topic:storebus"),
    ],
)
def test_what_is_no_filter_is_said_in_a_sentence(text: str, said: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse_filter(text)
    assert str(caught.value).startswith(said)
    assert caught.value.sentence.said().startswith(said)


@pytest.mark.parametrize(
    "text",
    ["op:=purchas", "op:pick,=dance", "node:=door-1", "code:=my-own", "kind:=x", "topic:=a/b",
     "from:sorter-*", "from:s*", "from:web-1", "to:catalog,terminal-*", "op:pur*", "code:sold*",
     "kind:foreign", "op:presence", "op:order-changed", "topic:storebus/1/x/req*",
     "topic:storebus*", "order:=o-1", "order:o-1", "op:*"],
)  # fmt: skip
def test_what_the_contract_has_and_what_is_insisted_on_are_filters(text: str) -> None:
    assert callable(parse_filter(text))


def test_what_is_insisted_on_is_found() -> None:
    store = model()
    (message,) = store.take(1, [Incoming("storebus/1/main/req/door-1/door-2/dance", b'{"id":"1"}')])
    assert parse_filter("op:=dance node:=door-2 from:=door*")(message)
    assert not parse_filter("op:=dancer")(message)


_VALUES = st.text(max_size=30)


@given(st.lists(st.tuples(st.sampled_from([*WORDS, "-op", "any"]), _VALUES), max_size=4))
def test_any_text_is_a_filter_or_is_refused_with_a_sentence(words: list[tuple[str, str]]) -> None:
    store = model()
    taken = store.take(1, [Incoming("storebus/1/main/event/catalog/x", b'{"id":"1","data":{}}')])
    refused: StorebusError | None = None
    test = parse_filter("")
    try:
        test = parse_filter(" ".join(f"{word}:{value}" for word, value in words))
    except FilterError as error:
        refused = error
    assert refused is None or str(refused)
    assert test(taken[0]) in (True, False)


@given(st.text(max_size=40))
def test_a_filter_and_its_opposite_share_nothing(text: str) -> None:
    store = model()
    (message,) = store.take(1, [Incoming("storebus/1/main/event/catalog/x", b'{"id":"1"}')])
    word = "text:" + "".join(each for each in text if each.isalnum())
    if word != "text:":
        assert parse_filter(word)(message) is not parse_filter(f"-{word}")(message)
