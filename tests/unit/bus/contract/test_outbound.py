"""A whole message: where it goes follows from who sends it, to whom, and what it is about."""

import json
from dataclasses import replace
from typing import Any

import pytest

from bus.contract import CHANNELS
from bus.contract.channel import Operation
from bus.contract.envelope import Reading, is_problem, order_of
from bus.contract.every import ABOUT_STATE, REFUSED
from bus.contract.outbound import MessageFactory, OutboundMessage
from bus.contract.refusals import Cancelled, SoldOut
from bus.contract.settlement import PURCHASE, READY, Ready
from bus.contract.topics import Topics
from bus.contract.values import ORDER_FIELD, Empty
from bus.runtime.environment import Environment

TOPICS = Topics("main")
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def _by(node: str) -> MessageFactory:
    return MessageFactory(TOPICS, node, Environment())


def _document(message: OutboundMessage) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(message.to_bytes())
    return document


def test_a_request_names_its_reply_topic_its_order_and_what_led_to_it() -> None:
    ready = Ready(order="o-1", parcel="p-1", pickup_point="north")
    message = _by("warehouse").request("settlement", READY, ready, trace=TRACE, cause="m-0")
    assert message.topic == "storebus/1/main/req/warehouse/settlement/ready"
    assert message.response_topic == "storebus/1/main/rep/warehouse/settlement/ready"
    assert message.correlation == message.id.encode()
    assert (message.qos, message.retain) == (1, False)
    document = _document(message)
    assert document["type"] == "storebus.settlement.ready.request"
    assert (document["source"], document["orderid"]) == ("/main/warehouse", "o-1")
    assert (document["traceparent"], document["causationid"]) == (TRACE, "m-0")


@pytest.mark.parametrize("operation", [PURCHASE, "purchase"], ids=["of the contract", "by name"])
def test_a_reply_answers_one_request_within_its_trace(
    operation: Operation[Any, Any] | str,
) -> None:
    message = _by("settlement").reply(
        "web-1", operation, {"order": "o-2"}, request="m-1", parent=TRACE, correlation=b"c",
        order="o-1",
    )  # fmt: skip
    assert message.topic == "storebus/1/main/rep/web-1/settlement/purchase"
    assert (message.qos, message.correlation) == (1, b"c")
    document = _document(message)
    assert document["type"] == "storebus.settlement.purchase.reply"
    assert (document["correlationid"], document["causationid"]) == ("m-1", "m-1")
    assert document["orderid"] == "o-2"
    assert document["traceparent"][:36] == TRACE[:36]
    assert document["traceparent"] != TRACE


def test_a_problem_is_replied_as_one_whether_it_is_raised_or_written_by_hand() -> None:
    by_settlement, problem = _by("settlement"), SoldOut("Not enough left.", available={})
    by_hand = problem.to_data().model_dump()
    raised = by_settlement.reply("terminal-1", PURCHASE, problem, request="m-1")
    written = by_settlement.reply("terminal-1", PURCHASE, by_hand, request="m-1", problem=True)
    for message in (raised, written):
        assert message.type == "storebus.settlement.purchase.problem"
        assert is_problem(Reading(message.to_bytes()).envelope())
        assert _document(message)["data"]["code"] == "sold-out"


def test_states_are_retained_and_events_are_not() -> None:
    by_sorter = _by("sorter-2")
    state, event = by_sorter.state(ABOUT_STATE, Empty()), by_sorter.event(REFUSED, Empty())
    assert (state.topic, state.qos, state.retain) == (
        f"storebus/1/main/state/sorter-2/{ABOUT_STATE.name}", 1, True,
    )  # fmt: skip
    assert (event.topic, event.qos, event.retain) == (
        f"storebus/1/main/event/sorter-2/{REFUSED.name}", 0, False,
    )  # fmt: skip
    assert state.type == f"storebus.sorter.{ABOUT_STATE.name}"


def test_a_wrong_message_is_made_of_a_right_one() -> None:
    right = _by("terminal-1").request("settlement", PURCHASE, {"total": "much"}, expires_in=5)
    wrong = _document(replace(right, type="nonsense", correlation_id="m-9"))
    assert (wrong["type"], wrong["correlationid"], wrong["expiresin"]) == ("nonsense", "m-9", 5)
    assert wrong["data"] == {"total": "much"}


def test_every_model_that_names_an_order_declares_it_under_the_one_name() -> None:
    found = set()
    for channel in CHANNELS:
        parts = (
            [channel.request, channel.reply] if isinstance(channel, Operation) else [channel.data]
        )
        for model in parts:
            assert (model.order_field == ORDER_FIELD) == (ORDER_FIELD in model.model_fields)
            found.add(model.order_field)
    assert found == {ORDER_FIELD, None}


def test_the_order_of_a_problem_is_one_of_its_further_members() -> None:
    assert order_of(Cancelled("It was cancelled.", order="o-1").to_data()) == "o-1"
    assert order_of(SoldOut("Not enough left.", available={}).to_data()) is None
