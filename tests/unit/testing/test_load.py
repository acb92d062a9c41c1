"""Scenarios of a load without a store: what it takes, whom it turns away, and what it draws."""

import asyncio
import random
from collections import Counter
from typing import Any, cast

import pytest

from bus.contract.catalog import PricedLine, Product, SearchResult, Style
from bus.contract.errors import ConfigurationError, NoAnswer
from bus.contract.refusals import SoldOut, UnknownLabel, UnknownOrder
from bus.contract.settlement import ORDER, AccountPayment, OrderView, PaymentReceipt, Receipt
from bus.contract.terminal import Remind
from bus.contract.values import Money
from bus.contract.warehouse import LOCATE, Located
from testing.kit.percentiles import nearest_rank
from testing.load.arrivals import Arrivals
from testing.load.goods import for_sale
from testing.load.load_counts import LoadCounts
from testing.load.order_checks import check
from testing.load.plan import LoadPlan, parse_duration, parse_mix, parse_rate, terminal_names
from testing.load.plot import plot
from testing.load.purchase_log import PurchaseLog
from testing.load.report import as_json
from testing.load.terminals import Customer
from testing.load.visits import Choices, Visits


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("dance=1", "knows no 'dance'"),
        ("", "knows no ''"),
        ("scan", "needs a weight for scan"),
        ("scan=-1", "needs a weight for scan"),
        ("scan=1.5", "needs a weight for scan"),
        ("scan=9999999", "needs a weight for scan"),
        ("scan=1,scan=2", "names scan twice"),
        ("scan=0,buy=0", "nothing would arrive"),
    ],
)
def test_a_bad_mix_is_told_in_a_sentence(text: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        parse_mix(text)


def test_a_mix_gives_weights_and_forgets_those_of_nothing() -> None:
    assert parse_mix("scan=5, buy=1,order=0") == {"scan": 5, "buy": 1}


@pytest.mark.parametrize("text", ["", "30", "s", "-1s", "1m30s", "1y", "1e3s", "nan", "٣s"])
def test_a_bad_duration_is_told_in_a_sentence(text: str) -> None:
    with pytest.raises(ConfigurationError, match="is to be a time such as 300ms"):
        parse_duration(text)


def test_durations_have_units() -> None:
    texts = ("500ms", "30s", "1.5m", "1h", "2min", "2 min", "1d")
    assert [parse_duration(text) for text in texts] == [0.5, 30, 90, 3600, 120, 120, 86_400]


@pytest.mark.parametrize("text", ["", "fast", "nan", "inf"])
def test_a_rate_is_a_number(text: str) -> None:
    with pytest.raises(ConfigurationError, match="is no rate"):
        parse_rate(text)


@pytest.mark.parametrize(
    ("rate", "seconds", "said"),
    [
        (0, 1, "A rate is"),
        (-1, 1, "A rate is"),
        (1e6, 1, "A rate is"),
        (1, 0, "A duration is"),
        (1, 1e6, "A duration is"),
        (1000, 86_400, "too many"),
    ],
)
def test_a_load_that_cannot_be_is_told_in_a_sentence(
    rate: float, seconds: float, said: str
) -> None:
    with pytest.raises(ConfigurationError, match=said):
        LoadPlan(rate, seconds, {"scan": 1})


@pytest.mark.parametrize("count", [0, -1, 501])
def test_there_are_some_terminals_and_not_too_many(count: int) -> None:
    with pytest.raises(ConfigurationError, match="1 to 500"):
        terminal_names(count, 1)


def test_percentiles_are_nearest_ranks() -> None:
    thousand = [float(number) for number in range(1, 1001)]
    ranks = [nearest_rank(thousand, percent) for percent in (0, 50, 99, 99.9, 100)]
    assert ranks == [1, 500, 990, 999, 1000]
    assert nearest_rank([7.0], 50) == 7


class _Nobody:
    name = "terminal-1"


async def test_nobody_waits_for_the_others_and_who_finds_no_room_is_counted() -> None:
    opened = asyncio.Event()
    counted = LoadCounts(["scan"])

    async def visit(_: Customer) -> None:
        await opened.wait()

    async def open_when_all_have_come() -> None:
        while counted.together.sent + counted.together.not_sent < 50:  # noqa: ASYNC110 - a count
            await asyncio.sleep(0)
        opened.set()

    plan = LoadPlan(10_000, 0.005, {"scan": 1}, at_once=20)
    customer = cast("Customer", _Nobody())
    arrivals = Arrivals(plan, {"scan": visit}, [customer], counted, random.Random(1))
    await asyncio.gather(arrivals.run(), open_when_all_have_come())
    scan = counted.kinds["scan"]
    assert (scan.sent, scan.answered, scan.not_sent) == (20, 20, 30)
    assert not counted.all_answered


async def test_outcomes_are_told_apart_and_the_second_stop_leaves_at_once() -> None:
    counted = LoadCounts(["scan"])
    outcomes: list[Any] = [None, NoAnswer("late"), UnknownLabel("none"), UnknownLabel("none")]
    all_came = asyncio.Event()

    async def visit(_: Customer) -> None:
        if not outcomes:
            all_came.set()
            await asyncio.Event().wait()
        if (outcome := outcomes.pop(0)) is not None:
            raise outcome

    plan = LoadPlan(1000, 60, {"scan": 1})
    customer = cast("Customer", _Nobody())
    arrivals = Arrivals(plan, {"scan": visit}, [customer], counted, random.Random(1))
    running = asyncio.create_task(arrivals.run())
    await all_came.wait()
    arrivals.stop()
    arrivals.stop()
    await running
    scan = counted.kinds["scan"]
    assert (scan.answered, scan.no_answer, dict(scan.refused)) == (1, 1, {"unknown-label": 2})
    assert scan.under_way == scan.sent - 4 > 0
    assert as_json(counted)["together"]["no_answer"] == scan.sent - 3


def test_the_picture_gives_each_nine_the_same_room() -> None:
    picture = plot({"scan": [0.001] * 990 + [0.01] * 9 + [0.1], "buy": []}, 80).plain.splitlines()
    assert picture[0].startswith("    100 ms |")
    labels = picture[-2].removeprefix(" percentile ")
    ninety, more, most = (labels.index(text) for text in ("90%", "99%", "99.9%"))
    assert abs((most - more) - (more - ninety)) <= 1
    row = next(line for line in picture if "1 ms |" in line and "*" in line).partition("|")[2]
    assert row.rstrip() == "*" * (more + 1)  # up to 99 % all take a millisecond
    assert picture[-1].split() == ["*", "scan"]


def test_without_an_answer_there_is_no_picture() -> None:
    assert "no latency" in plot({"scan": []}, 80).plain


def test_a_store_that_is_sold_out_is_told() -> None:
    product = Product(id="mug", name="Mug", description="", url="https://a.example/mug", styles=[])
    with pytest.raises(SoldOut, match="--stock"):
        for_sale([product])


def _receipt(order: str) -> Receipt:
    price: Any = {"amount": 5, "currency": "EUR"}
    return Receipt(
        order=order, state="settled",
        lines=[PricedLine.model_validate({"sku": "MUG", "quantity": 1, "price": price})],
        total=Money(**price), payment=PaymentReceipt(method="account", reference="r"),
        pickup_point="north", pickup_code="123456",
    )  # fmt: skip


async def test_a_reminder_may_be_faster_than_the_receipt() -> None:
    def reminder(order: str) -> Remind:
        return Remind.model_validate(
            {"order": order, "pickup_point": "north", "pickup_point_name": "North",
             "pickup_code": "123456"}
        )  # fmt: skip

    bought = PurchaseLog()
    for each in ("o-1", "o-1", "o-of-another-day"):
        bought.remind(reminder(each))
    for order in ("o-1", "o-2", "o-3"):
        bought.settle("terminal-1", "MUG", _receipt(order))
    assert bought.awaited == {"o-2", "o-3"}
    waiting = asyncio.create_task(bought.all_reminded())
    bought.remind(reminder("o-2"))
    bought.cancel("o-3")
    await waiting
    assert bought.reminded == 2


class _Liar:
    """A store that forgot an order, charged another total, and lost count of its goods."""

    name = "terminal-1"

    async def ask(self, operation: Any, _: str, data: Any, __: float | None = None) -> Any:
        """What each operation says."""
        price = {"amount": 5, "currency": "EUR"}
        if operation is ORDER and data.order == "o-gone":
            raise UnknownOrder("There is no such order.")
        if operation is ORDER:
            charged = {"amount": 5 if data.order == "o-fine" else 6, "currency": "EUR"}
            state = "cancelled" if data.order == "o-undone" else "reminded"
            return OrderView.model_validate(
                {"order": data.order, "state": state, "terminal": self.name, "total": charged,
                 "lines": [{"sku": "MUG", "quantity": 1, "price": charged}], "parcel": "p-1",
                 "pickup_point": "north", "payment": {"method": "account", "reference": "r"},
                 "history": []}
            )  # fmt: skip
        if operation is LOCATE:
            return Located(sku="MUG", bins=[])
        style = {"sku": "MUG", "gtin": "09506000134352", "price": price, "available": 8}
        product = {"id": "mug", "name": "Mug", "description": "", "url": "https://a.example/mug"}
        return SearchResult.model_validate({"products": [product | {"styles": [style]}]})


async def test_a_store_that_says_otherwise_than_it_told_is_found_out() -> None:
    bought = PurchaseLog()
    for order in ("o-fine", "o-gone", "o-dear", "o-undone"):
        bought.settle("terminal-1", "MUG", _receipt(order))
    liar = _Liar()
    wrong = await check(liar.ask, {"terminal-1": cast("Customer", liar)}, bought, {"MUG": 10})
    assert sorted(wrong) == [
        "MUG: 10 were available and 4 were bought, but 8 are left; were goods received meanwhile?",
        "MUG: 8 are for sale, but only 0 lie on shelves",
        "o-dear costs 6, 5 was told",
        "o-gone was told settled, and settlement says: There is no such order.",
        "o-undone costs 6, 5 was told",
        "o-undone was told settled, and is cancelled",
    ]


def test_customers_buy_what_is_left_before_they_find_anything_sold_out() -> None:
    left = {"MUG": 3, "CAP": 1, "TEA": 2}
    price = {"amount": 900, "currency": "EUR"}
    styles = [
        Style.model_validate(
            {"sku": sku, "gtin": "09506000134352", "available": count, "price": price}
        )
        for sku, count in left.items()
    ]
    payment = AccountPayment(method="account", account="C-1001")
    visits = Visits(Choices([], [], styles, payment), PurchaseLog(), None, random.Random(7))
    chosen = [visits._choose().sku for _ in range(8)]
    assert Counter(chosen[:6]) == Counter(left)
    assert set(chosen[6:]) <= set(left)


def test_an_answer_in_no_time_is_plotted_too() -> None:
    picture = plot({"scan": [0.0, 0.001, 0.01]}, 80).plain
    assert "0.001 ms" in picture
