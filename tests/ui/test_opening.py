"""Whatever stands on a screen is searched for, opened, and saved as a picture, with the keys."""

import os
import re
import socket
import stat
from pathlib import Path

import pytest
from console_fixtures import heard_store, model, seen, shows, watching
from recorded_day import recorded
from running_store import eventually
from textual.binding import Binding
from textual.widgets import Input

from bus.text.texts import Texts
from tui.app import Console
from tui.context import ConsoleContext
from tui.screens.alarms import AlarmsScreen
from tui.screens.base import ConsoleScreen
from tui.screens.node import NodeScreen, NodesScreen
from tui.screens.order import OrderScreen
from tui.screens.orders import OrdersScreen
from tui.screens.search import SearchScreen
from tui.screens.sheet import Sheet
from tui.screens.stock import StockScreen
from tui.screens.store import StoreScreen
from tui.screens.style import StyleScreen
from tui.screens.topics import TopicsScreen
from tui.screens.traffic import TrafficScreen

_SCREENS = [AlarmsScreen, NodeScreen, NodesScreen, OrderScreen, OrdersScreen, StockScreen,
            StoreScreen, StyleScreen, TopicsScreen, TrafficScreen]  # fmt: skip


def console(language: str = "en") -> Console:
    """A console that has heard the told day, and stands still."""
    store = model()
    for at, message in recorded().messages:
        store.take(at, [message])
    now = store.now + 1_000
    store.tick(now)
    return Console(store, lambda: now, language)


async def typed(pilot: object, text: str) -> None:
    """Type a text into what has the keys."""
    field = pilot.app.focused  # type: ignore[attr-defined]
    assert isinstance(field, Input)
    field.value = text


@pytest.mark.parametrize("screen", _SCREENS)
def test_what_can_change_the_store_is_under_no_small_letter_and_marked(
    screen: type[ConsoleScreen],
) -> None:
    keys = [
        each
        for part in (screen, Console)
        for each in part.BINDINGS
        if isinstance(each, Binding) and ConsoleContext.changes(each.action)
    ]
    assert keys
    assert not [each.key for each in keys if re.fullmatch("[a-z]", each.key)]


async def test_a_key_that_can_change_the_store_is_marked_and_a_small_o_opens_no_form() -> None:
    watched = console()
    async with watched.run_test(size=(120, 30)) as pilot:
        await pilot.press("3")
        assert "O! Another sorter" in await shows(pilot, "X! Cancel order")
        await pilot.press("o", "x", "i", "p", "c", "r")
        assert isinstance(watched.screen, OrdersScreen)
        await pilot.press("question_mark")
        await shows(pilot, "nothing is sent before you have said yes")


async def test_the_search_is_opened_from_every_screen_and_closed_again() -> None:
    watched = console()
    async with watched.run_test(size=(100, 30)) as pilot:
        for keys in ("1", "2", "3", "4", "5", "6"):
            await pilot.press(keys, "slash")
            assert isinstance(watched.screen, SearchScreen)
            await pilot.press("escape")
            assert isinstance(watched.screen, ConsoleScreen)
        for keys in (["3", "enter"], ["question_mark"]):
            await pilot.press(*keys)
            await pilot.press("slash")
            assert isinstance(watched.screen, SearchScreen)
            await pilot.press("escape")


async def test_results_are_shown_as_they_are_typed_and_opened() -> None:
    watched, order = console(), recorded().stuck
    async with watched.run_test(size=(80, 24)) as pilot:
        await pilot.press("slash", *order[:6].replace("-", "_").split("_")[0])
        await shows(pilot, "found")
        await typed(pilot, "terminal-1")
        await shows(pilot, "12 found")
        found = await shows(pilot, "and it is lost")
        assert re.search(r"node +terminal-1 +● online", found)
        await pilot.press("enter")
        assert isinstance(watched.screen, NodeScreen)
        await pilot.press("slash")
        await typed(pilot, order[2:9])
        await shows(pilot, "1 found")
        await pilot.press("enter")
        await shows(pilot, "waits for sorter-2")
        assert isinstance(watched.screen, OrderScreen)
        await pilot.press("slash")
        await typed(pilot, "oxford")
        await shows(pilot, "2 found")
        await pilot.press("down", "enter")
        await shows(pilot, "SHIRT-RED")
        assert isinstance(watched.screen, StyleScreen)
        await pilot.press("slash")
        await typed(pilot, "sorter-1/job")
        await pilot.press("enter")
        await shows(pilot, "with storebus/1/main/state/sorter-1/job")
        assert isinstance(watched.screen, TopicsScreen)
        await pilot.press("slash")
        await typed(pilot, "nowhere-at-all")
        await shows(pilot, "Nothing that was heard here contains nowhere-at-all.")
        await pilot.press("enter")
        assert isinstance(watched.screen, SearchScreen)


async def test_an_order_that_was_never_heard_of_is_asked_of_settlement(tmp_path: Path) -> None:
    async with heard_store(tmp_path) as (store, broker):
        receipt = await store.buy({"MUG": 1})
        await store.reminded(receipt.order)
        done = await store.buy({"MUG": 1})
        await store.collect((await store.reminded(done.order)).pickup_code)
        broker.lose("rep/console-1/settlement/orders", 1_000)  # it has forgotten them
        watched = watching(broker)
        async with watched.run_test(size=(80, 24)) as pilot:
            await shows(pilot, "console-1")
            await pilot.press("slash")
            await typed(pilot, done.order)
            await shows(pilot, "Enter asks settlement")
            await pilot.press("enter")
            await shows(pilot, "✔ collected")
            assert isinstance(watched.screen, OrderScreen)
            await pilot.press("slash")
            await typed(pilot, receipt.pickup_code)
            await pilot.press("enter")
            await shows(pilot, f"{receipt.order}  ◆ reminded")
            broker.lose("rep/console-1/settlement/orders", 0)
            await pilot.press("slash")
            await typed(pilot, "o-nowhere")
            await pilot.press("enter")
            await shows(pilot, "There is no such order")
            await typed(pilot, "terminal-")
            await pilot.press("ctrl+s")
            await shows(pilot, "settlement knows 2 orders with it")


async def test_an_order_that_comes_while_it_is_looked_for_is_found(tmp_path: Path) -> None:
    async with heard_store(tmp_path) as (store, broker):
        watched = watching(broker)
        async with watched.run_test(size=(80, 24)) as pilot:
            await shows(pilot, "console-1")
            await pilot.press("slash")
            await typed(pilot, "C-1001")
            await shows(pilot, "Nothing that was heard here contains C-1001.")
            receipt = await store.buy({"MUG": 1})
            await shows(pilot, receipt.order)


async def test_a_box_is_chosen_and_opened_and_a_node_tells_all_of_itself(tmp_path: Path) -> None:
    async with heard_store(tmp_path) as (store, broker):
        await store.buy({"MUG": 1})
        watched = watching(broker)
        async with watched.run_test(size=(220, 50)) as pilot:
            await shows(pilot, "settlement")
            await pilot.press("enter", "right", "enter")
            told = await shows(pilot, f"data folder                   {tmp_path}")
            for name, value in (
                ("role", "settlement"), ("host", socket.gethostname()),
                ("process", str(os.getpid())), ("connections in the last hour", "1"),
                ("start", store.nodes["settlement"].environment.boot),
            ):  # fmt: skip
                assert re.search(rf"{name} +{re.escape(value)}", told), name
            assert re.search(r"not done yet +\d+", told)
            assert re.search(r"its clock +right, within \d+ ms", await shows(pilot, "right, wi"))
            assert re.search(r"said \d+  received \d+  answered \d+", seen(watched))
            await pilot.press("m")
            await shows(pilot, "filter: node:=settlement")
            await pilot.press("1", "escape", "left", "enter")
            assert isinstance(watched.screen, NodesScreen)
            await shows(pilot, "1 nodes")
            await pilot.press("enter")
            await shows(pilot, "terminal-1  ● online")
            await pilot.press("escape", "escape", "right", "right", "down", "enter")
            assert isinstance(watched.screen, TopicsScreen)


async def test_what_a_node_logged_and_refused_and_its_alarms_stand_in_its_detail() -> None:
    watched = console()
    async with watched.run_test(size=(80, 50)) as pilot:
        await watched.push_screen(NodeScreen(watched.context, "settlement"))
        await shows(pilot, "✖ payment-declined  purchase ← terminal-3")
        await pilot.press("end")
        for _ in range(4):
            await pilot.press("enter")
            if isinstance(watched.screen, Sheet):
                break
            await pilot.press("up")
        await shows(pilot, "rep/terminal-3/settlement/purchase")
        await pilot.press("escape", "escape")
        await watched.push_screen(NodeScreen(watched.context, "sorter-2"))
        await shows(pilot, "a node is lost: sorter-2 is lost")


async def test_alarms_styles_and_arrows_are_opened() -> None:
    watched = console()
    async with watched.run_test(size=(100, 30)) as pilot:
        await pilot.press("5", "home", "enter")
        await shows(pilot, "terminal-3  ✖ lost")
        assert isinstance(watched.screen, NodeScreen)
        await pilot.press("escape", "4", "enter")
        await shows(pilot, "5 orders with it")
        assert isinstance(watched.screen, StyleScreen)
        await pilot.press("end", "enter")
        assert isinstance(watched.screen, OrderScreen)
        await pilot.press("enter")
        await shows(pilot, "topic: ")
        await pilot.press("escape", "escape", "escape")
        assert isinstance(watched.screen, StockScreen)
        await pilot.press("1", "enter", *["down"] * 8)
        await eventually(lambda: watched.screen.query_one("#store").chosen, "a choice")
        await pilot.press("enter")
        await shows(pilot, "SHIRT-RED")


async def test_a_click_chooses_a_box_and_a_second_opens_it() -> None:
    watched = console()
    async with watched.run_test(size=(120, 30)) as pilot:
        await pilot.click("#store", offset=(90, 10))
        assert "┏ broker" in seen(watched)
        await pilot.click("#store", offset=(50, 10), times=2)
        await shows(pilot, "warehouse  ● online")


async def test_the_topic_tree_is_opened_closed_filtered_and_shows_values() -> None:
    watched = console()
    async with watched.run_test(size=(120, 40)) as pilot:
        await pilot.press("6")
        assert re.search(r"22 topics, \d+ retained", await shows(pilot, "▸ state"))
        await pilot.press("end", "right")
        await shows(pilot, "▾ state")
        await pilot.press("left")
        await shows(pilot, "▸ state")
        await pilot.press("E")
        await shows(pilot, "▾ terminal-1")
        await pilot.press("W")
        await eventually(lambda: "▾ terminal-1" not in seen(watched), "all closed")
        await pilot.press("f")
        await typed(pilot, "SORTER-2/presence")
        await pilot.press("enter", "end", "enter")
        assert '"lost"' in await shows(pilot, "state/sorter-2/presence")
        assert isinstance(watched.screen, Sheet)
        await pilot.press("escape", "escape")
        await shows(pilot, "87 topics")


async def test_a_value_is_shown_though_its_message_is_forgotten() -> None:
    watched = console()
    watched.context.model.history._kept.clear()
    async with watched.run_test(size=(120, 40)) as pilot:
        await pilot.press("6", "f")
        await typed(pilot, "sorter-2/presence")
        await pilot.press("enter", "end", "enter")
        await shows(pilot, '"lost"')
        await pilot.press("escape")
        topic = watched.context.model.heard.get("storebus/1/main/state/sorter-2/presence")
        assert topic is not None
        topic.value = None
        await shows(pilot, "bytes, forgotten here")
        await pilot.press("enter")
        await shows(pilot, "this value is forgotten")


async def test_a_picture_is_saved_where_one_is_told_and_refused_where_it_cannot_be(
    tmp_path: Path,
) -> None:
    watched = console()
    async with watched.run_test(size=(120, 30), notifications=True) as pilot:
        await pilot.press("3", "ctrl+e")
        await shows(pilot, "in which new file?")
        for name, diagnose in (
            (tmp_path / "none" / "x.svg", "No such file or directory"),
            (tmp_path, "there is already a file"),
        ):
            await typed(pilot, str(name))
            await pilot.press("enter")
            await shows(pilot, diagnose)
        path = tmp_path / "orders.svg"
        await typed(pilot, str(path))
        await pilot.press("enter")
        await shows(pilot, "the picture is in")
        assert isinstance(watched.screen, OrdersScreen)
        drawn = path.read_text("utf-8")
        assert drawn.startswith("<svg")
        assert recorded().stuck in drawn
        assert "in which new file?" not in drawn, "the question is not part of it"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        await pilot.press("ctrl+e")
        await typed(pilot, str(path))
        await pilot.press("enter")
        await shows(pilot, "there is already a file")
        assert path.read_text("utf-8") == drawn


async def test_a_search_speaks_chinese() -> None:
    watched, say = console("zh"), Texts("tui", "zh")
    async with watched.run_test(size=(80, 24)) as pilot:
        await pilot.press("slash")
        await typed(pilot, "mug")
        await shows(pilot, say("{count} found", count=6))
