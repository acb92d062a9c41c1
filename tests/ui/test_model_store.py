"""Nodes, stock, floor_plan and alarms of a store as they are seen from the bus."""

from pathlib import Path

import pytest
from console_fixtures import START, heard_store, incoming, model, told
from store_builder import StoreBuilder, say

from audit import findings
from bus.contract.catalog import RESTOCK, Restock
from bus.contract.errors import Problem
from bus.contract.every import ABOUT
from bus.contract.timestamp import rfc3339
from bus.contract.values import Empty
from bus.contract.warehouse import LOCATE, RETURNS, Locate
from bus.link import Incoming, Outgoing
from bus.text.sentence import Sentence
from bus.text.texts import Texts
from tui.model.alarm_list import AlarmList
from tui.model.alarms import KINDS, TO_DO
from tui.model.floor_plan import position
from tui.model.nodes import NodeView
from tui.model.stock import SURE
from tui.model.store import StoreModel

MINUTE = 60_000


def node(store: StoreModel, name: str) -> NodeView:
    found = store.nodes.get(name)
    assert found is not None
    return found


def presence(store: StoreModel, name: str, status: str, boot: str, at: int = START) -> None:
    StoreBuilder(store, at).node(name, status=status, boot=boot)


def test_nodes_stand_in_the_order_of_the_flow() -> None:
    told = StoreBuilder().node("sorter-2", "tester-1", "warehouse", "terminal-4", "terminal-2")
    told.node("console-1", "catalog", "terminal-1", "sorter-1", "terminal-3", "settlement")
    assert [node.name for node in told.store.nodes] == [
        "terminal-1", "terminal-2", "terminal-3", "terminal-4", "settlement", "catalog",
        "warehouse", "sorter-1", "sorter-2", "console-1", "tester-1",
    ]  # fmt: skip


def test_two_devices_under_one_name_are_told_from_one_that_cannot_stay() -> None:
    store = model()
    at = START
    for number in range(5):
        at += 1_000
        presence(store, "terminal-1", "online", "left" if number % 2 else "right", at)
        presence(store, "sorter-1", "online", f"start-{number}", at)
        presence(store, "terminal-2", "online" if number % 2 else "lost", "the same", at)
    store.tick(at)
    assert store.alarms.subjects("two-of-a-name") == {"terminal-1"}
    assert store.alarms.subjects("restless") == {"sorter-1"}
    (said,) = [str(each.text) for each in store.alarms.current() if each.kind == "restless"]
    assert said.startswith("sorter-1 came online 5 times within a minute")
    store.tick(at + MINUTE)
    assert not store.alarms.subjects("two-of-a-name") | store.alarms.subjects("restless")


def test_every_alarm_says_what_to_do() -> None:
    in_its_own_words = {
        "provider-refuses-us", "clock-step", "clock-wrong", "two-of-a-name", "restless",
    }  # fmt: skip
    assert set(TO_DO) | in_its_own_words == set(KINDS)


def test_a_node_that_is_lost_is_lost_and_raises_an_alarm() -> None:
    store = StoreBuilder().node("terminal-1", "terminal-3").lost("terminal-3").store
    assert (store.nodes.status("terminal-3"), store.nodes.status("terminal-1")) == (
        "lost",
        "online",
    )
    store.tick(store.now)
    assert "terminal-3" in store.alarms.subjects("lost")
    presence(store, "terminal-3", "online", "another", store.now + 10)
    store.tick(store.now)
    assert "terminal-3" not in store.alarms.subjects("lost")
    assert store.alarms.history()[0].subject == "terminal-3"


def test_the_last_will_of_an_older_start_says_nothing() -> None:
    store = model()
    presence(store, "terminal-1", "online", "first")
    presence(store, "terminal-1", "online", "second")
    presence(store, "terminal-1", "lost", "first")
    assert store.nodes.status("terminal-1") == "online"


async def test_answer_times_leave_out_what_consoles_ask(tmp_path: Path) -> None:
    async with heard_store(tmp_path) as (shop, broker):
        await shop.ask_as("console-1", ABOUT, "catalog", Empty())
        await shop.buy({"MUG": 1})
        store = model()
        told(store, [each for each in broker.passed if "/console-1/" in each.topic])
    assert node(store, "catalog").answers.percentile(50) is None
    assert node(store, "catalog").outbox == 0
    by_others = StoreBuilder().answered("terminal-1", "catalog", "lookup").store
    assert node(by_others, "catalog").answers.percentile(50) is not None


async def test_stock_is_known_from_what_is_said(tmp_path: Path) -> None:
    async with heard_store(tmp_path) as (shop, broker):
        receipt = await shop.buy({"MUG": 2})
        await shop.reminded(receipt.order)
        await shop.quiet()
        await shop.ask(RETURNS, "warehouse", Empty())
        await shop.ask(LOCATE, "warehouse", Locate(sku="MUG"))
        store = model()
        at = told(store, broker.passed)
    mug = store.stock.get("MUG")
    assert mug is not None
    assert (mug.on_hand, mug.reserved, mug.available) == (18, 0, 18)
    assert mug.bins == {"A-01-1": 18}
    assert mug.disagrees() == 0
    store.tick(at + MINUTE)
    assert not store.alarms.subjects("disagreement")
    assert store.alarms.subjects("low-stock") == {"SHIRT-RED"}


async def test_books_and_shelves_that_differ_raise_an_alarm(tmp_path: Path) -> None:
    async with heard_store(tmp_path) as (shop, broker):
        await shop.ask_as("warehouse", RESTOCK, "catalog", Restock(sku="MUG", quantity=5))
        await shop.ask(LOCATE, "warehouse", Locate(sku="MUG"))
        store = model()
        at = told(store, broker.passed)
        assert [str(each)[:2] for each in findings([shop.deployment.data], running=True)] == ["I3"]
    store.tick(at + MINUTE)
    assert not store.alarms.subjects("disagreement")  # it may be on its way to the other
    mug = store.stock.get("MUG")
    assert mug is not None
    assert mug.doubted_at is not None  # so it is asked again
    located = broker.sent("/warehouse/locate")[-1]
    store.take(at + SURE, [incoming(located)])
    store.tick(at + MINUTE)
    (alarm,) = [each for each in store.alarms.current() if each.kind == "disagreement"]
    assert str(alarm.text) == "MUG: the warehouse accounts for 20, the catalog for 25"


def test_goods_to_be_put_back_are_no_disagreement() -> None:
    told = StoreBuilder().stock("MUG", 19, received=20, written_off=1)
    told.located("MUG", {"A-01-1": 18}, received=20, written_off=1)
    store = told.to_put_back("p-1", "o-1", {"MUG": 1}).store
    mug = store.stock.get("MUG")
    assert mug is not None
    assert mug.returning == 1
    store.tick(store.now + MINUTE)
    assert not store.alarms.subjects("disagreement")


def test_a_sorter_is_where_its_job_takes_it() -> None:
    told = StoreBuilder().points("north", north="North door", south="South door")
    told.node("sorter-1", "sorter-2").job("sorter-2", "idle")
    told.given("sorter-1", "o-1", ["A-01-1"]).job("sorter-1", "picking").lost("sorter-1")
    store = told.store
    lost = next(name for name in ("sorter-1", "sorter-2") if store.nodes.status(name) == "lost")
    place = position(node(store, lost))
    assert (place.where, place.aisle, place.point) == ("aisle", "A", "north")
    other = "sorter-2" if lost == "sorter-1" else "sorter-1"
    assert position(node(store, other)).where == "idle"
    assert list(store.floor_plan.points) == ["north", "south"]
    assert store.floor_plan.default == "north"


@pytest.mark.parametrize(
    ("step", "where"), [("travelling", "aisle"), ("conveying", "way"), ("packing", "point")]
)
def test_a_sorter_goes_from_the_aisle_to_the_pickup_point(step: str, where: str) -> None:
    store = model()
    picks = [{"sku": "MUG", "location": f"{aisle}-01-1", "quantity": 1} for aisle in "AB"]
    say(store, "req", "warehouse/sorter-1/pick", {"job": "j", "picks": picks, "pickup_point": "x"})
    job = {"step": step, "job": "j", "order": "o", "pick": 1, "picks": 2}
    say(store, "state", "sorter-1/job", job)
    place = position(node(store, "sorter-1"))
    assert place.where == where
    assert place.aisle == (None if where == "point" else "B")


def test_a_sorter_whose_job_was_not_heard_has_no_known_place() -> None:
    store = model()
    say(store, "state", "sorter-1/job", {"step": "picking", "job": "j", "pick": 0, "picks": 2})
    assert position(node(store, "sorter-1")).where == "unknown"


async def test_a_request_that_is_not_allowed_raises_an_alarm(tmp_path: Path) -> None:
    async with heard_store(tmp_path) as (shop, broker):
        with pytest.raises(Problem, match="Only warehouse"):
            await shop.ask_as("terminal-9", RESTOCK, "catalog", Restock(sku="MUG", quantity=5))
        store = model()
        told(store, broker.passed)
    (alarm,) = [each for each in store.alarms.current() if each.kind == "refused"]
    assert alarm.subject == "terminal-9"
    store.tick(store.now + 10 * MINUTE)
    assert not store.alarms.subjects("refused")


def test_a_message_of_nobody_and_one_that_cannot_be_read_raise_alarms() -> None:
    store = model()
    store.take(START, [Incoming("storebus/1/main/odd", b"{}")])
    store.take(START, [Incoming("storebus/1/main/event/catalog/x", b"{")])
    store.take(START, [Incoming("storebus/1/main/state/catalog/presence", b"")])
    assert store.alarms.subjects("foreign") == {"topics"}
    assert store.alarms.subjects("malformed") == {"catalog"}
    store.take(
        START, [Incoming("storebus/1/main/event/catalog/x", b'{"source":"/main/terminal-9"}')]
    )
    said = next(str(each.text) for each in store.alarms.current() if each.kind == "malformed")
    assert said == "under the name catalog came x: no id (its source is /main/terminal-9)"
    own = b'{"source":"/main/catalog"}'
    store.take(START, [Incoming("storebus/1/main/event/catalog/x", own)])
    said = next(str(each.text) for each in store.alarms.current() if each.kind == "malformed")
    assert said == "under the name catalog came x: no id"


def test_many_repetitions_raise_one_alarm() -> None:
    store = model()
    commit = Outgoing(
        store.topics.request("settlement", "catalog", "commit"), b'{"id":"1","data":{}}'
    )
    for number in range(200):
        store.take(START + number, [incoming(commit)])
    store.tick(START + 1000)
    (alarm,) = store.alarms.current()
    assert alarm.kind == "duplicates"
    assert str(alarm.text) == (
        "99 % of the messages of the last minute are repetitions; most often settlement asks"
        " catalog again for commit: 199 times"
    )
    assert alarm.topic == commit.topic
    store.tick(START + 3 * MINUTE)
    assert not store.alarms.current()


def test_an_alarm_rings_once_and_not_at_all_when_its_kind_is_silent() -> None:
    store = model()
    presence(store, "terminal-1", "lost", "b")
    for second in range(3):
        store.tick(START + 1000 * second)
    assert store.alarms.bell == 1
    store.alarms.silence("lost", None, START + MINUTE)
    presence(store, "terminal-2", "lost", "b")
    store.tick(START + 4000)
    assert store.alarms.bell == 1
    assert store.alarms.unseen() == 0
    store.tick(START + MINUTE)
    assert (store.alarms.unseen(), store.alarms.bell) == (2, 2)
    store.alarms.acknowledge()
    assert store.alarms.unseen() == 0


def test_what_is_dismissed_stays_away_until_it_happens_again() -> None:
    alarms = AlarmList()
    for subject in ("terminal-1", "terminal-2"):
        alarms.raise_("lost", subject, Sentence("{node} is lost", node=subject), 1)
    alarms.raise_("dead-letter", "o-1", Sentence("refused for good"), 1, 7)
    alarms.acknowledge(next(each for each in alarms.current() if each.subject == "terminal-2"))
    alarms.dismiss()
    assert {each.subject for each in alarms.current()} == {"terminal-1", "o-1"}
    for alarm in alarms.current():
        alarms.dismiss(alarm)
    alarms.raise_("lost", "terminal-1", Sentence("{node} is lost", node="terminal-1"), 2)
    assert not alarms.current()
    assert len(alarms.history()) == 3
    alarms.end("lost", "terminal-1", 3)
    alarms.raise_("lost", "terminal-1", Sentence("{node} is lost", node="terminal-1"), 4)
    alarms.raise_("dead-letter", "o-1", Sentence("refused for good"), 4, 9)
    assert {each.subject for each in alarms.current()} == {"terminal-1", "o-1"}


def test_what_the_payment_provider_refuses_is_an_alarm_until_it_is_resolved() -> None:
    store = model()
    since = "2025-11-22T08:26:40.000Z"
    refused = [
        {"kind": "refund-refused", "order": order, "detail": f"money of {order}", "since": since}
        for order in ("o-1", "o-2")
    ]
    fault = {"kind": "provider-refuses-us", "order": None, "detail": "no key", "since": since}
    say(store, "state", "settlement/alarms", {"alarms": [fault, *refused]})
    assert store.alarms.subjects("refund-refused") == {"o-1", "o-2"}
    assert store.alarms.subjects("provider-refuses-us") == {"settlement"}
    say(store, "state", "warehouse/alarms", {"alarms": []})
    assert store.alarms.subjects("refund-refused") == {"o-1", "o-2"}
    say(store, "state", "settlement/alarms", {"alarms": refused[1:]}, START + 10)
    assert store.alarms.subjects("refund-refused") == {"o-2"}
    assert store.alarms.subjects("provider-refuses-us") == set()


def test_a_late_answer_and_one_that_never_came_raise_an_alarm() -> None:
    store = model()
    deadline = "2025-11-22T08:27:00.000Z"  # 20 s after the start
    asked = say(store, "req", "terminal-1/settlement/purchase", {}, expirytime=deadline)
    store.tick(START + 15_000)
    assert not store.alarms.subjects("deadline")
    store.tick(START + 32_000)
    assert store.alarms.subjects("deadline") == {"settlement"}
    (alarm,) = store.alarms.current()
    said = "settlement has not answered terminal-1's purchase: {} over its deadline"
    assert str(alarm.text) == said.format("12 s")
    store.tick(START + 140_000)
    assert str(alarm.text) == said.format("2 min")
    say(store, "rep", "terminal-1/settlement/purchase", {}, START + 140_500, correlationid=asked.id)
    said = "settlement answered terminal-1's purchase 2 min after its deadline"
    assert str(alarm.text) == said


def test_an_answer_that_comes_late_says_by_how_much() -> None:
    store = model()
    asked = say(store, "req", "terminal-2/settlement/purchase", {}, expiresin=5)
    say(store, "rep", "terminal-2/settlement/purchase", {}, START + 8_200, correlationid=asked.id)
    (alarm,) = store.alarms.current()
    assert str(alarm.text) == "settlement answered terminal-2's purchase 3.2 s after its deadline"


def test_a_request_that_came_too_late_names_who_sent_it_and_by_how_much() -> None:
    store = model()
    asked = say(store, "req", "terminal-2/settlement/purchase", {}, expiresin=5)
    refused = {"status": 504, "code": "expired", "detail": "too late"}
    say(store, "rep", "terminal-2/settlement/purchase", refused, START + 5_400,
        correlationid=asked.id)  # fmt: skip
    (alarm,) = store.alarms.current()
    said = "terminal-2 came 0.4 s too late with purchase: settlement refused it"
    assert (alarm.subject, str(alarm.text)) == ("terminal-2", said)


def test_what_was_not_heard_makes_nobody_late() -> None:
    store = model()
    say(store, "req", "terminal-1/settlement/purchase", {}, expiresin=5)
    store.reach("broker-1", START + 1_000, up=False)
    store.tick(START + 20_000)
    assert not store.alarms.current()
    store.reach("broker-1", START + 20_000, up=False)
    assert [str(each.text) for each in store.alarms.current()] == ["there is no broker at broker-1"]
    store.reach("broker-1", START + 21_000, up=True)
    assert not store.alarms.current()
    say(store, "req", "terminal-1/settlement/purchase", {}, START + 21_000, expiresin=5)
    store.miss()
    store.tick(START + 40_000)
    assert not store.alarms.current()


def test_an_answer_in_time_raises_none() -> None:
    store = model()
    deadline = "2025-11-22T08:27:00.000Z"
    asked = say(store, "req", "terminal-1/settlement/purchase", {}, expirytime=deadline)
    say(store, "rep", "terminal-1/settlement/purchase", {}, START + 50, correlationid=asked.id)
    store.tick(START + 25_000)
    assert not store.alarms.subjects("deadline")


@pytest.mark.parametrize(
    ("kind", "seconds", "said", "chinese"),
    [
        ("clock-step", 259_200, "was set 3 days forward", "调快了 3 天"),
        ("clock-step", -86_400, "was set 24 h back", "调慢了 24 小时"),
        ("clock-wrong", -70, "is 70 s behind the store's", "慢 70 秒"),
        ("clock-wrong", 600, "is 10 min ahead of the store's", "快 10 分钟"),
    ],
)
def test_a_clock_that_was_set_or_is_wrong_is_an_alarm_of_its_node_until_it_is_well_again(
    kind: str, seconds: int, said: str, chinese: str
) -> None:
    store = model()
    shown = {"kind": kind, "detail": "In its own words.", "since": "x", "seconds": seconds}
    say(store, "state", "terminal-7/alarms", {"alarms": [shown]})
    (alarm,) = store.alarms.current()
    assert (alarm.kind, alarm.subject) == (kind, "terminal-7")
    assert said in str(alarm.text)
    assert chinese in alarm.text.said(Texts("tui", "zh_Hans"))
    say(store, "state", "catalog/alarms", {"alarms": []})
    assert store.alarms.current() == [alarm], "what another node shows ends nothing"
    say(store, "state", "terminal-7/alarms", {"alarms": []})
    assert not store.alarms.current()


@pytest.mark.parametrize("console", [0, 3 * 24 * 3_600])
def test_a_device_without_alarms_of_its_own_whose_clock_is_wrong_is_told(console: int) -> None:
    """Whatever the console's own clock says, and however long the answer takes."""
    store, true = model(), START + console * 1_000

    def looks_up(name: str, ahead: int, takes: int = 0) -> None:
        time = rfc3339(true + ahead * 1_000)
        asked = say(store, "req", f"{name}/catalog/lookup", {"code": "x"}, START, time=time)
        answered, time = START + takes * 1_000, rfc3339(true + takes * 1_000)
        say(store, "rep", f"{name}/catalog/lookup", {}, answered, time=time, correlationid=asked.id)
        store.tick(answered)

    for name, ahead in (("terminal-7", 600), ("terminal-8", 2), ("terminal-9", -600)):
        looks_up(name, ahead)
    looks_up("terminal-8", 0, takes=20)
    texts = sorted(str(alarm.text) for alarm in store.alarms.current())
    assert [text.partition(";")[0] for text in texts] == [
        "the clock of terminal-7 is 10 min ahead of the store's",
        "the clock of terminal-9 is 10 min behind the store's",
    ]
    for name in ("terminal-7", "terminal-9"):
        looks_up(name, 0)
    assert not store.alarms.subjects("clock-wrong")


def test_what_a_node_shows_is_said_in_the_language_of_the_console() -> None:
    store = model()
    values = {"sku": "MUG", "pieces": 2, "order": "o-1", "location": "A-1", "sorter": "sorter-2"}
    shown = [
        {"kind": "short-pick", "subject": "MUG A-1", "detail": "x", "values": values},
        {"kind": "provider-silent", "subject": "payment provider", "detail": "x",
         "values": {"whom": "payment provider", "reason": "no answer"}},
        {"kind": "refuses", "subject": "sorter-2", "detail": "In its own words.", "values": []},
    ]  # fmt: skip
    say(store, "state", "warehouse/alarms", {"alarms": shown})
    texts = {alarm.subject: alarm.text for alarm in store.alarms.current()}
    assert str(texts["MUG A-1"]) == (
        "sorter-2 found 2 of MUG too few at A-1, last for o-1; they are written off"
    )
    chinese = Texts("tui", "zh_Hans")
    assert texts["payment provider"].said(chinese) == "支付服务商没有响应\uff1ano answer"
    assert str(texts["sorter-2"]) == "In its own words.", "whose values cannot be used"


def test_what_two_nodes_show_is_over_when_both_show_it_no_more() -> None:
    store = model()
    lost = {"kind": "database-replaced", "subject": "settlement", "detail": "x"}
    for node in ("catalog", "warehouse"):
        say(store, "state", f"{node}/alarms", {"alarms": [lost]})
    for node, left in (("catalog", {"settlement"}), ("warehouse", set())):
        say(store, "state", f"{node}/alarms", {"alarms": []})
        store.tick(START)
        assert store.alarms.subjects("database-replaced") == left


def test_a_deadline_in_seconds_counts_from_when_the_request_was_heard() -> None:
    store = model()
    say(store, "req", "terminal-1/settlement/purchase", {}, expiresin=20)
    store.tick(START + 20_000)
    assert not store.alarms.subjects("deadline")
    store.tick(START + 22_000)
    assert store.alarms.subjects("deadline") == {"settlement"}


@pytest.mark.parametrize("ahead", [-3 * 24 * 60, -2, 2, 3 * 24 * 60])
def test_a_deadline_in_the_stores_time_is_missed_by_that_and_not_by_the_consoles_clock(
    ahead: int,
) -> None:
    store = model()
    there = START + ahead * MINUTE
    say(store, "event", "catalog/stock-changed", {}, time=rfc3339(there))
    say(store, "req", "terminal-1/settlement/purchase", {}, expirytime=rfc3339(there + 20_000))
    store.tick(START + 20_000)
    assert not store.alarms.subjects("deadline")
    store.tick(START + 22_000)
    assert store.alarms.subjects("deadline") == {"settlement"}
