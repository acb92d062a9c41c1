"""A device builder reads the contract: what may be asked, of whom, by whom, and under which topic.

The table of operations is written down here as the design has it, not derived.
"""

from importlib import import_module
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

import bus.contract
from bus.contract import CHANNELS, EVENTS, OPERATIONS, STATES, find_operation, operations_of
from bus.contract.channel import DEVICES, EVERY, ROLES, Event, Operation, State, role_of
from bus.contract.topics import Address, Topics
from bus.contract.values import NAME_PATTERN, is_name

QUERIES = {
    "catalog": {"lookup", "search", "retired", "registered"},  # retired: an addition to the design
    "settlement": {"order", "orders", "refusals", "delivered", "statement"},  # the last three
    "warehouse": {"pickup-points", "locate", "returns", "counts", "delivered"},  # likewise
    EVERY: {"ping", "about"},
}
COMMANDS = {
    ("catalog", "reserve"): {"settlement"},
    ("catalog", "commit"): {"settlement"},
    ("catalog", "release"): {"settlement"},
    ("catalog", "restock"): {"warehouse"},
    ("catalog", "write-off"): {"warehouse"},  # an addition to the design
    ("catalog", "upsert"): {"tester", "console"},
    ("catalog", "retire"): {"tester", "console"},  # an addition to the design
    ("catalog", "reinstate"): {"tester", "console"},  # an addition to the design
    ("settlement", "purchase"): {"terminal"},
    ("settlement", "cancel"): {"terminal", "console"},
    ("settlement", "collect"): {"terminal", "console"},
    ("settlement", "ready"): {"warehouse"},
    ("settlement", "failed"): {"warehouse"},
    ("settlement", "resolve"): {"tester", "console"},  # an addition to the design
    ("settlement", "deposit"): {"tester", "console"},  # an addition to the design
    ("settlement", "rename"): {"tester", "console"},  # an addition to the design
    ("settlement", "adjust"): {"tester", "console"},  # an addition to the design
    ("warehouse", "fulfil"): {"settlement"},
    ("warehouse", "withdraw"): {"settlement"},
    ("warehouse", "packed"): {"sorter"},
    ("warehouse", "fault"): {"sorter"},
    ("warehouse", "short-pick"): {"sorter"},  # an addition to the design
    ("warehouse", "reassign"): {"console"},  # an addition to the design
    ("warehouse", "resume"): {"console"},  # an addition to the design
    ("warehouse", "receive"): {"tester", "console"},
    ("warehouse", "count"): {"tester", "console"},  # an addition to the design
    ("sorter", "pick"): {"warehouse"},
    ("sorter", "abort"): {"warehouse"},
    ("terminal", "remind"): {"settlement"},
}
NAMES = st.from_regex(NAME_PATTERN, fullmatch=True)
MODULES = ("every", "catalog", "settlement", "warehouse", "sorter", "terminal")


def test_the_queries_are_those_of_the_design_and_any_node_may_ask_what_is_not_private() -> None:
    queries = [channel for channel in OPERATIONS.values() if channel.kind == "query"]
    expected = {(callee, name) for callee, names in QUERIES.items() for name in names}
    assert {(query.callee, query.name) for query in queries} == expected
    for query in queries:
        is_private = query.name == "statement"  # what a customer has is nobody else's business
        assert query.callers == ({"tester", "console"} if is_private else set())
        assert query.qos == 0
        assert query.timeout is not None


def test_the_commands_and_who_may_give_them_are_those_of_the_design() -> None:
    commands = {
        where: channel for where, channel in OPERATIONS.items() if channel.kind == "command"
    }
    assert {where: set(command.callers) for where, command in commands.items()} == COMMANDS
    assert all(command.qos == 1 for command in commands.values())
    assert all(command.callers <= ROLES | DEVICES for command in commands.values())


def test_commands_between_roles_have_no_timeout_and_those_that_people_give_have_one() -> None:
    for (callee, name), callers in COMMANDS.items():
        people = callers <= {"terminal", "console", "tester"}
        assert (OPERATIONS[callee, name].timeout is not None) == people, (callee, name)


def test_each_channel_is_declared_once_and_none_is_forgotten() -> None:
    declared = [
        value
        for module in MODULES
        for value in vars(import_module(f"bus.contract.{module}")).values()
        if isinstance(value, (Operation, State, Event))
    ]
    assert set(declared) == set(CHANNELS)
    assert len(OPERATIONS) + len(STATES) + len(EVENTS) == len(CHANNELS) == len(set(CHANNELS))


def test_the_states_of_the_design_are_there() -> None:
    assert set(STATES) == {
        (EVERY, "presence"),
        (EVERY, "about"),
        ("sorter", "job"),
        ("settlement", "payment-methods"),
        ("warehouse", "pickup-points"),
        (EVERY, "alarms"),  # an addition to the design
    }


def test_every_channel_has_a_topics_name_and_says_what_it_is_for() -> None:
    for channel in CHANNELS:
        assert is_name(channel.name)
        assert channel.description


def test_a_role_answers_its_own_operations_and_those_of_every_node() -> None:
    names = {operation.name for operation in operations_of("sorter")}
    assert names == {"pick", "abort", "ping", "about"}
    assert find_operation("sorter", "ping") is bus.contract.every.PING
    assert find_operation("sorter", "lookup") is None
    assert find_operation(EVERY, "pick") is None


@given(site=NAMES, caller=NAMES, callee=NAMES)
def test_what_a_request_topic_is_built_of_is_what_is_read_from_it(
    site: str, caller: str, callee: str
) -> None:
    topics = Topics(site)
    for operation in OPERATIONS.values():
        request = topics.request(caller, callee, operation.name)
        reply = topics.reply(caller, callee, operation.name)
        assert topics.parse(request) == Address("req", caller, callee, operation.name)
        assert topics.parse(reply) == Address("rep", caller, callee, operation.name)
        assert request.startswith(f"storebus/1/{site}/req/{caller}/")
        assert reply.startswith(f"storebus/1/{site}/rep/{caller}/")


@given(site=NAMES, node=NAMES)
def test_what_a_state_or_event_topic_is_built_of_is_what_is_read_from_it(
    site: str, node: str
) -> None:
    topics = Topics(site)
    for state in STATES.values():
        assert topics.parse(topics.state(node, state.name)) == Address(
            "state", node, "", state.name
        )
    for event in EVENTS.values():
        assert topics.parse(topics.event(node, event.name)) == Address(
            "event", node, "", event.name
        )


@given(site=NAMES, other=NAMES)
def test_a_topic_of_another_site_is_none_of_ours(site: str, other: str) -> None:
    theirs = Topics(other).request("terminal-1", "catalog", "lookup")
    assert (Topics(site).parse(theirs) is None) == (site != other)


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "storebus",
        "storebus/1/shop",
        "storebus/1/shop/",
        "storebus/1/shop/req",
        "storebus/2/shop/req/terminal-1/catalog/lookup",
        "storebus/1/shop2/req/terminal-1/catalog/lookup",
        "/storebus/1/shop/req/terminal-1/catalog/lookup",
        "storebus/1/shop/ask/terminal-1/catalog/lookup",
        "storebus/1/shop/req/terminal-1/catalog",
        "storebus/1/shop/req/terminal-1/catalog/lookup/",
        "storebus/1/shop/req/terminal-1/catalog/lookup/more",
        "storebus/1/shop/req//catalog/lookup",
        "storebus/1/shop/req/+/catalog/lookup",
        "storebus/1/shop/req/Terminal-1/catalog/lookup",
        "storebus/1/shop/req/-terminal/catalog/lookup",
        "storebus/1/shop/req/terminal-1\n/catalog/lookup",
        "storebus/1/shop/req/terminal-1/catalog/lookup\n",
        "storebus/1/shop/req/\uff54erminal/catalog/lookup",
        f"storebus/1/shop/req/{'t' * 49}/catalog/lookup",
        "storebus/1/shop/state/catalog",
        "storebus/1/shop/state/catalog/presence/now",
        "storebus/1/shop/event/catalog/#",
    ],
)
def test_a_topic_that_is_not_of_the_contract_is_not_read(topic: str) -> None:
    assert Topics("shop").parse(topic) is None


@pytest.mark.parametrize("site", ["", "Shop", "a/b", "+", "#", "-a", "a b", "a\n", "s" * 49])
def test_a_site_whose_name_would_break_a_topic_is_refused(site: str) -> None:
    with pytest.raises(ValueError, match="not the name of a site"):
        Topics(site)


def test_the_filters_of_a_node_match_what_is_meant_for_it_alone() -> None:
    topics = Topics("shop")
    assert topics.requests_to("sorter-1") == "storebus/1/shop/req/+/sorter-1/+"
    assert topics.replies_to("sorter-1") == "storebus/1/shop/rep/sorter-1/+/+"
    assert topics.everything() == "storebus/1/shop/#"


@pytest.mark.parametrize(("kind", "number"), [*product(sorted(DEVICES), ["1", "north-2", "a"])])
def test_a_devices_name_says_its_kind(kind: str, number: str) -> None:
    assert role_of(f"{kind}-{number}") == kind


def test_a_page_server_is_a_terminal() -> None:
    assert role_of("web-1") == "terminal"
    assert role_of("web") is None


@pytest.mark.parametrize("role", sorted(ROLES))
def test_a_role_is_one_node_of_its_name(role: str) -> None:
    assert role_of(role) == role
    assert role_of(f"{role}-2") is None


@pytest.mark.parametrize("name", ["", "sorter", "sorter-", "-1", "*", "sort-1", "Sorter-1", "1"])
def test_a_name_of_neither_form_may_do_nothing(name: str) -> None:
    assert role_of(name) is None
