"""Each screen as it was accepted, at two sizes, in both themes, and in Chinese.

The store, traffic and order screens show the recorded day; what shows one state or a few alarms is
told by hand.

What is drawn differently is shown by `pytest tests/ui/test_snapshots.py`; what is drawn better on
purpose is accepted with `--snapshot-update`.
"""

from collections.abc import Callable
from typing import Any

import pytest
from console_fixtures import model
from recorded_day import recorded
from store_builder import MINUTE, ROLES, SECOND, StoreBuilder
from textual.pilot import Pilot

from bus.contract.timestamp import rfc3339
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


def told_alarms(language: str = "en") -> Console:
    """A role is lost and two orders wait for it; a style is low; somebody publishes garbage."""
    told = StoreBuilder().node(*ROLES, "terminal-1", "sorter-1")
    told.order("o-1", "settled").order("o-2", "settled").lost("warehouse")
    told.stock("MUG", 1).raw("main/odd", b"{}").shows("terminal-3", "cannot-write")
    told.later(5 * SECOND).shows("terminal-3").later(2 * MINUTE)
    return told.console(language)


def told_stock(language: str = "en") -> Console:
    """Three styles, the bins of one, and two sorters on the map."""
    told = StoreBuilder().node(*ROLES, "sorter-1", "sorter-2")
    told.points("north", north="North door", south="South door")
    told.product("Mug", "MUG").product("Oxford shirt", "SHIRT-BLUE", "SHIRT-RED")
    told.stock("MUG", 20, 2, received=22, written_off=2).stock("SHIRT-RED", 2)
    told.stock("SHIRT-BLUE", 12, 4).to_put_back("p-1", "o-1", {"MUG": 1})
    told.located("MUG", {"A-01-1": 12, "B-02-1": 7}, received=22, written_off=2)
    told.given("sorter-1", "o-1", ["A-01-1", "B-02-1"]).job("sorter-1", "picking", picks=2)
    told.job("sorter-2", "idle").order("o-1", "settled", skus=["MUG"])
    purchase = {"lines": [{"sku": "MUG", "quantity": 2}], "payment": {"account": "C-1001"}}
    told.say("req", "terminal-2/settlement/purchase", purchase, orderid="o-1")
    return told.later(5 * SECOND).console(language)


def told_node(language: str = "en") -> Console:
    """Settlement: where it runs, what it counted and logged, a problem and an alarm."""
    told = StoreBuilder().node(*ROLES)
    told.about(
        "settlement", outbox=3, host="shop-3", process=4711, data="/srv/shop", connections=1,
        since=rfc3339(told.at), boot="b", counts={"answered": 7, "refused": 1, "said": 19},
        errors=[{"at": rfc3339(told.at), "detail": "The provider did not answer."}],
    )  # fmt: skip
    told.answered("terminal-1", "settlement", "purchase", after=12)
    told.answered("terminal-1", "settlement", "purchase", status=409, code="sold-out", detail="x")
    return told.shows("settlement", "provider-silent").later(5 * SECOND).console(language)


_TOLD = {"alarms": told_alarms, "stock": told_stock}
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

    shown = _TOLD.get(screen, console)()
    assert snap_compare(shown, terminal_size=SIZES[size], run_before=look)


@pytest.mark.parametrize(
    ("made", "keys"),
    [
        pytest.param(told_node, ["1", "enter", "right", "enter"], id="node"),
        pytest.param(console, ["6", "E"], id="topics"),
        pytest.param(console, ["slash", *"mug"], id="search"),
        pytest.param(told_stock, ["4", "enter"], id="style"),
    ],
)
def test_what_is_opened_shows_the_told_day(
    snap_compare: Callable[..., bool], made: Callable[[], Console], keys: list[str]
) -> None:
    async def look(pilot: Pilot[Any]) -> None:
        await pilot.press(*keys)
        await pilot.pause()

    assert snap_compare(made(), terminal_size=SIZES["80x24"], run_before=look)


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
