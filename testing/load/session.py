"""Runs a whole load: preparation, arrivals, and the checks afterwards."""

import asyncio
import random
import signal
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from audit import AuditResult, audit
from bus.contract.errors import ConfigurationError, JournalError, Problem
from bus.contract.settlement import Payment
from bus.link import MqttConnector
from bus.runtime.caller import Caller
from store.settings import Settings
from testing.load.arrivals import Arrivals
from testing.load.goods import (
    Ask,
    bring,
    for_sale,
    labels_of,
    pieces_for,
    products_of,
    styles_of,
    words_of,
)
from testing.load.load_counts import LoadCounts
from testing.load.order_checks import PATIENCE, check
from testing.load.plan import BUYING, LoadPlan
from testing.load.purchase_log import PurchaseLog
from testing.load.terminals import Customer, running_customer
from testing.load.visits import Choices, Visits

_NAME = "tester-load"
_BROUGHT = 20
"""How many styles are received: enough for variety, and quickly done."""


@dataclass(frozen=True, slots=True)
class Load:
    """A load to run, and where to run it."""

    plan: LoadPlan
    terminals: Sequence[str]
    payment: Payment
    stock: bool
    """Whether to receive goods and deposit money first."""
    durable: bool
    """Whether to run real terminals, with journals."""
    settle: float
    """Seconds to wait for reminders after the last answer."""
    url: str
    settings: Settings


@dataclass(slots=True)
class Outcome:
    """The outcome of a load."""

    counts: LoadCounts
    purchases: PurchaseLog = field(default_factory=PurchaseLog)
    wrong: list[str] = field(default_factory=list)
    """Where the store now contradicts what it told the load."""
    notes: list[str] = field(default_factory=list)
    stopped: bool = False
    """Whether it was ended early."""
    checked: bool = False
    """Whether the store was asked afterwards, and answered."""
    left: bool = False
    """Whether Ctrl-C was pressed again, so that nothing more was waited for."""


Tell = Callable[[str], None]
Watch = Callable[[LoadCounts], "asyncio.Task[None]"]


async def run_load(load: Load, tell: Tell, watch: Watch) -> Outcome:
    """Prepare, run the arrivals, wait for the reminders, and check.

    The first Ctrl-C ends the arrivals, the next one the waiting.

    Args:
        load: what to run.
        tell: shows people a sentence.
        watch: started with the arrivals, and cancelled with them.

    Raises:
        BrokerError: there is no broker.
        RoleTakenError: one of the terminals is online already.
        Problem: the store refuses the preparation, such as SoldOut.
    """
    settings = load.settings
    outcome = Outcome(LoadCounts(list(load.plan.mix)))
    purchases = outcome.purchases
    connector = MqttConnector(load.url)
    async with AsyncExitStack() as stack:
        caller = await stack.enter_async_context(
            Caller(connector, settings.site, _NAME, settings.runtime).connected()
        )
        customers: dict[str, Customer] = {}
        for name in load.terminals:
            customers[name] = await stack.enter_async_context(
                running_customer(name, load.url, settings, purchases.remind, durable=load.durable)
            )
        ask = partial(caller.ask, timeout=PATIENCE)
        choices, before = await _prepared(ask, load, tell)
        chance = random.Random()
        visits = Visits(choices, purchases, load.plan.patience, chance)
        if "order" in load.plan.mix:
            await visits.buy(next(iter(customers.values())))  # so that there is one to ask after
        arrivals = Arrivals(
            load.plan, visits.by_kind, list(customers.values()), outcome.counts, chance
        )
        async with _interrupted_by(arrivals.stop):
            watching = watch(outcome.counts)
            try:
                await arrivals.run()
            finally:
                watching.cancel()
        outcome.stopped = arrivals.stopped
        if outcome.counts.under_way:
            outcome.left = True
            outcome.notes.append("Left at once: what was under way then counts as no answer")
            return outcome
        async with asyncio.TaskGroup() as tasks:
            aftermath = tasks.create_task(_aftermath(ask, customers, before, load, outcome, tell))
            async with _interrupted_by(aftermath.cancel):
                await asyncio.wait({aftermath})
        if aftermath.cancelled():
            outcome.left = True
            outcome.notes.append("Left before the store was asked what it did")
    return outcome


async def _prepared(ask: Ask, load: Load, tell: Tell) -> tuple[Choices, Mapping[str, int]]:
    """What to choose from, and by SKU how many were available before the load."""
    plan = load.plan
    products = await products_of(ask)
    buys = bool(plan.share(BUYING | {"order"}))
    if buys and load.stock:
        tell("Bringing goods and money in.")
        known = styles_of(products)
        some = random.sample(known, min(_BROUGHT, len(known)))
        brought = await bring(ask, plan, some, load.payment)
        products = await products_of(ask)
        skus = {style.sku for style in brought}
    styles = for_sale(products) if buys else []
    if buys and load.stock:
        styles = [style for style in styles if style.sku in skus]
    left = sum(style.available for style in styles)
    if pieces_for(plan) > left:
        tell(
            f"About {pieces_for(plan)} purchases are to come and {left} pieces are left: the others"
            " will find them sold out (--stock brings goods in first)."
        )
    choices = Choices(labels_of(products), words_of(products), styles, load.payment)
    return choices, {style.sku: style.available for style in styles}


async def _aftermath(
    ask: Ask, customers: Mapping[str, Customer], before: Mapping[str, int],
    load: Load, outcome: Outcome, tell: Tell,
) -> None:  # fmt: skip
    """Wait for the reminders, then check the orders."""
    purchases = outcome.purchases
    try:
        async with asyncio.timeout(load.settle):
            if purchases.awaited:
                tell(f"Waiting until {len(purchases.awaited)} customers are reminded.")
            await purchases.all_reminded()
    except TimeoutError:
        outcome.notes.append(
            f"{len(purchases.awaited)} customers were not reminded within {load.settle:g} s"
            " (--settle) after the last answer: the sorters are still at work, or there are too few"
        )
    try:
        outcome.wrong += await check(ask, customers, purchases, before)
        outcome.checked = True
    except Problem as problem:
        outcome.notes.append(f"The store could not be asked what it did: {problem}")


@asynccontextmanager
async def _interrupted_by(stop: Callable[[], object]) -> AsyncIterator[None]:
    """Call `stop` on Ctrl-C within the block, instead of ending the command."""
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, stop)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)


def audit_books(folder: Path | None, outcome: Outcome) -> AuditResult | None:
    """Audit the books in a folder if possible; otherwise a note says why not."""
    if folder is None:
        outcome.notes.append(
            "The books were not audited, since they lie with the store: --data names its folder if"
            " that is on this machine"
        )
        return None
    if outcome.left:
        return None
    try:
        return audit([folder], running=True)
    except JournalError as error:
        outcome.wrong.append(f"The books cannot be read: {error}")
    except ConfigurationError as error:
        outcome.notes.append(f"The books were not audited: {error}")
    return None
