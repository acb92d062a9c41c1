"""Alarms of one cause as one, how bad they are, silence, and what can be done about them."""

import pytest
from console_fixtures import START, model
from store_builder import StoreBuilder, say

from bus.link import Incoming
from bus.text.sentence import Sentence
from bus.text.texts import Texts
from tui.commands import command_for
from tui.model.alarms import ConsoleAlarm, Kind
from tui.model.groups import Group
from tui.model.remedy import advice, remedy
from tui.model.store import StoreModel
from tui.rendering.alarms import WaitingOrder, lines, row, shown, silence, whole
from tui.rendering.canvas import Canvas, Line

MINUTE = 60_000
PAPER = Canvas(160, 40, Texts("tui", "en"), START + MINUTE)


def presence(store: StoreModel, name: str, status: str, at: int = START) -> None:
    StoreBuilder(store, at).node(name, status=status)


def order(store: StoreModel, name: str, state: str, at: int = START) -> None:
    StoreBuilder(store, at).order(name, state)


def shows(store: StoreModel, node: str, kind: str, at: int = START) -> None:
    StoreBuilder(store, at).shows(node, kind)


def text(line: Line) -> str:
    return "".join(part for part, _ in line)


def seen(store: StoreModel) -> list[str]:
    """What an operator is told, the worst first."""
    return [str(group.text) for group in shown(store.alarms, "severity", None)]


def group(store: StoreModel, kind: str) -> Group:
    (found,) = [each for each in store.alarms.groups() if each.head.kind == kind]
    return found


def test_a_role_that_is_lost_and_twenty_orders_that_wait_for_it_are_one_alarm() -> None:
    store = model()
    presence(store, "warehouse", "lost", START + 1)
    for number in range(20):
        say(store, "req", "settlement/warehouse/fulfil", {}, START + 10, orderid=f"o-{number}",
            expiresin=30)  # fmt: skip
        order(store, f"o-{number}", "settled", START + 20)
    store.tick(START + 5_000)
    assert seen(store) == ["warehouse is lost; 20 orders wait for it"]
    assert store.alarms.bell == 1
    say(store, "rep", "console-1/settlement/about", {"outbox": 5_000}, START + 6_000)
    store.tick(START + 70_000)
    assert store.alarms.subjects("stuck") == {f"o-{number}" for number in range(20)}
    assert store.alarms.subjects("deadline") == {"warehouse"}
    assert store.alarms.subjects("outbox") == {"settlement"}
    assert seen(store) == ["warehouse is lost; 20 orders wait for it"]
    assert (store.alarms.unseen(), store.alarms.bell) == (1, 1)
    listed = lines(store.alarms, PAPER, opened={("lost", "warehouse")})
    assert {each.kind for each in listed if isinstance(each, ConsoleAlarm)} == {
        "deadline",
        "outbox",
    }
    assert [each.order for each in listed if isinstance(each, WaitingOrder)] == [
        f"o-{number}" for number in range(20)
    ]
    assert "o-7" in text(row(WaitingOrder("o-7"), store, PAPER))
    presence(store, "warehouse", "online", START + 71_000)
    store.tick(START + 72_000)
    assert "warehouse is lost" not in " ".join(seen(store))
    assert len(seen(store)) == 3, "what still holds is told by itself"


def test_orders_that_wait_for_a_terminal_that_is_switched_off_are_one_alarm() -> None:
    store = model()
    presence(store, "terminal-2", "offline")
    for number in range(3):
        order(store, f"o-{number}", "ready", START + number)
    store.tick(START + 2 * MINUTE)
    (told,) = seen(store)
    assert told.startswith("waits for terminal-2 to show the reminder, and it is switched off;")
    assert told.endswith("; 3 orders wait for it")


@pytest.mark.parametrize(
    ("node", "kind", "state", "head"),
    [
        ("settlement", "provider-refuses-us", "charging", "provider-refuses-us"),
        ("warehouse", "no-sorter", "settled", "no-sorter"),
        ("warehouse", "cannot-write", "settled", "cannot-write"),
        ("settlement", "standstill", "charging", "standstill"),
    ],
)
def test_what_a_node_shows_is_the_cause_of_the_orders_behind_it(
    node: str, kind: str, state: str, head: str
) -> None:
    store = model()
    shows(store, node, kind)
    for number in range(5):
        order(store, f"o-{number}", state)
    store.tick(START + 2 * MINUTE)
    assert store.alarms.subjects("stuck")
    assert seen(store) == [f"{kind} in its own words; 5 orders wait for it"]
    assert group(store, head).severity == "critical"


def test_no_sorter_is_there_because_the_only_one_is_lost() -> None:
    store = model()
    presence(store, "sorter-1", "lost")
    shows(store, "warehouse", "no-sorter")
    order(store, "o-1", "settled")
    store.tick(START + 2 * MINUTE)
    (found,) = store.alarms.groups()
    assert (found.head.kind, found.severity) == ("lost", "critical")
    assert {each.kind for each in found.effects} == {"no-sorter", "stuck"}


def test_a_node_that_ended_itself_is_lost_by_that() -> None:
    store = model()
    shows(store, "warehouse", "standstill")
    presence(store, "warehouse", "lost")
    order(store, "o-1", "settled")
    store.tick(START + 2 * MINUTE)
    assert seen(store) == ["standstill in its own words; one order waits for it"]
    assert {each.kind for each in group(store, "standstill").effects} == {"lost", "stuck"}
    shows(store, "catalog", "cannot-write")
    presence(store, "catalog", "lost")
    store.tick(START + 2 * MINUTE)
    assert len(seen(store)) == 3, "a full disk makes no node go away"


def test_without_a_broker_all_that_is_not_heard_is_its_effect() -> None:
    store = model()
    for number in range(4):
        order(store, f"o-{number}", "charging")
    for second in (0, 10, 120):
        store.reach("mqtt://shop:1883", START + second * 1000, up=False)
        store.tick(START + second * 1000)
    assert seen(store) == ["there is no broker at mqtt://shop:1883; 4 orders wait for it"]


def test_an_effect_that_was_noticed_long_before_is_none() -> None:
    store = model()
    say(store, "req", "terminal-1/settlement/purchase", {}, expiresin=5)
    store.tick(START + 10_000)
    presence(store, "settlement", "lost", START + 4 * MINUTE)
    store.tick(START + 4 * MINUTE)
    assert len(seen(store)) == 2


def test_what_is_done_to_a_cause_is_done_to_what_follows_from_it() -> None:
    store = model()
    presence(store, "warehouse", "lost")
    for number in range(3):
        order(store, f"o-{number}", "settled")
    store.tick(START + 2 * MINUTE)
    alarms = store.alarms
    alarms.acknowledge(*alarms.groups()[0].alarms)
    order(store, "o-3", "settled", START)
    store.tick(START + 3 * MINUTE)
    assert (alarms.unseen(), alarms.bell) == (0, 1)
    alarms.dismiss(*alarms.groups()[0].alarms)
    order(store, "o-4", "settled", START)
    store.tick(START + 4 * MINUTE)
    assert not seen(store)
    presence(store, "warehouse", "online", START + 5 * MINUTE)
    said = {"kind": "no-sorter", "detail": "No sorter is there.", "since": "2026-11-22T10:00:00Z"}
    say(store, "state", "warehouse/alarms", {"alarms": [said]})
    store.tick(START + 5 * MINUTE)
    (again,) = seen(store)
    assert "5 orders wait for it" in again, "it is back, and they wait for something else"


def test_severity_and_age_say_which_comes_first() -> None:
    store = model()
    kinds: list[tuple[Kind, str]] = [
        ("foreign", "topics"), ("lost", "settlement"), ("lost", "terminal-1"), ("restless", "a"),
    ]  # fmt: skip
    for place, (kind, subject) in enumerate(kinds):
        store.alarms.raise_(kind, subject, Sentence("x"), START + place)

    def subjects(order: str, *only: str) -> list[str]:
        found = [shown(store.alarms, order, each) for each in only or (None,)]  # type: ignore[arg-type]
        return [each.head.subject for groups in found for each in groups]

    assert subjects("severity") == ["settlement", "a", "terminal-1", "topics"]
    assert subjects("newest") == ["a", "terminal-1", "settlement", "topics"]
    assert subjects("oldest") == ["topics", "settlement", "terminal-1", "a"]
    assert subjects("newest", "critical", "notice") == ["settlement", "topics"]


def test_goods_of_many_parcels_that_are_to_be_put_back_are_one_alarm() -> None:
    store = model()
    listed = [
        {"kind": "put-back", "detail": "MUG", "since": "2026-11-22T10:00:00Z", "subject": f"p-{n}",
         "values": {"goods": "1 x MUG", "order": f"o-{n}", "place": "north", "parcel": f"p-{n}"}}
        for n in range(1, 4)
    ]  # fmt: skip
    say(store, "state", "warehouse/alarms", {"alarms": listed})
    assert seen(store) == [
        "1 x MUG of o-1 lie at north and belong on a shelf; so do those of 2 more parcels"
    ]
    say(store, "state", "warehouse/alarms", {"alarms": listed[2:]})
    assert seen(store) == ["1 x MUG of o-3 lie at north and belong on a shelf"]


def test_silence_says_how_long_it_lasts_and_ends_by_itself() -> None:
    store = model()
    for name in ("terminal-1", "terminal-2"):
        presence(store, name, "lost")
    store.tick(START)
    alarms = store.alarms
    alarms.silence("lost", "terminal-1", START + 15 * MINUTE)
    one, two = sorted(alarms.current(), key=lambda each: each.subject)
    assert silence(one, alarms, PAPER) == "silent 14 min"
    assert (silence(two, alarms, PAPER), alarms.unseen()) == ("", 1)
    store.tick(START + 15 * MINUTE)
    assert (alarms.unseen(), alarms.bell) == (2, 2)
    alarms.silence("lost", "terminal-1", None)
    assert silence(one, alarms, PAPER) == "silent until it is over"
    presence(store, "terminal-1", "online")
    store.tick(START + 16 * MINUTE)
    presence(store, "terminal-1", "lost")
    store.tick(START + 17 * MINUTE)
    assert not alarms.silences.until
    alarms.silence("lost", None, None)
    assert alarms.unseen() == 0
    for name in ("terminal-1", "terminal-2"):
        presence(store, name, "online")
    store.tick(START + 18 * MINUTE)
    assert not alarms.silences.until


@pytest.mark.parametrize(
    ("kind", "subject", "needs", "asked"),
    [
        ("lost", "catalog", (), "catalog ping"),
        ("lost", "sorter-1", (), "warehouse reassign o-9"),
        ("stuck", "o-9", ("sorter-1",), "warehouse reassign o-9"),
        ("stuck", "o-9", ("sorters", "warehouse"), "warehouse resume sorter-2"),
        ("stuck", "o-9", ("terminal-2",), "terminal-2 ping"),
        ("stuck", "o-8", ("warehouse",), "warehouse receive MUG A-1 p-1 2"),
        ("deadline", "settlement", (), "settlement ping"),
        ("outbox", "settlement", ("catalog",), "catalog ping"),
        ("cannot-write", "warehouse", (), "warehouse ping"),
        ("no-sorter", "warehouse", (), "warehouse resume sorter-2"),
        ("low-stock", "MUG", (), "warehouse receive MUG A-1"),
        ("disagreement", "MUG", (), "warehouse count MUG A-1"),
        ("refund-refused", "o-1", (), "settlement resolve o-1"),
        ("foreign", "topics", (), ""),
        ("clock-wrong", "catalog", (), ""),
    ],
)
def test_a_key_does_what_can_be_done_from_the_console(
    kind: Kind, subject: str, needs: tuple[str, ...], asked: str
) -> None:
    store = model()
    presence(store, "sorter-2", "online")
    goods = [{"parcel": "p-1", "order": "o-8", "lines": [{"sku": "MUG", "quantity": 2}]}]
    say(store, "rep", "console-1/warehouse/locate", {"sku": "MUG", "bins": [
        {"location": "A-1", "quantity": 5}]})  # fmt: skip
    say(store, "rep", "console-1/warehouse/returns", {"returns": goods})
    order(store, "o-8", "cancelling")
    store.alarms.wait({"sorter-1": ["o-9"]})
    alarm = ConsoleAlarm(kind, subject, Sentence("x"), START, START, needs=needs)
    found = remedy(alarm, store)
    if not asked:
        assert found is None
        return
    assert found is not None
    names = ("order", "sku", "location", "parcel", "quantity", "sorter")
    data = [str(found.data[name]) for name in names if name in found.data]
    assert " ".join((found.callee, found.operation, *data)) == asked
    wanted = command_for(found.callee, found.operation, found.data)
    assert wanted is not None
    assert set(found.data) <= set(wanted.model.model_fields)
    told = [text(line) for line in whole(alarm, alarm.said, None, found, store.alarms, PAPER)]
    assert told[-1] == f"→ key X: {found.does}"


def test_where_the_host_is_known_the_line_names_it() -> None:
    store = model()
    alarm = ConsoleAlarm("lost", "warehouse", Sentence("warehouse is lost"), START, START)
    assert str(advice(alarm, store)) == (
        "See whether the host of warehouse has power and network. If nobody starts warehouse again,"
        " start it there: storebus node warehouse"
    )
    say(store, "state", "warehouse/about", {"host": "shop-3", "version": "1"})
    assert str(advice(alarm, store)).startswith("See whether shop-3 has power and network.")


def test_the_connection_that_publishes_is_told_where_the_broker_says_it() -> None:
    store = model()
    store.take(START, [Incoming("storebus/1/main/odd", b"{}")])
    store.alarms.sent_by("storebus/1/main/odd", "scale-7")
    told = "a message on storebus/1/main/odd (published by the connection scale-7)"
    assert seen(store) == [told]
    store.take(START, [Incoming("storebus/1/main/even", b"{}")])
    assert seen(store) == ["a message on storebus/1/main/even"], "another topic, another sender"
    store.take(START, [Incoming("storebus/1/main/odd", b"{}")])
    assert seen(store) == [told]
