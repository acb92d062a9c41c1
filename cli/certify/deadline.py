"""How long a device's customer will wait, by what stands in its purchase."""

import asyncio
from typing import Any

from cli.certify.stage import Stage
from cli.certify.wire import Message


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
