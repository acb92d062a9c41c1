"""On which connections of a device certify expects it to hear requests."""

import pytest

from testing.certify.observing_relay import _covers_requests


@pytest.mark.parametrize(
    ("topic", "hears"),
    [
        ("storebus/1/main/req/+/terminal-9/+", True),
        ("storebus/1/main/req/settlement/terminal-9/remind", True),
        ("storebus/1/main/req/+/+/remind", True),
        ("storebus/1/main/req/#", True),
        ("storebus/1/main/+/+/terminal-9/+", True),
        ("storebus/1/main/#", True),
        ("#", True),
        ("storebus/1/main/req/terminal-9/terminal-9/ping", False),
        ("storebus/1/main/rep/terminal-9/+/+", False),
        ("storebus/1/main/state/+/presence", False),
        ("storebus/1/main", False),
    ],
)
def test_who_only_asks_whether_its_name_is_taken_hears_no_requests(topic: str, hears: bool) -> None:
    assert _covers_requests(topic.split("/")) is hears
