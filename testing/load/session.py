"""A load from its first preparation to the last question about what came of it."""

import asyncio
import random
import signal
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

from bus.contract.errors import Problem
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
from testing.load.load_counts import Tally
from testing.load.order_checks import PATIENCE, check
from testing.load.plan import BUYING, Plan
from testing.load.purchase_log import Bought
from testing.load.terminals import Customer, running_customer
from testing.load.visits import Range, Visits

_NAME = "tester-load"
_BROUGHT = 20
"""How many styles are brought in: enough to buy different goods, and soon done."""


@dataclass(frozen=True, slots=True)
class Load:
    """What is to be done, and where."""

    plan: Plan
    terminals: Sequence[str]
    payment: Payment
    stock: bool
    """Bring goods and money in first."""
    durable: bool
    """Real terminals, with journals."""
    settle: float
    """Seconds that the reminders may take after the last answer."""
    url: str
    settings: Settings


@dataclass(slots=True)
class Outcome:
    """What came of it."""

    tally: Tally
    bought: Bought = field(default_factory=Bought)
    wrong: list[str] = field(default_factory=list)
    """What the store says otherwise than it told the load."""
    notes: list[str] = field(default_factory=list)
    stopped: bool = False
    """It was ended before its time."""
    checked: bool = False
    """Whether the store was asked afterwards, and answered."""
    left: bool = False
    """Ctrl-C was pressed again: nothing more is to be waited for."""


Tell = Callable[[str], None]
Watch = Callable[[Tally], "asyncio.Task[None]"]


async def run_load(load: Load, tell: Tell, watch: Watch) -> Outcome:
    """Prepare, let everybody arrive, wait for the reminders, and ask.

    The first Ctrl-C ends the arrivals, the next one the waiting.

    Args:
        load: what is to be done.
        tell: told what people should know now.
        watch: started with the arrivals, and cancelled with them.

    Raises:
        BrokerError: there is no broker.
        RoleTakenError: one of the terminals is online already.
        Problem: the store refuses what is needed before the load, such as SoldOut.
    """
    settings = load.settings
    outcome = Outcome(Tally(list(load.plan.mix)))
    bought = outcome.bought
    connector = MqttConnector(load.url)
    async with AsyncExitStack() as stack:
        caller = await stack.enter_async_context(
            Caller(connector, settings.site, _NAME, settings.runtime).connected()
        )
        customers: dict[str, Customer] = {}
        for name in load.terminals:
            customers[name] = await stack.enter_async_context(
                running_customer(name, load.url, settings, bought.remind, durable=load.durable)
            )
        ask = partial(caller.ask, timeout=PATIENCE)
        choices, before = await _prepared(ask, load, tell)
        chance = random.Random()
        visits = Visits(choices, bought, load.plan.patience, chance)
        if "order" in load.plan.mix:
            await visits.buy(next(iter(customers.values())))  # so that there is one to ask after
        arrivals = Arrivals(
            load.plan, visits.by_kind, list(customers.values()), outcome.tally, chance
        )
        async with _interrupted_by(arrivals.stop):
            watching = watch(outcome.tally)
            try:
                await arrivals.run()
            finally:
                watching.cancel()
        outcome.stopped = arrivals.stopped
        if outcome.tally.under_way:
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


async def _prepared(ask: Ask, load: Load, tell: Tell) -> tuple[Range, Mapping[str, int]]:
    """What there is to choose from, and by SKU how many were available."""
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
    choices = Range(labels_of(products), words_of(products), styles, load.payment)
    return choices, {style.sku: style.available for style in styles}


async def _aftermath(
    ask: Ask, customers: Mapping[str, Customer], before: Mapping[str, int],
    load: Load, outcome: Outcome, tell: Tell,
) -> None:  # fmt: skip
    """Let the store bring what was bought, then ask it."""
    bought = outcome.bought
    try:
        async with asyncio.timeout(load.settle):
            if bought.awaited:
                tell(f"Waiting until {len(bought.awaited)} customers are reminded.")
            await bought.all_reminded()
    except TimeoutError:
        outcome.notes.append(
            f"{len(bought.awaited)} customers were not reminded within {load.settle:g} s (--settle)"
            " after the last answer: the sorters are still at work, or there are too few"
        )
    try:
        outcome.wrong += await check(ask, customers, bought, before)
        outcome.checked = True
    except Problem as problem:
        outcome.notes.append(f"The store could not be asked what it did: {problem}")


@asynccontextmanager
async def _interrupted_by(stop: Callable[[], object]) -> AsyncIterator[None]:
    """Ctrl-C calls this within the block instead of ending the command."""
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, stop)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)
