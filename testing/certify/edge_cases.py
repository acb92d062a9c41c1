"""Unusual messages: with fields that no device knows, and malformed ones."""

from typing import Any

from bus.contract.values import MAX_PAYLOAD
from testing.certify.fixtures import UNKNOWN

MORE = {"certifyext": "of a later version", "certify2": "another one"}
"""Attributes that no device knows."""


def with_unknown(data: dict[str, Any]) -> dict[str, Any]:
    """The same data with fields that no device knows, also within its lists."""
    return {
        **{
            name: [{**item, **UNKNOWN} if isinstance(item, dict) else item for item in value]
            if isinstance(value, list) else value
            for name, value in data.items()
        },
        **UNKNOWN,
    }  # fmt: skip


def malformed(data: dict[str, Any]) -> list[tuple[str, bytes]]:
    """Malformed payloads, each with a few words that describe it."""
    deep = b"[" * 20_000 + b"]" * 20_000
    return [
        ("a text that is no JSON", b"this is no JSON"),
        ("an empty payload", b""),
        ("half of a message", b'{"id":"certify-half","data":{'),
        ("bytes that are no UTF-8", b"\xff\xfe\x00" * 10),
        ("a list", b'["id", "data"]'),
        ("a number", b"42"),
        ("a message without id and data", b"{}"),
        ("a message whose id is a number", b'{"id":7,"data":{}}'),
        ("a message whose data is null", b'{"id":"certify-null","data":null}'),
        ("a message whose data is a list", b'{"id":"certify-list","data":[1]}'),
        ("fields of wrong types", _typed(data)),
        ("another version of CloudEvents", b'{"specversion":"2.0","id":"certify-2","data":{}}'),
        ("a message nested 20,000 deep", b'{"id":"certify-deep","data":' + deep + b"}"),
        ("a payload over 64 KiB",
         b'{"id":"certify-large","data":{"x":"' + b"x" * (MAX_PAYLOAD - 20) + b'"}}'),
    ]  # fmt: skip


def _typed(data: dict[str, Any]) -> bytes:
    fields = ",".join(f'"{name}":{{"certify":[]}}' for name in data)
    return f'{{"id":"certify-types","data":{{{fields}}}}}'.encode()
