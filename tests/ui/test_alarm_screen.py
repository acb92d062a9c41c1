"""An operator on the screen of alarms, and a real store behind it."""

from pathlib import Path

from console_fixtures import START, heard_store, model, seen, shows, watching
from running_store import LABEL, eventually
from textual.widgets import Input

from bus.contract.catalog import LOOKUP, Lookup
from bus.text.sentence import Sentence
from tui.app import Console
from tui.model.alarms import Alarm, Kind
from tui.screens.alarms import AlarmsScreen
from tui.widgets.lines import Lines


def raise_(console: Console, kind: Kind, subject: str, at: int = START) -> None:
    """Something is wrong."""
    text = Sentence("{subject} is in trouble", subject=subject)
    console.desk.model.alarms.raise_(kind, subject, text, at)


def chosen(console: Console) -> str:
    """What the alarm that is looked at is about."""
    assert isinstance(console.screen, AlarmsScreen)
    alarm = console.screen.alarm
    assert isinstance(alarm, Alarm)
    return alarm.subject


async def test_a_role_that_is_lost_lists_its_orders_and_opens_one(tmp_path: Path) -> None:
    async with heard_store(tmp_path) as (store, broker):
        will = next(
            link.will for link in broker.links if link.will and "/warehouse/" in link.will.topic
        )
        await store.crash("warehouse")
        receipts = [await store.buy({"MUG": 1}) for _ in range(2)]
        console = watching(broker)
        async with console.run_test(size=(160, 30)) as pilot:
            broker.route(will)
            await pilot.press("5")
            told = await shows(pilot, "warehouse is lost; 2 orders wait for it")
            assert "an order does not move" not in told
            assert "!! 1 critical" in told
            assert "start it there: storebus node warehouse" in told
            await pilot.press("enter")
            await shows(pilot, f"└ {receipts[0].order}")
            await pilot.press("down", "enter")
            await shows(pilot, "settlement waits for warehouse to take the order")
            await pilot.press("escape", "up", "enter")
            await eventually(lambda: "└" not in seen(console), "the list again")


async def test_a_key_does_what_the_line_says_after_it_was_asked(tmp_path: Path) -> None:
    async with heard_store(tmp_path) as (store, broker):
        console = watching(broker)
        async with console.run_test(size=(120, 40)) as pilot:
            await store.ask(LOOKUP, "catalog", Lookup(code=LABEL))
            await pilot.press("5")
            await shows(pilot, "SHIRT-RED: 2 left")
            await shows(pilot, "key X: put goods of SHIRT-RED on a shelf")
            await pilot.press("X")
            await shows(pilot, '"sku": "SHIRT-RED"')
            location, quantity = (console.screen.query_one(f"#field-{at}", Input) for at in (1, 2))
            location.value, quantity.value = location.value or "A-02-1", "9"
            await pilot.press("ctrl+s")
            await shows(pilot, "9 of SHIRT-RED will count as lying at")
            await pilot.press("y")
            await shows(pilot, "✔ done")
            await pilot.press("escape")
            await shows(pilot, "✔ no alarms")


async def test_what_only_a_person_on_the_spot_can_do_is_said() -> None:
    store = model()
    console = Console(store, lambda: START)
    raise_(console, "clock-wrong", "terminal-1")
    async with console.run_test(size=(80, 24), notifications=True) as pilot:
        await pilot.press("5", "X")
        await shows(pilot, "this is done on the spot")
        assert "key x:" not in seen(console)


async def test_alarms_are_acknowledged_silenced_for_a_time_and_put_away(tmp_path: Path) -> None:
    async with heard_store(tmp_path) as (store, broker):
        console = watching(broker)
        async with console.run_test(size=(120, 30)) as pilot:
            await store.ask(LOOKUP, "catalog", Lookup(code=LABEL))
            await shows(pilot, "5 Alarms ▲1")
            await pilot.press("5")
            await shows(pilot, "SHIRT-RED: 2 left")
            await pilot.press("z")
            await shows(pilot, "This alarm for 15 minutes")
            await pilot.press("1")
            await shows(pilot, "silent 15 min")
            assert "▲1" not in seen(console)
            await pilot.press("z")
            await shows(pilot, "7 Let it ring again")
            await pilot.press("7")
            await shows(pilot, "5 Alarms ▲1")
            await pilot.press("z", "down", "down", "down", "down", "down", "enter")
            await shows(pilot, "silent until it is over")
            await pilot.press("z", "escape", "z", "7", "a")
            await shows(pilot, "✔ · ")
            assert "▲" not in seen(console)
            await pilot.press("d")
            assert "✔ no alarms" in await shows(pilot, "○ ")
            console.tick()  # it is still so, and stays away
            await shows(pilot, "✔ no alarms")


async def test_alarms_are_sorted_and_filtered_by_severity() -> None:
    store = model()
    console = Console(store, lambda: START)
    for place, (kind, subject) in enumerate(
        [("foreign", "topics"), ("lost", "settlement"), ("restless", "sorter-1")]
    ):
        raise_(console, kind, subject, START + place)  # type: ignore[arg-type]
    async with console.run_test(size=(80, 24)) as pilot:
        await pilot.press("5")
        await shows(pilot, "the worst first  all")
        assert chosen(console) == "settlement"
        await pilot.press("s")
        await shows(pilot, "the newest first")
        assert chosen(console) == "sorter-1"
        await pilot.press("s")
        await shows(pilot, "the oldest first")
        assert chosen(console) == "topics"
        await pilot.press("f")
        await shows(pilot, "the oldest first  critical")
        assert "sorter-1" not in seen(console)
        await pilot.press("f", "f")
        await shows(pilot, "the oldest first  notice")
        assert (chosen(console), "settlement is in" in seen(console)) == ("topics", False)
        console.desk.model.alarms.end("foreign", "topics", START)
        await pilot.press("f", "f", "f", "f")
        await shows(pilot, "none of this severity")


async def test_a_new_alarm_is_counted_and_gone_to_though_the_cursor_is_in_old_ones() -> None:
    store = model()
    console = Console(store, lambda: START)
    for number in range(40):
        raise_(console, "lost", f"terminal-{number}", START + number)
    async with console.run_test(size=(80, 24), notifications=True) as pilot:
        await pilot.press("5")
        await shows(pilot, "28 new: n goes there")
        await pilot.press("end")
        table = console.screen.query_one("#alarms", Lines)
        await pilot.press("home", *["pagedown"] * 4)
        await eventually(lambda: "new:" not in seen(console), "that all were in sight")
        old = chosen(console)
        raise_(console, "lost", "settlement", START + 100)
        console.redraw()
        await shows(pilot, "▲ 1 new: n goes there")
        assert chosen(console) == old
        await pilot.press("f", "f", "n")
        await shows(pilot, "settlement is in trouble")
        assert (chosen(console), table.place) == ("settlement", 0)
        assert "new:" not in seen(console)
        await pilot.press("n")
        await shows(pilot, "nothing is new")
