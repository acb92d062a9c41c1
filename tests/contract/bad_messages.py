"""The table of messages that a store refuses, and what it says to each."""

import json
from dataclasses import dataclass
from typing import Any

CARD = "4111111111111111"
WIDE = "".join(chr(ord("\uff10") + int(digit)) for digit in CARD)
"""The same in full-width digits."""


@dataclass(frozen=True, slots=True)
class Bad:
    """A message and the problem that answers it."""

    name: str
    payload: bytes
    status: int
    code: str
    callee: str = "settlement"
    operation: str = "purchase"
    says: dict[str, Any] | None = None
    """Further members of the problem."""
    recorded: bool = False
    """Whether an order that was refused stays on record; it holds neither goods nor money."""

    def __str__(self) -> str:
        return self.name.replace(" ", "-")


def purchase(**changes: Any) -> dict[str, Any]:
    """A purchase that would be settled but for the changes."""
    return {
        "lines": [{"sku": "MUG", "quantity": 2}],
        "payment": {"method": "account", "account": "C-1001"},
        "expected_total": {"amount": 2500, "currency": "EUR"},
        **changes,
    }


def message(name: str, data: Any, **attributes: Any) -> bytes:
    """An envelope; its id is made of the case's name."""
    identifier = name.replace(" ", "-")
    return json.dumps({"id": identifier, "data": data, **attributes}).encode()


def _purchase(name: str, status: int, code: str, field: str | None = None, **changes: Any) -> Bad:
    says = {"field": field} if field else None
    return Bad(name, message(name, purchase(**changes)), status, code, says=says)


def _line(name: str, quantity: Any) -> Bad:
    lines = [{"sku": "MUG", "quantity": quantity}]
    return _purchase(name, 422, "invalid-field", "lines.0.quantity", lines=lines)


def _attribute(name: str, status: int, code: str, **attributes: Any) -> Bad:
    return Bad(name, message(name, purchase(), **attributes), status, code)


def _raw(name: str, payload: bytes, status: int = 400, code: str = "malformed") -> Bad:
    return Bad(name, payload, status, code)


def _lookup(name: str, payload: bytes, status: int, code: str) -> Bad:
    return Bad(name, payload, status, code, "catalog", "lookup")


def _asked(until: str | None = None, seconds: int | None = None) -> bytes:
    deadline = {"expirytime": until} if seconds is None else {"expiresin": seconds}
    return message("asked", {"code": "40170725"}, **deadline)


def _card(name: str, **changes: Any) -> Bad:
    return _purchase(name, 422, "card-number", "payment", **changes)


def _token(token: Any, **more: Any) -> dict[str, Any]:
    return {"method": "card", "token": token, **more}


NOT_A_MESSAGE = [
    _raw("not json", b"two mugs, please"),
    _raw("half a json", b'{"id":"half","data":{'),
    _raw("json twice", b'{"id":"twice","data":{}}{"id":"twice","data":{}}'),
    _raw("a list", b"[]"),
    _raw("null", b"null"),
    _raw("a number", b"17"),
    _raw("invalid utf-8", b'{"id":"utf","data":{"pickup_point":"\xff\xfe"}}'),
    _raw("a lone surrogate", b'{"id":"surrogate","data":{"pickup_point":"\\ud800"}}'),
    _raw("nan", b'{"id":"nan","data":{"lines":NaN}}'),
    _raw("infinity", b'{"id":"infinity","data":{"lines":-Infinity}}'),
    _raw("10000 lists deep", b"[" * 10_000 + b"]" * 10_000),
    _raw("data 10000 deep", b'{"id":"deep","data":' + b'{"a":' * 10_000 + b"1" + b"}" * 10_001),
    _raw("no id", b'{"data":{}}'),
    _raw("no data", b'{"id":"no-data"}'),
    _raw("id a number", b'{"id":7,"data":{}}'),
    _raw("id null", b'{"id":null,"data":{}}'),
    _raw("id empty", b'{"id":"","data":{}}'),
    _raw("id with a space", b'{"id":"a b","data":{}}'),
    _raw("id too long", b'{"id":"' + b"i" * 65 + b'","data":{}}'),
    _raw("70 KiB", message("70 KiB", purchase(note="x" * 70 * 1024)), 413, "too-large"),
    _raw("70 KiB not json", b"x" * 70 * 1024, 413, "too-large"),
]
ATTRIBUTES = [
    _attribute("specversion 2.0", 505, "unsupported-version", specversion="2.0"),
    _attribute("specversion a number", 505, "unsupported-version", specversion=1.0),
    _attribute("expired", 410, "expired", expirytime="2020-02-02T20:20:20Z"),
    _attribute("expirytime tomorrow", 422, "invalid-field", expirytime="tomorrow"),
    _attribute("expirytime without offset", 422, "invalid-field", expirytime="2099-01-01T00:00:00"),
    _attribute("expirytime in year 1", 410, "expired", expirytime="0001-01-01T00:00:00+23:59"),
    _attribute("expirytime in year 0", 422, "invalid-field", expirytime="0000-01-01T00:00:00Z"),
    _attribute("expirytime in basic form", 422, "invalid-field", expirytime="20990101T000000Z"),
    _attribute("expirytime a week date", 422, "invalid-field", expirytime="2099-W01-1T00:00:00Z"),
    _attribute("expirytime no leap", 422, "invalid-field", expirytime="2099-01-01T23:59:60Z"),
    _attribute("expired with a leap second", 410, "expired", expirytime="2016-12-31T23:59:60Z"),
    _attribute("expirytime a number", 422, "invalid-field", expirytime=4_102_444_800),
    _attribute("expiresin a text", 422, "invalid-field", expiresin="60"),
    _attribute("expiresin a fraction", 422, "invalid-field", expiresin=0.5),
    _attribute("expiresin true", 422, "invalid-field", expiresin=True),
    _attribute("expiresin below zero", 422, "invalid-field", expiresin=-1),
    _attribute("expiresin beyond an Integer", 422, "invalid-field", expiresin=2**31),
    _attribute("traceparent a number", 422, "invalid-field", traceparent=1),
    _attribute("correlationid a list", 422, "invalid-field", correlationid=[]),
    _attribute("type an object", 422, "invalid-field", type={}),
    _attribute("orderid a number", 422, "invalid-field", orderid=1),
]
FIELDS = [
    _raw("data null", message("data null", None), 422, "invalid-field"),
    _raw("data a list", message("data a list", [purchase()]), 422, "invalid-field"),
    _raw("data text", message("data text", "two mugs"), 422, "invalid-field"),
    _line("quantity 0", 0),
    _line("quantity -1", -1),
    _line("quantity 1.5", 1.5),
    _line("quantity 2.0", 2.0),
    _line("quantity text", "2"),
    _line("quantity true", True),
    _line("quantity null", None),
    _line("quantity a list", [2]),
    _line("quantity a million and one", 1_000_001),
    _line("quantity beyond 64 bits", 10**30),
    _raw(
        "quantity of 5000 digits",
        message("5000 digits", purchase()).replace(b'"quantity": 2', b'"quantity": ' + b"9" * 5000),
    ),
    _purchase("no lines", 422, "invalid-field", "lines", lines=[]),
    _purchase("lines an object", 422, "invalid-field", "lines", lines={"MUG": 2}),
    _purchase(
        "101 lines", 422, "invalid-field", "lines",
        lines=[{"sku": f"S-{number}", "quantity": 1} for number in range(101)],
    ),
    _purchase(
        "sku with a path", 422, "invalid-field", "lines.0.sku",
        lines=[{"sku": "../MUG", "quantity": 2}],
    ),
    _purchase(
        "amount negative", 422, "invalid-field", "expected_total.amount",
        expected_total={"amount": -1, "currency": "EUR"},
    ),
    _purchase(
        "amount a float", 422, "invalid-field", "expected_total.amount",
        expected_total={"amount": 25.0, "currency": "EUR"},
    ),
    _purchase(
        "currency in small letters", 422, "invalid-field", "expected_total.currency",
        expected_total={"amount": 2500, "currency": "eur"},
    ),
    _purchase("payment missing", 422, "invalid-field", "payment", payment=None),
    _purchase("payment in cash", 422, "invalid-field", "payment", payment={"method": "cash"}),
    _purchase("pickup point a number", 422, "invalid-field", "pickup_point", pickup_point=1),
    _lookup("a query expired", _asked("1970-01-01T00:00:00Z"), 410, "expired"),
    _lookup("a query expired by its seconds", _asked(seconds=0), 410, "expired"),
    _lookup("a query on a week date", _asked("2099-W01-1T00:00:00Z"), 422, "invalid-field"),
    Bad("a ping expired", _asked("1970-01-01T00:00:00Z"), 410, "expired", "warehouse", "ping"),
    _lookup("code with a bell", message("bell", {"code": "\a40170725"}), 422, "invalid-field"),
    _lookup("code with bidi", message("bidi", {"code": "\u202e40170725"}), 422, "invalid-field"),
    _lookup("code empty", message("code empty", {"code": ""}), 422, "invalid-field"),
    _lookup(
        "code twice", b'{"id":"code-twice","data":{"code":"40170725","code":"hat"}}',
        404, "unknown-label",
    ),
    _lookup("code unknown", message("unknown", {"code": "hat"}), 404, "unknown-label"),
]  # fmt: skip
CONTENT = [
    Bad(
        "unknown sku",
        message("unknown sku", purchase(lines=[{"sku": "HAT", "quantity": 2}])),
        404,
        "unknown-sku",
        says={"sku": "HAT"},
        recorded=True,
    ),
    Bad(
        "total off by one",
        message("off by one", purchase(expected_total={"amount": 2501, "currency": "EUR"})),
        409,
        "price-changed",
        says={"total": {"amount": 2500, "currency": "EUR"}},
        recorded=True,
    ),
    _purchase("unknown pickup point", 404, "unknown-pickup-point", pickup_point="roof"),
    _purchase(
        "unknown pickup point and a field as deep as json may be",
        404,
        "unknown-pickup-point",
        pickup_point="roof",
        note=json.loads("[" * 150 + "]" * 150),
    ),
    Bad("unknown operation", message("dance", {}), 404, "unknown-operation", operation="dance"),
    Bad("known elsewhere", message("lost", {}), 404, "unknown-operation", operation="lookup"),
]
CARDS = [
    _card("card as token", payment=_token(CARD)),
    _card("card as number", payment=_token(int(CARD))),
    _card("card with spaces", payment=_token("4111 1111 1111 1111")),
    _card("card with dashes", payment=_token("tok:4111-1111-1111-1111")),
    _card("card as account", payment={"method": "account", "account": f"C-{CARD}"}),
    _card("card in an unknown field", payment=_token("tok_approve", pan=[{"n": CARD}])),
    _card("card as the name of a field", payment=_token("tok_approve", **{CARD: 1})),
    _card("card in wide digits", payment=_token(WIDE)),
]
FORBIDDEN = [
    Bad(
        f"a terminal may not {operation}", message(operation, data), 403, "forbidden", to, operation
    )
    for to, operation, data in (
        ("catalog", "reserve", {"order": "o-1", "lines": [{"sku": "MUG", "quantity": 1}]}),
        ("catalog", "upsert", {"products": []}),
        ("warehouse", "fulfil", {}),
        ("warehouse", "receive", {"sku": "MUG", "location": "A-01-1", "quantity": 5}),
        ("settlement", "ready", {}),
        ("settlement", "deposit", {}),
        ("settlement", "statement", {"account": "C-1001"}),
        ("sorter-1", "pick", {}),
    )
]
BAD = [*NOT_A_MESSAGE, *ATTRIBUTES, *FIELDS, *CONTENT, *CARDS, *FORBIDDEN]
