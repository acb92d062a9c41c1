"""Plays a recording in real time, in slices between which keys are heard and the screen drawn."""

import asyncio
from collections.abc import Callable

from tui.model.message import Message
from tui.model.player import Player

_SLICE = 50
"""Entries that are taken in before keys are looked at again: about 2 ms."""
_STEP = 0.05
"""Seconds between two looks at the clock."""


async def play(player: Player, heard: Callable[[list[Message]], None]) -> None:
    """Play until cancelled.

    Args:
        player: has the recording, and says whether it is to be played.
        heard: told what was taken into the model, in slices.
    """
    loop = asyncio.get_running_loop()
    last = loop.time()
    while True:
        now = loop.time()
        player.pass_((now - last) * 1000)
        last = now
        heard(player.take(_SLICE))
        await asyncio.sleep(0 if player.behind else _STEP)
