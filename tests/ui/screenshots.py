"""The console's pictures in the README: the day that was written down (`make screenshots`)."""

import asyncio
from pathlib import Path

from console_fixtures import model
from story import recorded

from tui.app import Console

_PICTURES = Path(__file__).parents[2] / "docs" / "screenshots"
_SIZE = (110, 32)
_LATER = 1_000
"""Milliseconds after the last message at which it is looked at."""


async def draw() -> None:
    """Draw the store, an order and the alarms, as they were at the end of the day."""
    heard, store = recorded(), model()
    for at, message in heard.messages:
        store.take(at, [message])
    now = store.now + _LATER
    store.tick(now)
    _PICTURES.mkdir(exist_ok=True)
    console = Console(store, lambda: now)
    async with console.run_test(size=_SIZE) as pilot:
        await pilot.pause()
        _write("store", console)
        await pilot.press("3", "enter")
        await pilot.pause()
        _write("order", console)
        await pilot.press("escape", "5")
        await pilot.pause()
        _write("alarms", console)


def _write(name: str, console: Console) -> None:
    picture = console.export_screenshot(title=f"storebus watch: {name}", simplify=True)
    (_PICTURES / f"{name}.svg").write_text(picture, "utf-8")


if __name__ == "__main__":
    asyncio.run(draw())
