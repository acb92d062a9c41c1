"""A small device writes JSON by hand; Storebus reads what it can and always answers complete."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from bus.contract.catalog import OrderOnly
from bus.contract.envelope import Reading, is_problem, seconds_left, with_deadline
from bus.contract.errors import InvalidField, Malformed, Problem, UnsupportedVersion
from bus.contract.outbound import OutboundMessage

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
CLOUDEVENT = {
    "$comment": "CloudEvents 1.0.2, sections 3 (context attributes) and JSON format section 3",
    "type": "object",
    "required": ["specversion", "id", "source", "type"],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "minLength": 1},
        "source": {"type": "string", "minLength": 1, "pattern": r"^/[a-z0-9-]+/[a-z0-9-]+$"},
        "type": {"type": "string", "minLength": 1},
        "datacontenttype": {"const": "application/json"},
        "dataschema": {"type": "string", "minLength": 1},
        "subject": {"type": "string", "minLength": 1},
        "time": {"$ref": "#/$defs/timestamp"},
        "expirytime": {"$ref": "#/$defs/timestamp"},
        "data": {},
        "data_base64": False,
    },
    "patternProperties": {"^[a-z0-9]{1,20}$": {"$ref": "#/$defs/extension"}},
    "additionalProperties": False,
    "$defs": {
        "timestamp": {
            "type": "string",
            "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$",
        },
        "extension": {},
    },
}
EXTENSIONS = {"correlationid", "causationid", "traceparent", "orderid", "expirytime"}


def _read(**attributes: Any) -> Any:
    return Reading(json.dumps(attributes).encode()).envelope()


def _sealed(**more: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(
        OutboundMessage(
            topic="storebus/1/shop/rep/settlement/catalog/commit",
            id="m-1",
            source="/shop/catalog",
            type="storebus.catalog.commit.reply",
            at=1_767_225_600_123,
            data=OrderOnly(order="o-1"),
            trace=TRACE,
            **more,
        ).to_bytes()
    )
    return document


def test_firmware_may_leave_out_all_but_id_and_data() -> None:
    envelope = _read(id="1", data={"code": "x"})
    assert (envelope.id, envelope.data) == ("1", {"code": "x"})
    assert envelope.type is envelope.trace is envelope.deadline is envelope.order is None


def test_unknown_attributes_and_attributes_of_null_are_ignored() -> None:
    envelope = _read(id="1", data=None, type=None, expirytime=None, sensor=7, subject="x")
    assert envelope.data is None
    assert envelope.type is None


def test_all_that_a_complete_message_says_is_read() -> None:
    envelope = _read(
        specversion="1.0", id="1", source="/shop/terminal-1", data={}, traceparent=TRACE,
        type="storebus.settlement.purchase.request", correlationid="0", orderid="o-1",
        expirytime="2026-01-01T01:00:00.5+01:00",
    )  # fmt: skip
    assert envelope.type == "storebus.settlement.purchase.request"
    assert (envelope.correlation_id, envelope.order, envelope.trace) == ("0", "o-1", TRACE)
    assert envelope.deadline == 1_767_225_600_500


@pytest.mark.parametrize(
    "trace", ["", "nonsense", TRACE.upper(), TRACE + "-more", TRACE[:-1], "01" + TRACE[2:]]
)
def test_a_trace_that_is_none_does_not_stop_a_message(trace: str) -> None:
    assert _read(id="1", data={}, traceparent=trace).trace is None


@pytest.mark.parametrize(
    "payload",
    [b"", b"{", b"\xff\xfe", b"null", b"[]", b'"text"', b"17", b'{"id": "1", "data": NaN}',
     b'{"id": "1", "data": Infinity}', b'{"id": "1", "data": "\\ud800"}',
     b'{"id": "1", "data": ' + b"[" * 5000 + b"]" * 5000 + b"}"],
    ids=lambda payload: repr(payload[:30]),
)  # fmt: skip
def test_what_is_no_json_object_is_malformed(payload: bytes) -> None:
    reading = Reading(payload)
    with pytest.raises(Malformed, match="The payload is not"):
        reading.envelope()
    assert reading.id is None


@pytest.mark.parametrize("wrong", [None, 17, "", "a b", "\u00e4", "a\n", "x" * 65, ["1"], True])
def test_a_message_without_a_usable_id_is_malformed(wrong: Any) -> None:
    with pytest.raises(Malformed, match="`id`") as caught:
        _read(id=wrong, data={})
    assert caught.value.more == {"field": "id"}
    with pytest.raises(Malformed):
        _read(data={})


@pytest.mark.parametrize(
    ("attributes", "kind"),
    [
        ({}, Malformed),
        ({"data": {}, "specversion": "0.3"}, UnsupportedVersion),
        ({"data": {}, "specversion": 1.0}, UnsupportedVersion),
        ({"data": {}, "type": 7}, InvalidField),
        ({"data": {}, "traceparent": {}}, InvalidField),
        ({"data": {}, "correlationid": 1}, InvalidField),
        ({"data": {}, "orderid": []}, InvalidField),
        ({"data": {}, "expirytime": 1_767_225_600}, InvalidField),
        ({"data": {}, "expirytime": ""}, InvalidField),
        ({"data": {}, "expirytime": "soon"}, InvalidField),
        ({"data": {}, "expirytime": "2026-01-01"}, InvalidField),
        ({"data": {}, "expirytime": "2026-01-01T00:00:00"}, InvalidField),
        ({"data": {}, "expirytime": "2026-13-01T00:00:00Z"}, InvalidField),
    ],
    ids=str,
)
def test_the_refusal_of_a_bad_attribute_can_still_name_the_request(
    attributes: dict[str, Any], kind: type[Problem]
) -> None:
    reading = Reading(json.dumps({"id": "m-7", **attributes}).encode())
    with pytest.raises(kind):
        reading.envelope()
    assert reading.id == "m-7"


@pytest.mark.parametrize("time", ["2026-01-01t00:00:00z", "2026-01-01T00:00:00z"])
def test_the_letters_of_a_time_may_be_small(time: str) -> None:
    """RFC 3339 section 5.6: "T" and "Z" may alternatively be lower case."""
    assert _read(id="1", data={}, expirytime=time).deadline == 1_767_225_600_000


def test_what_is_sent_passes_the_schema_of_cloudevents_and_is_complete() -> None:
    document = _sealed(
        correlation_id="m-0", causation_id="m-0", order="o-1", deadline=1_767_225_660_000
    )
    Draft202012Validator(CLOUDEVENT).validate(document)
    attributes = {"specversion", "id", "source", "type", "time", "datacontenttype", "data"}
    assert set(document) == attributes | EXTENSIONS
    assert document["time"] == "2026-01-01T00:00:00.123Z"
    assert document["expirytime"] == "2026-01-01T00:01:00.000Z"
    assert document["data"] == {"order": "o-1"}


def test_what_does_not_apply_is_left_out_and_never_null() -> None:
    document = _sealed()
    Draft202012Validator(CLOUDEVENT).validate(document)
    assert set(document) & EXTENSIONS == {"traceparent"}


def test_what_is_sent_is_read_back() -> None:
    payload = json.dumps(_sealed(correlation_id="m-0", order="o-1", deadline=5)).encode()
    envelope = Reading(payload).envelope()
    assert (envelope.id, envelope.correlation_id, envelope.order) == ("m-1", "m-0", "o-1")
    assert (envelope.deadline, envelope.trace) == (5, TRACE)


@pytest.mark.parametrize(
    ("attributes", "problem"),
    [
        ({"type": "storebus.catalog.reserve.problem", "data": {}}, True),
        ({"type": "storebus.catalog.reserve.reply", "data": {"status": 1, "code": "x"}}, False),
        ({"data": {"status": 409, "code": "sold-out"}}, True),
        ({"data": {"code": "482913"}}, False),
        ({"data": ["status", "code"]}, False),
    ],
)
def test_a_problem_is_known_by_its_type_or_else_by_its_members(
    attributes: dict[str, Any], problem: bool
) -> None:
    assert is_problem(_read(id="1", **attributes)) == problem


def test_a_deadline_is_written_anew_each_time_that_a_message_is_sent() -> None:
    once = _sealed(deadline=1_767_225_660_000)
    payload = json.dumps(once).encode()
    sent = json.loads(with_deadline(payload, 12, 1_767_225_700_000))
    assert (sent["expiresin"], sent["expirytime"]) == (12, "2026-01-01T00:01:40.000Z")
    without = json.loads(with_deadline(payload, 1, None))
    assert without["expiresin"] == 1
    assert "expirytime" not in without, "one by the clock of an earlier release is no good"
    for other in (sent, without):
        for name in ("expiresin", "expirytime"):
            other.pop(name, None)
        assert other == {name: once[name] for name in once if name != "expirytime"}


@pytest.mark.parametrize(("left", "sent"), [(-5, 1), (0, 1), (1, 1), (1000, 1), (1001, 2)])
def test_what_is_left_is_sent_in_whole_seconds_and_at_least_one(left: int, sent: int) -> None:
    assert seconds_left(left) == sent


@pytest.mark.parametrize(
    "time", [None, 5, "yesterday", "2026-01-01T00:00:00", "9999-99-99T00:00:00Z"]
)
def test_a_time_that_is_none_is_no_flaw_of_a_message(time: Any) -> None:
    payload = json.dumps({"id": "m-1", "time": time, "data": {}}).encode()
    assert Reading(payload).envelope().sent_at is None


def test_a_deadline_in_seconds_is_read_beside_one_in_the_stores_time() -> None:
    attributes = {"expiresin": 60, "expirytime": "2026-01-01T00:01:00Z"}
    envelope = Reading(json.dumps({"id": "m-1", "data": {}, **attributes}).encode()).envelope()
    assert (envelope.expires_in, envelope.deadline) == (60, 1_767_225_660_000)
