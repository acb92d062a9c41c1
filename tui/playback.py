"""Plays a recording in real time, in slices between which keys are answered."""

import asyncio
from collections.abc import Callable

from bus.history.message import Message
from tui.model.player import Player
from tui.scheduler import FeedScheduler

_SLICE = 50
"""Entries taken into the model at once: about 2 ms."""
_REST = 0.0025
"""Seconds between two slices while there is more to take in: a third of the time."""
_STEP = 0.05
"""Seconds between two looks at the clock."""


async def play(
    player: Player, heard: Callable[[list[Message]], None], scheduler: FeedScheduler
) -> None:
    """Play until cancelled.

    Args:
        player: the recording and whether it is playing.
        heard: called with the messages taken into the model, in slices.
        scheduler: divides the time between that and keys.
    """
    loop = asyncio.get_running_loop()
    last = loop.time()

    def take_some() -> bool:
        heard(player.take(_SLICE))
        return player.behind

    while True:
        now = loop.time()
        player.pass_((now - last) * 1000)
        last = now
        scheduler.run(take_some)
        await scheduler.pause(_REST if player.behind else _STEP)
