"""Devices with one fault each: certify says which rule that breaks, and nothing else.

They and the played store share a broker in memory and a clock that jumps.
"""

import pytest
from in_memory_certification import said, tried

from testing.certify.report import as_html, as_lines, as_markdown, report
from testing.certify.rules import SORTER, TERMINAL, rules_of

OTHER_WAYS = {
    SORTER: (
        "C1/deaf",  # subscribes to answers with its first connection only
        "C17/boot",  # says another boot than its presence
        "S1/once",  # shows `online` with its first connection only
        "S1/boot",  # has the same boot for ever
        "S3/undecided",  # accepts a copy of what it has refused
        "S7/stranger",  # takes the answer of somebody else
        "S10/taken",  # says that it has taken something of a job that it never saw
        "S14/deaf",  # ignores the answers to what an earlier start has sent
        "S14/late",  # takes a job before it has written it down
        "S14/aborts",  # forgets what was aborted
        "S16/copies",  # answers a copy of an abort with nothing
        "S18/found",  # says that it has found more
        "S18/once",  # says it once
        "S18/alone",  # does not wait for an answer
        "S18/rest",  # does not take what is elsewhere
        "S19/once",  # says it once
        "S19/packs",  # packs all the same
    ),
    TERMINAL: (
        "C17/boot",
        "T1/once",
        "T1/boot",
        "T6/stranger",
        "T10/later",  # takes a later reminder of an order for a copy
        "T11/deaf",
        "T11/late",  # answers a reminder before it has written it down
        "T12/own",  # takes a deadline from its own clock, which is right
        "T12/ahead",  # from its own clock, which is fast
    ),
}
"""Where one rule can be broken in several ways."""


@pytest.fixture(scope="module", autouse=True)
def judge() -> None:
    """Nobody judges here: certify says wrong things on purpose."""


@pytest.mark.parametrize("kind", [SORTER, TERMINAL])
def test_a_device_that_keeps_every_rule_is_said_to(kind: str) -> None:
    verdicts = tried(kind)
    assert (said(verdicts, "broken"), said(verdicts, "not tried")) == ({}, {})


@pytest.mark.parametrize(
    ("kind", "breaks"),
    [
        (kind, breaks)
        for kind in (SORTER, TERMINAL)
        for breaks in (*(rule.id for rule in rules_of(kind)), *OTHER_WAYS[kind])
    ],
)
def test_a_device_with_a_fault_is_said_to_break_that_rule_alone(kind: str, breaks: str) -> None:
    found = said(tried(kind, breaks), "broken")
    assert list(found) == [breaks.partition("/")[0]], found


def test_a_report_shows_the_messages_that_break_a_rule() -> None:
    found = report("sorter-9", 0, tried(SORTER, "C7"))
    assert not found["passed"]
    for written in (as_markdown(found), as_html(found), "\n".join(as_lines(found))):
        assert "It published to lights/aisle-3." in written
        assert "device to lights/aisle-3" in written
        assert "breaks 1 must(s)" in written
