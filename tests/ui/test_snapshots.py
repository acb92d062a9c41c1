"""Each screen as it was accepted: a told day at two sizes, in both themes, and in Chinese.

What is drawn differently is shown by `pytest tests/ui/test_snapshots.py`; what is drawn better on
purpose is accepted with `--snapshot-update`.
"""

from collections.abc import Callable
from typing import Any

import pytest
from console_fixtures import model
from story import recorded
from textual.pilot import Pilot

from tui.app import Console

SIZES = {"80x24": (80, 24), "200x60": (200, 60)}
_LATER = 1_000
"""Milliseconds after the last message at which the operator looks."""


def console(language: str = "en") -> Console:
    """A console that has heard the told day, and stands still."""
    heard, store = recorded(), model()
    for at, message in heard.messages:
        store.take(at, [message])
    now = store.now + _LATER
    store.tick(now)
    return Console(store, lambda: now, language)


_DARK, _LIGHT = ("80x24", "textual-dark"), ("200x60", "textual-light")
_OTHERS = [("80x24", "textual-light"), ("200x60", "textual-dark")]


@pytest.mark.parametrize(
    ("screen", "size", "theme"),
    [
        (screen, *look)
        for screen in ("store", "traffic", "orders", "order", "stock", "alarms")
        for look in (_DARK, _LIGHT, *(_OTHERS if screen in ("store", "order") else ()))
    ],
)
def test_a_screen_shows_the_told_day(
    snap_compare: Callable[..., bool], screen: str, size: str, theme: str
) -> None:
    async def look(pilot: Pilot[Any]) -> None:
        pilot.app.theme = theme
        await go_to(pilot, screen)

    assert snap_compare(console(), terminal_size=SIZES[size], run_before=look)


@pytest.mark.parametrize(
    "keys",
    [
        pytest.param(["1", "enter", "right", "enter"], id="node"),
        pytest.param(["6", "E"], id="topics"),
        pytest.param(["slash", *"mug"], id="search"),
        pytest.param(["4", "enter"], id="style"),
    ],
)
def test_what_is_opened_shows_the_told_day(
    snap_compare: Callable[..., bool], keys: list[str]
) -> None:
    async def look(pilot: Pilot[Any]) -> None:
        await pilot.press(*keys)
        await pilot.pause()

    assert snap_compare(console(), terminal_size=SIZES["80x24"], run_before=look)


@pytest.mark.parametrize("screen", ["store", "order", "help"])
def test_a_screen_speaks_chinese(snap_compare: Callable[..., bool], screen: str) -> None:
    async def look(pilot: Pilot[Any]) -> None:
        await go_to(pilot, screen)

    assert snap_compare(console("zh"), terminal_size=SIZES["80x24"], run_before=look)


@pytest.mark.parametrize("key", ["enter", "d", "X", "question_mark", "I"])
def test_a_window_over_a_screen(snap_compare: Callable[..., bool], key: str) -> None:
    async def look(pilot: Pilot[Any]) -> None:
        await go_to(pilot, "orders" if key == "X" else "traffic")
        await pilot.press("up", key)
        await pilot.pause()

    assert snap_compare(console(), terminal_size=SIZES["80x24"], run_before=look)


async def go_to(pilot: Pilot[Any], screen: str) -> None:
    """Look at a screen."""
    tabs = {"order": "orders", "help": "store"}
    await pilot.app.run_action(f"tab('{tabs.get(screen, screen)}')")
    await pilot.pause()
    if screen == "order":
        await pilot.app.run_action("screen.open")
    if screen == "help":
        await pilot.app.run_action("app.explain")
    await pilot.pause()
