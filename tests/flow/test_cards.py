"""Scenarios of paying by card, with the simulated acquirer as a real process."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from raw_client import Received, raw_in_memory

from audit import audit, findings
from bus.contract.catalog import UPSERT, OrderOnly, Upsert
from bus.contract.channel import Operation
from bus.contract.errors import Refused
from bus.contract.every import ALARMS_STATE, Alarms
from bus.contract.settlement import (
    CANCEL,
    ORDER,
    ORDERS,
    REFUSALS,
    RESOLVE,
    CardPayment,
    OrderQuery,
    Orders,
    OrderView,
    Refusals,
    Resolve,
)
from bus.contract.topics import Topics
from bus.contract.values import Empty, Model
from bus.contract.warehouse import RECEIVE, RETURNS, Receive
from bus.link import MemoryBroker
from bus.runtime.caller import Caller
from bus.runtime.deployment import Deployment
from bus.runtime.settings import RuntimeSettings
from devices.terminal import domain
from devices.terminal.role import Terminal
from nodes.settlement.acquirer.client import Acquirer
from nodes.settlement.settings import SettlementSettings
from store.composition import running_nodes
from store.roles import server_roles, simulated_acquirer, sorter_role
from store.settings import read_settings
from store.shop import SAMPLE
from store.shop.reader import read_shop
from store.terminal import running_at

SKU = "OXF-BLU-M"


@dataclass
class CardStore:
    """A store that takes cards."""

    data: Path
    terminal: Terminal

    async def pay(self, token: str, quantity: int = 1) -> str:
        """Buy a piece or more; the payment reference."""
        styles = await self.terminal.styles([SKU])
        payment = CardPayment(method="card", token=token)
        async with asyncio.timeout(20):
            receipt = await self.terminal.buy({SKU: quantity}, styles, payment)
            await self.terminal.reminded(receipt.order)
        return receipt.payment.reference

    def log(self) -> list[tuple[str, int]]:
        """What the acquirer wrote down: kind and amount."""
        lines = (self.data / "acquirer.jsonl").read_text().splitlines()
        return [(entry["kind"], entry["amount"]) for entry in map(json.loads, lines)]

    async def bought(self, token: str, quantity: int = 1) -> str:
        """Buy a piece or more; the order."""
        await self.pay(token, quantity)
        receipt = self.terminal.purchases()[-1].receipt
        assert receipt is not None
        return receipt.order

    async def told(
        self, operation: Operation[Any, Any], callee: str, data: Model, name: str = "tester-ann"
    ) -> Any:
        """Ask in a name."""
        connector = self.terminal.node.deployment.connector
        async with Caller(connector, "main", name).connected() as caller:
            return await caller.ask(operation, callee, data)

    async def available(self) -> int:
        """How many can be bought."""
        found = await self.terminal.scan("09506000134352")
        return next(style.available for style in found.product.styles if style.sku == SKU)

    async def alarms(self, *kinds: str) -> Alarms:
        """Wait until these alarms about payments are shown, and no others."""
        broker = self.terminal.node.deployment.connector
        assert isinstance(broker, MemoryBroker)
        topic = Topics("main").state("settlement", ALARMS_STATE.name)

        def fits(message: Received) -> bool:
            return [alarm["kind"] for alarm in message.data["alarms"]] == list(kinds)

        async with raw_in_memory(broker, "main", "console-9") as raw:
            return Alarms.model_validate((await raw.expect(topic, fits)).data)

    async def put_back(self) -> None:
        """A person puts back what is to be put back, once it is there."""
        while not (listed := (await self.told(RETURNS, "warehouse", Empty())).returns):
            pass
        for line in listed[0].lines:
            goods = Receive(
                sku=line.sku, location="A-02-1", quantity=line.quantity, parcel=listed[0].parcel
            )
            await self.told(RECEIVE, "warehouse", goods)


@asynccontextmanager
async def card_store(data: Path, finds: dict[str, int] | None = None) -> AsyncIterator[CardStore]:
    """The roles, a sorter and a terminal in memory; the acquirer holds answers for 2 s.

    Args:
        data: the folder.
        finds: how many pieces a pick finds at a location, where the books are wrong.
    """
    shop = read_shop(SAMPLE)
    layout = shop.layout.model_copy(update={"finds": finds or {}})
    shop = shop.model_copy(update={"layout": layout})
    settings = read_settings(data=data, speed=float("inf"))
    settings = settings.model_copy(update={"settlement": SettlementSettings(acquirer_again=0.3)})
    deployment = Deployment(MemoryBroker(), "main", data, RuntimeSettings(retry_first=0.2))
    product = next(product for product in shop.products if product.id == "oxford-shirt")
    async with (
        simulated_acquirer(data / "acquirer.jsonl", "--hold", "2") as url,
        Acquirer(url, timeout=0.3) as acquirer,
    ):
        with sorter_role("sorter-1", shop, settings) as sorter:
            roles = {**server_roles(shop, acquirer, settings), "sorter-1": sorter}
            async with running_nodes(roles, deployment), running_at(deployment) as terminal:
                async with Caller(deployment.connector, "main", "tester-1").connected() as caller:
                    await caller.ask(UPSERT, "catalog", Upsert(products=[product]))
                    goods = Receive(sku=SKU, location="A-01-1", quantity=5)
                    await caller.ask(RECEIVE, "warehouse", goods)
                yield CardStore(data, terminal)


@pytest.mark.parametrize("token", ["tok_approve", "tok_error", "tok_lost", "tok_timeout"])
async def test_a_payment_whose_answer_is_lost_is_asked_for_and_captured_once(
    tmp_path: Path, token: str
) -> None:
    async with card_store(tmp_path) as store:
        reference = await store.pay(token)
        assert reference.startswith("acq_")
        assert store.log() == [("capture", 5900)]
    assert findings([tmp_path]) == []


async def test_a_declined_card_costs_nothing_and_its_goods_are_for_sale_again(
    tmp_path: Path,
) -> None:
    async with card_store(tmp_path) as store:
        with pytest.raises(Refused) as refused:
            await store.pay("tok_decline")
        assert refused.value.to_data().status == 402
        await store.pay("tok_approve")
        found = await store.terminal.scan("09506000134352")
        styles = {style.sku: style.available for style in found.product.styles}
        assert styles[SKU] == 4
        assert store.log() == [("decline", 5900), ("capture", 5900)]
    assert findings([tmp_path]) == []


async def _in_state(store: CardStore, order: str, state: str) -> OrderView:
    """Ask until the order is in a state."""
    async with asyncio.timeout(20):
        while True:
            view: OrderView = await store.terminal.node.ask(
                ORDER, "settlement", OrderQuery(order=order)
            )
            if view.state == state:
                return view


async def test_an_order_cancelled_while_its_payment_is_unknown_ends_with_the_money_back(
    tmp_path: Path,
) -> None:
    async with card_store(tmp_path) as store:
        styles = await store.terminal.styles([SKU])
        payment = CardPayment(method="card", token="tok_timeout")
        sent = await store.terminal.begin(domain.purchase({SKU: 1}, styles, payment, None))
        async with Caller(
            store.terminal.node.deployment.connector, "main", "console-1"
        ).connected() as c:
            listed = Orders(state="charging")
            while not (orders := (await c.ask(ORDERS, "settlement", listed)).orders):
                pass
            cancelled = OrderOnly(order=orders[0].order)
            assert (await c.ask(CANCEL, "settlement", cancelled)).state == "cancelling"
        bought = await store.terminal.outcome(sent)
        assert bought.problem is not None
        assert bought.problem.code == "cancelled"
        view = await _in_state(store, cancelled.order, "cancelled")
        assert view.refunded == 5900
        assert store.log() == [("capture", 5900), ("refund", 5900)]
    assert findings([tmp_path]) == []


async def test_a_cancelled_card_order_is_refunded_once_and_its_goods_put_back(
    tmp_path: Path,
) -> None:
    async with card_store(tmp_path) as store:
        await store.pay("tok_approve")
        (bought,) = store.terminal.purchases()
        assert bought.receipt is not None
        order = OrderOnly(order=bought.receipt.order)
        connector = store.terminal.node.deployment.connector
        async with Caller(connector, "main", "console-1").connected() as console:
            for _ in range(2):
                await console.ask(CANCEL, "settlement", order)
            while not (listed := (await console.ask(RETURNS, "warehouse", Empty())).returns):
                pass
            goods = Receive(sku=SKU, location="A-02-1", quantity=1, parcel=listed[0].parcel)
            await console.ask(RECEIVE, "warehouse", goods)
        await _in_state(store, order.order, "cancelled")
        assert store.log() == [("capture", 5900), ("refund", 5900)]
    assert findings([tmp_path]) == []


async def test_a_card_gets_back_what_could_not_be_found_and_later_the_rest(tmp_path: Path) -> None:
    async with card_store(tmp_path, finds={"A-01-1": 2}) as store:
        await store.pay("tok_approve", 3)
        (bought,) = store.terminal.purchases()
        assert bought.receipt is not None
        order = OrderOnly(order=bought.receipt.order)
        async with asyncio.timeout(20):
            while store.log() != [("capture", 17_700), ("refund", 5900)]:
                await _in_state(store, order.order, "reminded")
        connector = store.terminal.node.deployment.connector
        async with Caller(connector, "main", "console-1").connected() as console:
            await console.ask(CANCEL, "settlement", order)
            while not (listed := (await console.ask(RETURNS, "warehouse", Empty())).returns):
                pass
            goods = Receive(sku=SKU, location="A-02-1", quantity=2, parcel=listed[0].parcel)
            await console.ask(RECEIVE, "warehouse", goods)
        view = await _in_state(store, order.order, "cancelled")
        assert view.refunded == 17_700
        assert store.log() == [("capture", 17_700), ("refund", 5900), ("refund", 11_800)]
    assert findings([tmp_path]) == []


async def test_a_store_without_an_acquirer_takes_no_cards(tmp_path: Path) -> None:
    shop = read_shop(SAMPLE)
    deployment = Deployment(MemoryBroker(), "main", tmp_path)
    roles = server_roles(shop, None)
    async with running_nodes(roles, deployment), running_at(deployment) as terminal:
        async with Caller(deployment.connector, "main", "tester-1").connected() as caller:
            await caller.ask(UPSERT, "catalog", Upsert(products=list(shop.products[:1])))
        styles = await terminal.styles([SKU])
        with pytest.raises(Refused) as refused:
            await terminal.buy({SKU: 1}, styles, CardPayment(method="card", token="tok_approve"))
    assert refused.value.to_data().status == 422


async def test_a_refund_that_is_refused_is_shown_to_people_and_paid_by_hand(
    tmp_path: Path,
) -> None:
    async with card_store(tmp_path) as store:
        order = await store.bought("tok_norefund", 2)
        await store.told(CANCEL, "settlement", OrderOnly(order=order), name="console-1")
        alarms = await store.alarms("refund-refused")
        assert alarms.alarms[0].order == order
        assert f"storebus resolve {order}" in alarms.alarms[0].detail
        await store.put_back()
        view = await _in_state(store, order, "cancelling")
        (refused,) = view.refused
        assert refused.reason == "the card's account is closed"
        assert (refused.amount.amount, view.refunded) == (11_800, 0)
        assert "the card's account is closed" in (view.waits_for or "")
        assert (await store.told(REFUSALS, "settlement", Refusals())).refusals == [refused]

        by_hand = Resolve(order=order, how="by-hand", reason="transferred on Monday")
        done = await store.told(RESOLVE, "settlement", by_hand)
        assert done.amount.amount == 11_800
        view = await _in_state(store, order, "cancelled")
        assert (view.refunded, view.refused) == (11_800, [])
        (resolution,) = view.resolved
        assert (resolution.by, resolution.how) == ("tester-ann", "by-hand")
        assert resolution.reason == "transferred on Monday"
        await store.alarms()
        with pytest.raises(Refused) as again:
            await store.told(RESOLVE, "settlement", by_hand)
        assert again.value.to_data().code == "wrong-state"
        assert await store.available() == 5
        assert store.log() == [("capture", 11_800)]
    assert findings([tmp_path]) == []


async def test_a_refund_is_asked_for_again_when_a_person_says_so(tmp_path: Path) -> None:
    async with card_store(tmp_path) as store:
        order = await store.bought("tok_laterrefund")
        await store.told(CANCEL, "settlement", OrderOnly(order=order), name="console-1")
        await store.alarms("refund-refused")
        await store.put_back()
        retry = Resolve(order=order, how="retry", reason="the bank says it works now")
        await store.told(RESOLVE, "settlement", retry)
        view = await _in_state(store, order, "cancelled")
        assert (view.refunded, view.refused) == (5900, [])
        assert [(each.how, each.by) for each in view.resolved] == [("retry", "tester-ann")]
        assert store.log() == [("capture", 5900), ("refund", 5900)]
    assert findings([tmp_path]) == []


async def test_a_refund_that_is_refused_again_waits_for_a_person_again(tmp_path: Path) -> None:
    async with card_store(tmp_path) as store:
        order = await store.bought("tok_norefund")
        await store.told(CANCEL, "settlement", OrderOnly(order=order), name="console-1")
        await store.alarms("refund-refused")
        await store.put_back()
        for _ in range(2):
            retry = Resolve(order=order, how="retry", reason="let us see")
            await store.told(RESOLVE, "settlement", retry)
            await store.alarms("refund-refused")
        view = await _in_state(store, order, "cancelling")
        assert [each.how for each in view.resolved] == ["retry", "retry"]
    assert findings([tmp_path]) == []  # it waits for a person, and no promise is broken
    (note,) = [note for note in audit([tmp_path]).notes if order in note]
    assert "waits for a person" in note


async def test_refunds_of_one_order_are_resolved_one_by_one(tmp_path: Path) -> None:
    async with card_store(tmp_path, finds={"A-01-1": 2}) as store:
        order = await store.bought("tok_norefund", 3)  # two are found
        await store.alarms("refund-refused")
        await store.told(CANCEL, "settlement", OrderOnly(order=order), name="console-1")
        await store.alarms("refund-refused", "refund-refused")
        await store.put_back()
        view = await _in_state(store, order, "cancelling")
        amounts = {each.refund: each.amount.amount for each in view.refused}
        assert sorted(amounts.values()) == [5900, 11_800]
        first = min(amounts, key=lambda refund: amounts[refund])
        one = Resolve(order=order, how="by-hand", refund=first, reason="paid in cash")
        await store.told(RESOLVE, "settlement", one)
        view = await _in_state(store, order, "cancelling")
        assert (view.refunded, len(view.refused)) == (5900, 1)
        rest = Resolve(order=order, how="by-hand", reason="paid in cash, too")
        await store.told(RESOLVE, "settlement", rest)
        view = await _in_state(store, order, "cancelled")
        assert view.refunded == 17_700
    assert findings([tmp_path]) == []


async def test_a_charge_that_is_refused_is_a_decline_in_the_providers_words(
    tmp_path: Path,
) -> None:
    async with card_store(tmp_path) as store:
        with pytest.raises(Refused) as refused:
            await store.pay("tok_refuse")
        data = refused.value.to_data()
        assert (data.code, data.detail) == ("payment-declined", "this card cannot be charged here")
        async with asyncio.timeout(20):
            while await store.available() != 5:
                pass
    assert findings([tmp_path]) == []


async def test_a_provider_that_does_not_let_us_in_is_told_and_asked_again_until_it_does(
    tmp_path: Path,
) -> None:
    async with card_store(tmp_path) as store:
        paying = asyncio.create_task(store.bought("tok_unauthorized"))
        alarms = await store.alarms("provider-refuses-us")
        assert "the API key is not valid" in alarms.alarms[0].detail
        order = await paying
        await store.alarms()
        await store.told(CANCEL, "settlement", OrderOnly(order=order), name="console-1")
        await store.alarms("provider-refuses-us")
        await store.put_back()
        view = await _in_state(store, order, "cancelled")
        assert (view.refunded, view.refused) == (5900, [])
        await store.alarms()
        assert store.log() == [("capture", 5900), ("refund", 5900)]
    assert findings([tmp_path]) == []


async def test_what_a_person_has_to_see_to_outlives_a_restart(tmp_path: Path) -> None:
    async with card_store(tmp_path) as store:
        order = await store.bought("tok_norefund")
        await store.told(CANCEL, "settlement", OrderOnly(order=order), name="console-1")
        await store.alarms("refund-refused")
    async with card_store(tmp_path) as store:
        await store.alarms("refund-refused")
        by_hand = Resolve(order=order, how="by-hand", reason="paid in cash")
        await store.told(RESOLVE, "settlement", by_hand)
        await store.put_back()
        await _in_state(store, order, "cancelled")
    assert findings([tmp_path]) == []
