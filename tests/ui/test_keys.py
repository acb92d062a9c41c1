"""An operator at the keys, and a real store behind the screen."""

import asyncio
import json
from pathlib import Path

import pytest
from console_fixtures import heard_store, model, seen, shows, watching
from running_store import LABEL, FaultyBroker, eventually
from story import recorded
from textual import events
from textual.widgets import Input

from bus.contract.catalog import LOOKUP, UPSERT, Lookup, OrderOnly, ProductRecord, Upsert
from bus.contract.settlement import CANCEL, CardPayment
from bus.contract.values import check_digit, gtin14
from bus.contract.warehouse import COUNTS, Counts
from bus.history.message import Message
from bus.link import Outgoing
from bus.text.sentence import Sentence
from nodes.settlement.acquirer.client import Acquirer
from store.roles import simulated_acquirer
from tui.app import Console
from tui.feed import PENDING
from tui.pace import Pace
from tui.screens.traffic import TrafficScreen
from tui.widgets.lines import Lines


async def type_in(pilot: object, text: str) -> None:
    """Type a text into what has the keys."""
    field = pilot.app.focused  # type: ignore[attr-defined]
    assert isinstance(field, Input)
    field.value = text


def chosen(console: Console) -> Message:
    """The message that is looked at."""
    assert isinstance(console.screen, TrafficScreen)
    assert console.screen.chosen is not None
    return console.screen.chosen


async def test_the_store_screen_shows_who_is_there_and_who_is_lost(tmp_path: Path) -> None:
    async with heard_store(tmp_path, terminals=2) as (store, broker):
        console = watching(broker)
        async with console.run_test(size=(120, 30)) as pilot:
            await shows(pilot, "● 2 online")
            will = next(
                link.will for link in broker.links if link.will and "terminal-2" in link.will.topic
            )
            await store.crash("terminal-2")
            broker.route(will)
            await shows(pilot, "✖ lost: terminal-2")
            await shows(pilot, "terminal-2 is lost")


async def test_the_traffic_is_followed_paused_and_followed_again(tmp_path: Path) -> None:
    async with heard_store(tmp_path) as (store, broker):
        console = watching(broker)
        async with console.run_test(size=(120, 30)) as pilot:
            await pilot.press("2", "f")
            await type_in(pilot, "op:purchase,lookup repeats:0")
            await pilot.press("enter")
            await store.buy({"MUG": 1})
            await shows(pilot, "2 messages")
            await pilot.press("space")
            held = await shows(pilot, "paused, 0 more")
            await store.ask(LOOKUP, "catalog", Lookup(code=LABEL))
            after = await shows(pilot, "paused, 2 more")
            assert held.splitlines()[1:20] == after.splitlines()[1:20]
            await pilot.press("space")
            await shows(pilot, "lookup")
            assert "paused" not in seen(console)


async def test_a_filter_is_typed_and_one_that_is_none_is_explained(tmp_path: Path) -> None:
    async with heard_store(tmp_path) as (store, broker):
        console = watching(broker)
        async with console.run_test(size=(120, 30)) as pilot:
            await store.buy({"MUG": 1})
            await pilot.press("2", "f")
            await type_in(pilot, "colour:blue")
            await pilot.press("enter")
            await shows(pilot, "There is no word colour:")
            await type_in(pilot, "op:purchas")
            await pilot.press("enter")
            await shows(pilot, "did you mean op:purchase?")
            await type_in(pilot, "op:purchase kind:rep")
            await pilot.press("enter")
            await shows(pilot, "filter: op:purchase kind:rep")
            assert {message.name for message in console.desk.view._shown} == {"purchase"}


async def test_from_a_reply_to_its_request_and_to_its_cause(tmp_path: Path) -> None:
    async with heard_store(tmp_path) as (store, broker):
        console = watching(broker)
        async with console.run_test(size=(120, 80)) as pilot:
            receipt = await store.buy({"MUG": 1})
            await store.reminded(receipt.order)
            orders = console.desk.model.orders
            await eventually(
                lambda: (track := orders.get(receipt.order)) and track.state == "reminded",
                "all that is said of the order",
            )
            await pilot.press("2", "f")
            await type_in(pilot, "op:reserve kind:rep")
            await pilot.press("enter", "up")
            reply = chosen(console)
            assert (reply.kind, reply.name) == ("rep", "reserve")
            await pilot.press("r")
            request = chosen(console)
            assert (request.kind, request.id) == ("req", reply.answers)
            await pilot.press("c")
            assert (chosen(console).kind, chosen(console).name) == ("req", "purchase")
            await pilot.press("r")
            assert (chosen(console).kind, chosen(console).name) == ("rep", "purchase")
            await shows(pilot, "pickup_code:")


async def test_among_the_messages_one_goes_from_one_find_to_the_next(tmp_path: Path) -> None:
    async with heard_store(tmp_path) as (store, broker):
        console = watching(broker)
        async with console.run_test(size=(120, 30)) as pilot:
            for _ in range(2):
                await store.buy({"MUG": 1})
            await eventually(lambda: len(console.desk.model.orders) == 2, "both orders")
            await pilot.press("2", "F")
            await type_in(pilot, "op:purchase kind:req")
            await pilot.press("enter")
            first = chosen(console)
            await pilot.press("n")
            second = chosen(console)
            assert (first.name, second.name) == ("purchase", "purchase")
            assert first is not second
            await pilot.press("N")
            assert chosen(console) is first
            await pilot.press("F")
            await type_in(pilot, "nowhere-at-all")
            await pilot.press("enter")
            await shows(pilot, "nowhere-at-all is not in what is shown")


async def test_a_message_is_copied_and_compared(tmp_path: Path) -> None:
    async with heard_store(tmp_path) as (store, broker):
        console = watching(broker)
        async with console.run_test(size=(240, 40)) as pilot:
            for code in (LABEL, "https://shop.example/mug"):
                await store.ask(LOOKUP, "catalog", Lookup(code=code))
            await pilot.press("2", "f")
            await type_in(pilot, "op:lookup kind:req")
            await pilot.press("enter", "end", "d")
            await shows(pilot, f'← "{LABEL}"')
            await pilot.press("y")
            assert json.loads(console.clipboard)["data"] == {"code": "https://shop.example/mug"}


async def test_an_order_is_opened_and_says_what_it_waits_for(tmp_path: Path) -> None:
    async with heard_store(tmp_path) as (store, broker):
        store.machine.stops_at = "conveying"
        receipt = await store.buy({"MUG": 1})
        await eventually(lambda: not store.machine.free.is_set(), "a sorter that conveys")
        console = watching(broker)  # begins when most has been said already
        async with console.run_test(size=(80, 24)) as pilot:
            await pilot.press("3")
            await shows(pilot, receipt.order)
            await pilot.press("enter")
            await shows(pilot, "waits for sorter-1")
            await shows(pilot, "1 × MUG")
            await shows(pilot, "settled")
            store.machine.free.set()
            await shows(pilot, "waits for the customer to collect it")
            await shows(pilot, "remind")
            await pilot.press("escape")
            await shows(pilot, "1 orders")


async def test_an_order_is_cancelled_after_it_was_asked_about(tmp_path: Path) -> None:
    async with heard_store(tmp_path) as (store, broker):
        receipt = await store.buy({"MUG": 1})
        await store.reminded(receipt.order)
        console = watching(broker)
        async with console.run_test(size=(100, 30)) as pilot:
            await pilot.press("3")
            await shows(pilot, receipt.order)
            await pilot.press("X", "ctrl+s")
            await shows(pilot, f"Order {receipt.order} will be cancelled")
            await pilot.press("n")
            assert not broker.sent("/settlement/cancel")
            await pilot.press("ctrl+s", "y")
            await shows(pilot, "✔ done")
            await shows(pilot, "cancelling")
            asked = [each for each in broker.sent("/settlement/cancel") if "/req/" in each.topic]
            assert {each.topic.rpartition("/req/")[2] for each in asked} == {
                "console-1/settlement/cancel"
            }
            assert len({json.loads(each.payload)["id"] for each in asked}) == 1  # perhaps repeated
            await pilot.press("escape", "2", "f")
            await type_in(pilot, "op:cancel")
            await pilot.press("enter")
            await shows(pilot, "filter: op:cancel")
            await shows(pilot, "→ console-1   ▸ settlement  cancel")
            await shows(pilot, "← console-1   ◂ settlement  cancel")
            await eventually(lambda: " purchase " not in seen(console), "nothing but the cancels")


async def test_an_order_is_given_to_another_sorter(tmp_path: Path) -> None:
    async with heard_store(tmp_path) as (store, broker):
        store.machine.stops_at = "conveying"
        receipt = await store.buy({"MUG": 1})
        await eventually(lambda: not store.machine.free.is_set(), "conveying")
        await store.start("sorter-2")
        console = watching(broker)
        async with console.run_test(size=(100, 30)) as pilot:
            await pilot.press("3")
            await shows(pilot, receipt.order)
            await pilot.press("O", "ctrl+s")
            await shows(pilot, f"The job of {receipt.order} goes to another sorter")
            await pilot.press("y")
            await shows(pilot, "✔ done")
            await store.reminded(receipt.order)
            assert store.rows("warehouse", "SELECT sorter, assignment FROM job") == [
                ("sorter-2", 2)
            ]
        store.machine.free.set()


async def test_a_refund_that_was_refused_is_an_alarm_and_resolved_from_there(
    tmp_path: Path,
) -> None:
    async with (
        simulated_acquirer(tmp_path / "acquirer.jsonl") as url,
        Acquirer(url) as acquirer,
        heard_store(tmp_path, acquirer=acquirer) as (store, broker),
    ):
        terminal = store.terminals["terminal-1"]
        card = CardPayment(method="card", token="tok_norefund")
        receipt = await terminal.buy({"MUG": 1}, await terminal.styles(["MUG"]), card)
        await store.reminded(receipt.order)
        order = OrderOnly(order=receipt.order)
        await store.ask_as("console-9", CANCEL, "settlement", order)
        console = watching(broker)
        async with console.run_test(size=(160, 40)) as pilot:
            await pilot.press("5")
            await shows(pilot, f"{receipt.order}: The provider refused to give money back")
            await shows(pilot, f"key X: say that {receipt.order} was paid back by hand")
            await pilot.press("X")
            await shows(pilot, "* how")
            await pilot.press("escape", "3")
            await shows(pilot, receipt.order)
            await pilot.press("enter")
            await shows(pilot, f"storebus resolve {receipt.order}")
            await pilot.press("R")
            await shows(pilot, "* how")
            await type_in(pilot, "by-hand")
            await pilot.press("tab", "tab")
            await type_in(pilot, "paid in cash")
            await pilot.press("ctrl+s")
            await shows(pilot, "will count as paid")
            await pilot.press("y")
            await shows(pilot, "✔ done")
            await pilot.press("escape")
            await eventually(
                lambda: not console.desk.model.alarms.subjects("refund-refused"), "an end"
            )
        rows = store.rows("settlement", "SELECT how, caller, reason FROM resolution")
        assert rows == [("by-hand", "console-1", "paid in cash")]


async def test_a_parcel_is_collected_by_its_code_and_a_wrong_code_is_refused(
    tmp_path: Path,
) -> None:
    async with heard_store(tmp_path) as (store, broker):
        receipt = await store.buy({"MUG": 1})
        await store.reminded(receipt.order)
        console = watching(broker)
        async with console.run_test(size=(100, 30)) as pilot:
            await pilot.press("3", "C")
            await type_in(pilot, "12")
            await pilot.press("ctrl+s")
            await shows(pilot, "✖ code")
            await type_in(pilot, "000000" if receipt.pickup_code != "000000" else "111111")
            await pilot.press("ctrl+s", "y")
            await shows(pilot, "404 unknown-pickup-code")
            await type_in(pilot, receipt.pickup_code)
            await pilot.press("ctrl+s", "y")
            await shows(pilot, 'state: "collected"')


async def test_goods_are_received_where_the_chosen_style_lies(tmp_path: Path) -> None:
    async with heard_store(tmp_path) as (store, broker):
        receipt = await store.buy({"MUG": 1})
        await store.reminded(receipt.order)
        console = watching(broker)
        async with console.run_test(size=(160, 40)) as pilot:
            await store.buy({"MUG": 1})
            await pilot.press("4")
            await shows(pilot, "A-01-1")
            await pilot.press("plus")
            await shows(pilot, "* quantity")
            await type_in(pilot, "30")
            await pilot.press("ctrl+s")
            await shows(pilot, "30 of MUG will count as lying at A-01-1")
            await pilot.press("y")
            await shows(pilot, "✔ done")
            await pilot.press("escape")
            await shows(pilot, " 48 ")
            assert "≠" not in seen(console)


async def test_goods_are_counted_and_a_style_is_retired_and_taken_back(tmp_path: Path) -> None:
    async with heard_store(tmp_path) as (store, broker):
        receipt = await store.buy({"MUG": 1})
        await store.reminded(receipt.order)
        console = watching(broker)
        async with console.run_test(size=(160, 40)) as pilot:
            await store.buy({"MUG": 1})
            await pilot.press("4")
            await shows(pilot, "A-01-1")
            await pilot.press("C")
            await shows(pilot, "* counted")
            await type_in(pilot, "7")
            await pilot.press("enter")
            await type_in(pilot, "seven are left")
            await pilot.press("ctrl+s")
            await shows(pilot, "The books will say that 7 of MUG lie at A-01-1")
            await pilot.press("y")
            await shows(pilot, "✔ done")
            await pilot.press("escape")
            counted = (await store.ask(COUNTS, "warehouse", Counts())).counts
            assert [(each.counted, each.reason) for each in counted] == [(7, "seven are left")]
            for key, words in (("R", "no more"), ("S", "sold again")):
                await pilot.press(key)
                await shows(pilot, "* reason")
                await pilot.press("tab")
                await type_in(pilot, "broken sample")
                await pilot.press("ctrl+s")
                await shows(pilot, words)
                await pilot.press("y")
                await shows(pilot, "✔ done")
                await pilot.press("escape")
            rows = store.rows("catalog", "SELECT sku, retired, reason FROM retirement ORDER BY id")
            assert rows == [("MUG", 1, "broken sample"), ("MUG", 0, "broken sample")]


async def test_a_price_is_changed_and_the_rest_of_the_product_is_left(tmp_path: Path) -> None:
    async with heard_store(tmp_path) as (store, broker):
        await store.buy({"SHIRT-BLUE": 1})
        before = (await store.ask(LOOKUP, "catalog", Lookup(code=LABEL))).product
        console = watching(broker)
        async with console.run_test(size=(160, 40)) as pilot:
            await pilot.press("4")
            await store.ask(LOOKUP, "catalog", Lookup(code=LABEL))
            await shows(pilot, "MUG")
            await shows(pilot, "SHIRT-BLUE")
            await pilot.press("down", "dollar_sign")
            await type_in(pilot, "4900")
            await pilot.press("enter")
            await type_in(pilot, "EUR")
            await pilot.press("ctrl+s")
            await shows(pilot, "One piece of SHIRT-BLUE will cost 4900")
            await pilot.press("y")
            await shows(pilot, "updated: 1")
        after = (await store.ask(LOOKUP, "catalog", Lookup(code=LABEL))).product
    assert [style.price.amount for style in after.styles] == [4900, 5900]
    assert after.model_copy(update={"styles": before.styles}) == before


def _cup(number: int) -> ProductRecord:
    digits = f"{4_000_000 + number}"
    style = {
        "sku": f"CUP-{number}",
        "gtin": gtin14(f"{digits}{check_digit(digits)}"),
        "attributes": {},
        "price": {"amount": 900, "currency": "EUR"},
    }
    url = f"https://shop.example/cup-{number}"
    record = {"id": f"cup-{number}", "name": "Cup", "url": url, "styles": [style]}
    return ProductRecord.model_validate(record)


async def test_all_that_is_for_sale_is_shown_however_much_it_is(tmp_path: Path) -> None:
    async with heard_store(tmp_path) as (store, broker):
        for first in (0, 100):
            more = [_cup(number) for number in range(first, first + 100)]
            await store.ask(UPSERT, "catalog", Upsert(products=more))
        console = watching(broker)
        async with console.run_test(size=(120, 30)) as pilot:
            await pilot.press("4")
            await shows(pilot, "203 styles")


async def test_any_operation_is_sent_from_its_form(tmp_path: Path) -> None:
    async with heard_store(tmp_path) as (_, broker):
        console = watching(broker)
        async with console.run_test(size=(100, 40)) as pilot:
            await shows(pilot, "console-1")
            await pilot.press("I")
            await type_in(pilot, "settlement fly")
            await pilot.press("enter")
            await shows(pilot, "the contract has no such operation")
            await type_in(pilot, "settlement orders")
            await pilot.press("enter")
            await shows(pilot, "reserving, charging")
            await type_in(pilot, "somewhere")
            await pilot.press("ctrl+s")
            await shows(pilot, "✖ state")
            await type_in(pilot, "settled")
            await shows(pilot, '"state": "settled"')
            await pilot.press("ctrl+s")
            await shows(pilot, "this changes nothing")
            await pilot.press("y")
            await shows(pilot, "✔ done")
            await pilot.press("escape", "I")
            await type_in(pilot, "catalog commit")
            await pilot.press("enter")
            await shows(pilot, "* order")
            await type_in(pilot, "o-1")
            await pilot.press("ctrl+s")
            await shows(pilot, "will refuse")
            await pilot.press("y")
            await shows(pilot, "403 forbidden")


async def test_a_reply_that_breaks_the_contract_is_told_as_one() -> None:
    broker = FaultyBroker()
    console = watching(broker)
    async with console.run_test(size=(100, 40)) as pilot:
        await shows(pilot, "console-1")
        await pilot.press("I")
        await type_in(pilot, "sorter-9 about")
        await pilot.press("enter", "ctrl+s")
        await shows(pilot, "this changes nothing")
        await pilot.press("y")
        asked = "/req/console-1/sorter-9/about"
        await eventually(lambda: broker.sent(asked), "what was asked")
        (request, *_) = broker.sent(asked)
        reply = {"id": json.loads(request.payload)["id"], "data": {}}
        topic = request.topic.replace("/req/", "/rep/")
        broker.route(Outgoing(topic, json.dumps(reply).encode()))
        await shows(pilot, "The reply of sorter-9 to about breaks the contract: node: it is missi")


async def test_a_request_is_sent_again_in_the_consoles_own_name(tmp_path: Path) -> None:
    async with heard_store(tmp_path) as (store, broker):
        console = watching(broker)
        async with console.run_test(size=(120, 40)) as pilot:
            await store.ask(LOOKUP, "catalog", Lookup(code=LABEL))
            await pilot.press("2", "f")
            await type_in(pilot, "op:lookup kind:req")
            await pilot.press("enter", "end", "E")
            await shows(pilot, "catalog: lookup")
            await pilot.press("ctrl+s", "y")
            await shows(pilot, "✔ done")
            assert broker.sent("req/console-1/catalog/lookup")


async def test_books_and_shelves_are_compared_though_nobody_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tui.feed._ASK_AROUND", 0.05)
    async with heard_store(tmp_path) as (store, broker):
        console = watching(broker)
        stock = console.desk.model.stock
        async with console.run_test(size=(120, 30)):
            await eventually(lambda: stock.get("MUG"), "what is for sale")
            receipt = await store.buy({"MUG": 1})
            await store.reminded(receipt.order)
            await eventually(lambda: stock.get("MUG").disagrees() == 0, "the shelves of the mug")


async def test_every_tab_is_a_key_a_click_and_a_command() -> None:
    console = watching(FaultyBroker())
    async with console.run_test(size=(100, 30)) as pilot:
        for key, mode in zip(
            "123456", ("store", "traffic", "orders", "stock", "alarms", "topics"), strict=True
        ):
            await pilot.press(key)
            assert console.current_mode == mode
        await pilot.click("Top", offset=(14, 0))
        await eventually(lambda: console.current_mode == "traffic", "the traffic")
        await pilot.press("t")
        assert not console.current_theme.dark
        await pilot.press("question_mark")
        await shows(pilot, "A filter is made of words")
        await pilot.press("escape", "ctrl+p")
        await shows(pilot, "what is to be done")
        await type_in(pilot, "send a req")
        await shows(pilot, "key I")
        await pilot.press("enter")
        await shows(pilot, "node and operation, such as")


async def test_a_key_counts_though_the_list_is_drawn_anew_before_its_message_is_told() -> None:
    store = model()
    for at, message in recorded().messages:
        store.take(at, [message])
    console = Console(store, lambda: store.now)
    async with console.run_test(size=(120, 30)) as pilot:
        for tab, name, step in (("3", "orders", 1), ("2", "traffic", -1)):
            await pilot.press(tab)
            lines = console.screen.query_one(f"#{name}", Lines)
            before = lines.item
            lines.action_move(step)
            chosen = lines.item
            store.take(store.now + 1, [recorded().messages[0][1]])
            console.redraw()
            assert lines.item is chosen is not before
        assert console.desk.view.paused


async def test_what_is_heard_waits_for_a_key_and_less_long_where_much_waits() -> None:
    pace, order = Pace(), []
    pace.key()

    async def rest(name: str, *, urgent: bool) -> None:
        await pace.rest(0, urgent=urgent)
        order.append(name)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(rest("some", urgent=False))
        tasks.create_task(rest("much", urgent=True))
    assert order == ["much", "some"]


async def test_what_comes_too_fast_is_counted_and_said() -> None:
    broker = FaultyBroker()
    console = watching(broker)
    async with console.run_test(size=(120, 30)) as pilot:
        await shows(pilot, "console-1")
        topic = console.desk.model.topics.event("catalog", "stock-changed")
        for number in range(PENDING + 5_000):
            broker.route(Outgoing(topic, b'{"id":"%d","data":{}}' % number))
        text = await shows(pilot, "not shown")
        feed, history = console.desk.feed, console.desk.model.history
        assert feed is not None
        assert feed.dropped > 0
        assert f"▲ {feed.dropped} not shown" in text
        await eventually(lambda: history.heard + feed.dropped >= PENDING + 5_000, "the rest")
        assert history.heard >= PENDING


async def test_the_wheel_holds_the_list_where_it_is() -> None:
    broker = FaultyBroker()
    console = watching(broker)
    async with console.run_test(size=(120, 20)) as pilot:
        await shows(pilot, "console-1")
        topic = console.desk.model.topics.event("catalog", "stock-changed")
        for number in range(100):
            broker.route(Outgoing(topic, b'{"id":"%d","data":{}}' % number))
        await pilot.press("2")
        await shows(pilot, "10")
        scroll = events.MouseScrollUp(None, 10, 10, 0, -1, 0, False, False, False, 10, 10)
        console.screen._forward_event(scroll)
        await shows(pilot, "paused")


async def test_without_a_broker_it_says_so_and_connects_by_itself() -> None:
    class Away(FaultyBroker):
        """A broker that is switched off at first."""

        off = True

        def connect(self, client_id: str, will: Outgoing | None = None):  # type: ignore[no-untyped-def]  # noqa: ANN202
            if self.off:
                from bus.contract.errors import BrokerError

                raise BrokerError("nobody listens")
            return super().connect(client_id, will)

    broker = Away()
    console = watching(broker)
    async with console.run_test(size=(100, 30)) as pilot:
        await shows(pilot, "no broker at memory: trying again")
        broker.off = False
        await shows(pilot, "console-1")
        broker.off = True
        for link in list(broker.links):
            link.lose()
        await shows(pilot, "no broker at memory")
        broker.off = False
        await eventually(lambda: console.desk.up, "a connection")
        assert broker.retained["storebus/1/main/state/console-1/presence"]


async def test_two_consoles_have_two_names() -> None:
    broker = FaultyBroker()
    first, second = watching(broker), watching(broker)
    async with first.run_test() as pilot:
        await shows(pilot, "console-1")
        async with second.run_test() as other:
            await shows(other, "console-2")
        presence = broker.retained["storebus/1/main/state/console-2/presence"]
        assert json.loads(presence.payload)["data"]["status"] == "offline"
    third = watching(broker, name="console-7")
    async with third.run_test() as pilot:
        await shows(pilot, "console-7")


async def test_the_alarm_that_is_looked_at_says_all_of_it_and_what_to_do(tmp_path: Path) -> None:
    async with heard_store(tmp_path) as (_, broker):
        console = watching(broker)
        async with console.run_test(size=(80, 24)) as pilot:
            await shows(pilot, "settlement")
            alarms, now = console.desk.model.alarms, console.desk.model.now
            text = Sentence("{words}", words="o-1: " + "the card's account is closed, " * 4 + "end")
            alarms.raise_("refund-refused", "o-1", text, now)
            alarms.raise_("lost", "sorter-9", Sentence("{node} is lost", node="sorter-9"), now + 1)
            await pilot.press("5")
            await shows(pilot, "storebus node sorter-9")
            await pilot.press("down")
            seen = await shows(pilot, "→ Pay it by hand and say so")
            assert "is closed, end" in seen
