"""How long a device's customer will wait, by the deadline in its purchase."""

import asyncio
from typing import Any

from testing.certify.fake_store import FakeStore
from testing.certify.observing_relay import ObservedMessage
from testing.certify.verdicts import Verdicts

_DAY = 86_400.0
_TOLERANCE = 2.0
"""Seconds by which a deadline may seem to move: it is given in whole seconds."""


def deadline_of(store: FakeStore[Any], purchase: ObservedMessage) -> float | None:
    """The deadline of a purchase, in seconds of the event loop's clock; None if it has none.

    It can be given in two ways; the earlier one holds.
    """
    envelope = purchase.envelope
    if envelope is None:
        return None
    given = []
    if envelope.expires_in is not None:
        given.append(purchase.at + envelope.expires_in)
    if envelope.deadline is not None:
        ahead = (envelope.deadline - store.now()) / 1000
        given.append(asyncio.get_running_loop().time() + ahead)
    return min(given, default=None)


def check_deadlines(store: FakeStore[Any], verdicts: Verdicts) -> None:
    """Check the deadlines of all purchases and their copies."""
    several: dict[str, list[ObservedMessage]] = {}
    for each in store.requests("purchase", lambda each: each.envelope is not None):
        several.setdefault(str(each.id), []).append(each)
    for first, *copies in several.values():
        deadline = deadline_of(store, first)
        if not verdicts.check("T13", deadline, "A purchase had no deadline.", first):
            continue
        assert deadline is not None
        left = deadline - first.at
        sentence = f"By the store's clock its customer was to wait {left:.0f} s."
        verdicts.check("T12", 0 < left < _DAY, sentence, first)
        for copy in copies:
            later = deadline_of(store, copy)
            moved = float("inf") if later is None else later - deadline
            is_over = later is not None and later <= copy.at
            sentence = f"The deadline of a copy was {moved:.1f} s later."
            verdicts.check("T15", is_over or moved < _TOLERANCE, sentence, first, copy)
