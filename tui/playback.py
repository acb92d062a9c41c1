"""Plays a recording in real time, in slices between which keys are heard and the screen drawn."""

import asyncio
from collections.abc import Callable

from bus.history.message import Message
from tui.model.player import Player
from tui.scheduler import Pace

_SLICE = 50
"""Entries that are taken in at once: about 2 ms."""
_REST = 0.0025
"""Seconds between two slices while there is more to take in: a third of the time."""
_STEP = 0.05
"""Seconds between two looks at the clock."""


async def play(player: Player, heard: Callable[[list[Message]], None], pace: Pace) -> None:
    """Play until cancelled.

    Args:
        player: has the recording, and says whether it is to be played.
        heard: told what was taken into the model, in slices.
        pace: says how much of the time is spent on that.
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
        pace.hear(take_some)
        await pace.rest(_REST if player.behind else _STEP)
