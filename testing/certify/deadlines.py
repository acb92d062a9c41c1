"""How long a device's customer will wait, by what stands in its purchase."""

import asyncio
from typing import Any

from testing.certify.fake_store import Stage
from testing.certify.observing_relay import Message
from testing.certify.verdicts import Book

_DAY = 86_400.0
_TOLERANCE = 2.0
"""Seconds by which a deadline may seem to move: it is given in whole ones."""


def deadline_of(stage: Stage[Any], purchase: Message) -> float | None:
    """When it is too late, in seconds of the event loop's clock; None if it does not say.

    Of both ways to say it, the earlier holds.
    """
    envelope = purchase.envelope
    if envelope is None:
        return None
    given = []
    if envelope.expires_in is not None:
        given.append(purchase.at + envelope.expires_in)
    if envelope.deadline is not None:
        ahead = (envelope.deadline - stage.now()) / 1000
        given.append(asyncio.get_running_loop().time() + ahead)
    return min(given, default=None)


def judge_deadlines(stage: Stage[Any], book: Book) -> None:
    """What all purchases and their copies say of how long the customer waits."""
    several: dict[str, list[Message]] = {}
    for each in stage.requests("purchase", lambda each: each.envelope is not None):
        several.setdefault(str(each.id), []).append(each)
    for first, *copies in several.values():
        deadline = deadline_of(stage, first)
        if not book.check("T13", deadline, "A purchase had no deadline.", first):
            continue
        assert deadline is not None
        left = deadline - first.at
        sentence = f"By the store's clock its customer was to wait {left:.0f} s."
        book.check("T12", 0 < left < _DAY, sentence, first)
        for copy in copies:
            later = deadline_of(stage, copy)
            moved = float("inf") if later is None else later - deadline
            is_over = later is not None and later <= copy.at
            sentence = f"The deadline of a copy was {moved:.1f} s later."
            book.check("T15", is_over or moved < _TOLERANCE, sentence, first, copy)
