"""Sends a request, and sends it again, until it is answered: the only loop that does so."""

import asyncio
import random
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

ReplyT = TypeVar("ReplyT")


def pauses(first: float, limit: float, spread: random.Random | None = None) -> Iterator[float]:
    """How long to wait, in seconds, each time until a request is sent again: ever longer.

    Args:
        first: the first pause; each is twice as long as the one before.
        limit: the longest.
        spread: draws a factor around 1 for each, so that many askers do not repeat in step.
    """
    pause = first
    while True:
        yield pause * (1.0 if spread is None else spread.uniform(0.75, 1.25))
        pause = min(pause * 2, limit)


async def until_answered(
    send: Callable[[], object], answer: asyncio.Future[ReplyT], waits: Iterable[float | None]
) -> ReplyT:
    """Send a request, and again after each pause, until it is answered.

    Args:
        send: sends it (again).
        answer: what comes of it.
        waits: the pauses in seconds, such as `pauses`; None for as long as it takes.

    Raises:
        TimeoutError: all pauses have passed. Otherwise the asker bounds the time.
    """
    for wait in waits:
        send()
        done, _ = await asyncio.wait({answer}, timeout=wait)
        if done:
            return answer.result()
    raise TimeoutError
