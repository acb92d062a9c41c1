"""A scripted day of a store: the story of each order, and how long its steps took."""

import asyncio
import random
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from rich.table import Table
from rich.text import Text

from bus.contract.catalog import Found, Style
from bus.contract.channel import ROLES
from bus.contract.errors import ConfigurationError, Problem
from bus.contract.settlement import (
    ORDER,
    AccountPayment,
    CardPayment,
    OrderQuery,
    OrderView,
    Receipt,
)
from bus.contract.timestamp import milliseconds
from bus.text.console import output
from commerce.price import money_text
from devices.terminal.role import Terminal
from devices.terminal.scanner import read_image
from store.composition import RunningStore, running_store, until_quiet
from store.settings import Settings
from store.shop.catalog_queries import products_of
from store.shop.label_files import write_labels
from store.terminal import running_terminal
from testing.kit.percentiles import milliseconds_text

_SORTERS = 2
_REMINDER_PATIENCE = 60.0
"""Seconds after which a settled order without a reminder counts as a failure."""


@dataclass(slots=True)
class Story:
    """What happened to one customer."""

    number: int
    terminal: str
    told: list[str] = field(default_factory=list)
    outcome: str = "settled"
    scan: float = 0.0
    """Seconds from the label's image to the product."""
    purchase: float | None = None
    """Seconds from the purchase to its answer."""
    label_to_reminder: float | None = None
    """Seconds from the label's image to the reminder; None if it never came."""


async def play_day(settings: Settings, orders: int, terminals: int, seed: int) -> list[Story]:
    """Let customers scan, buy and be reminded, and tell each one's story.

    Args:
        settings: of the store that is opened for it.
        orders: how many customers.
        terminals: at how many terminals.
        seed: the same seed gives the same customers.

    Raises:
        ConfigurationError: the shop has nothing to sell, or no account to pay from.
    """
    choice = random.Random(seed)
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(running_store(settings, sorters=_SORTERS))
        if not (store.shop.products and store.shop.accounts):
            reasons = "\n".join(str(row) for row in store.shop.bad_rows)
            raise ConfigurationError(
                f"The shop has nothing to sell, or no account to pay from. {reasons}"
            )
        played = (
            f" on the {store.broker.engine} broker, seed {seed}:"
            f" {orders} customers at {terminals} terminals."
        )
        output.print(Text.assemble((store.shop.name, "bold"), played))
        there = [
            await stack.enter_async_context(
                running_terminal(f"terminal-{number}", store.broker.url, settings)
            )
            for number in range(1, terminals + 1)
        ]
        products = list((await products_of(there[0].node.ask)).values())
        labels = write_labels(products, settings.data / "labels")
        customers = [_Customer(number, store, labels, choice) for number in range(1, orders + 1)]
        lines = [customers[start::terminals] for start in range(terminals)]
        async with asyncio.TaskGroup() as tasks:
            for terminal, line in zip(there, lines, strict=True):
                tasks.create_task(_serve(terminal, line))
        names = [*ROLES, *(sorter.name for sorter in store.shop.sorters[:_SORTERS])]
        await until_quiet(there[0].node.ask, [*(terminal.name for terminal in there), *names])
    return [customer.story for customer in customers]


async def _serve(terminal: Terminal, line: Sequence["_Customer"]) -> None:
    """Customers buy one after another; their reminders are awaited concurrently."""
    async with asyncio.TaskGroup() as waits:
        for customer in line:
            receipt = await customer.shop_at(terminal)
            if receipt is None:
                customer.tell()
            else:
                waits.create_task(customer.collect(terminal, receipt))


class _Customer:
    """A customer whose wishes are decided by the seed before the store opens."""

    def __init__(
        self, number: int, store: RunningStore, labels: dict[str, Path], choice: random.Random
    ) -> None:
        self.story = Story(number, "")
        shop = store.shop
        product = choice.choice(shop.products)
        self._label = labels[product.id]
        self._taste = choice.random()
        self._quantity = choice.choice([1, 1, 1, 1, 2, 2, 3, 30])
        self._point = choice.choice([None, *(point.id for point in shop.pickup_points)])
        account = choice.choice(shop.accounts).account
        self._payment: AccountPayment | CardPayment = AccountPayment(
            method="account", account=account
        )
        if choice.random() < 0.35:  # noqa: PLR2004 - so many pay by card
            token = choice.choice(["tok_approve", "tok_approve", "tok_error", "tok_decline"])
            self._payment = CardPayment(method="card", token=f"{token}_{number}")
        self._began = 0.0

    async def shop_at(self, terminal: Terminal) -> Receipt | None:
        """Scan, choose and buy; return None if nothing was bought."""
        story = self.story
        story.terminal = terminal.name
        self._began = time.perf_counter()
        codes = await asyncio.to_thread(read_image, self._label)
        found = await terminal.scan(*codes)
        story.scan = time.perf_counter() - self._began
        style = self._choose(found)
        story.told.append(
            f"scanned {self._label.name} [{story.scan * 1000:.0f} ms]: {found.product.name},"
            f" takes {self._quantity} x {style.sku} at {money_text(style.price)}"
        )
        asked = time.perf_counter()
        try:
            receipt = await terminal.buy(
                {style.sku: self._quantity}, {style.sku: style}, self._payment, self._point
            )
        except Problem as problem:
            story.purchase = time.perf_counter() - asked
            story.outcome = problem.to_data().code
            story.told.append(f"[{story.purchase * 1000:.0f} ms] {story.outcome}: {problem.detail}")
            return None
        story.purchase = time.perf_counter() - asked
        story.told.append(
            f"paid {money_text(receipt.total)} by {receipt.payment.method}"
            f" [{story.purchase * 1000:.0f} ms]: order {receipt.order}"
        )
        return receipt

    async def collect(self, terminal: Terminal, receipt: Receipt) -> None:
        """Wait for the reminder."""
        paid = time.perf_counter()
        try:
            async with asyncio.timeout(_REMINDER_PATIENCE):
                reminder = await terminal.reminded(receipt.order)
        except TimeoutError:
            self.story.told.append("was never reminded")
        else:
            now = time.perf_counter()
            self.story.label_to_reminder = now - self._began
            self.story.told.append(await _steps(terminal, receipt.order))
            self.story.told.append(
                f"reminded {now - paid:.2f} s after paying: {reminder.pickup_point_name},"
                f" code {reminder.pickup_code}"
            )
        self.tell()

    def tell(self) -> None:
        """Print the story."""
        story = self.story
        customer = (f"Customer {story.number}", "bold")
        output.print(Text.assemble(customer, f" at {story.terminal}"))
        for sentence in story.told:
            output.print(f"    {sentence}", markup=False, soft_wrap=True)

    def _choose(self, found: Found) -> Style:
        styles = found.product.styles
        return styles[int(self._taste * len(styles))]


_STEPS = {
    ("reserving", "charging"): "goods held",
    ("charging", "settled"): "charged",
    ("settled", "ready"): "fetched and packed",
    ("short", "ready"): "fetched and packed",
    ("ready", "reminded"): "terminal told",
}


async def _steps(terminal: Terminal, order: str) -> str:
    """How long each step took, from the order's own history."""
    view: OrderView = await terminal.node.ask(ORDER, "settlement", OrderQuery(order=order))
    steps = [
        f"{_STEPS[before.state, after.state]} {milliseconds(after.at) - milliseconds(before.at)} ms"
        for before, after in pairwise(view.history)
        if (before.state, after.state) in _STEPS
    ]
    return ", ".join(steps)


def summarise(stories: Sequence[Story]) -> None:
    """Print how many orders came to which end, and how long the steps took."""
    outcomes = Table("outcome", "orders")
    for outcome in sorted({story.outcome for story in stories}):
        outcomes.add_row(outcome, str(sum(story.outcome == outcome for story in stories)))
    times = Table("step", "p50", "p99")
    for name, seconds in (
        ("scan", [story.scan for story in stories]),
        ("purchase", [story.purchase for story in stories if story.purchase is not None]),
        (
            "label to reminder",
            [s.label_to_reminder for s in stories if s.label_to_reminder is not None],
        ),
    ):
        ranked = sorted(seconds)
        times.add_row(name, milliseconds_text(ranked, 50), milliseconds_text(ranked, 99))
    output.print(outcomes)
    output.print(times)
