"""A whole store: broker, acquirer, the three roles and sorters."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from broker.engine import Broker, running_broker
from bus.contract.catalog import ProductUpdate
from bus.contract.channel import ROLES, Operation
from bus.contract.delivery import Delivery
from bus.contract.errors import first_error
from bus.contract.every import ABOUT
from bus.contract.values import Empty, Model
from bus.link import MqttConnector
from bus.runtime.caller import Caller
from bus.runtime.deployment import Deployment
from bus.runtime.node import Node
from bus.runtime.role import Role
from bus.storage.lock import hold
from bus.storage.private import write_text
from bus.text.console import output
from store.role_processes import role_processes
from store.roles import acquirer_client, server_roles, sorter_role
from store.settings import Settings, remember_shop
from store.shop.catalog_queries import registered_of
from store.shop.reader import Shop, read_shop
from store.shop.seeding import IMPORTER, Refusal, Seeding

_SEEDED = "shop-imported"
"""The marker file with the imported files' digests; empty until the whole shop is imported."""
_ONCE = ("stock.csv", "accounts.csv")
"""The shop's files that are imported once and cannot be compared with the store later."""


@dataclass(frozen=True, slots=True)
class RunningStore:
    """A store that is running."""

    settings: Settings
    shop: Shop
    broker: Broker
    deployment: Deployment
    refusals: tuple[Refusal, ...]
    """What the store refused of the shop's files at its first start."""
    is_new: bool = False
    """Whether this is the first start: the shop was just imported."""
    changed: tuple[str, ...] = ()
    """The shop's files of goods and accounts that have changed since they were imported."""


@asynccontextmanager
async def running_store(
    settings: Settings, sorters: int = 1, *, apart: bool = False
) -> AsyncIterator[RunningStore]:
    """Run a store; all its nodes answer inside the context.

    The first start on a data folder imports the shop's products, goods and accounts.

    Args:
        settings: the store's.
        sorters: how many of the shop's sorters to run.
        apart: run each role in a process of its own.

    Raises:
        RoleEndedError: a role in its own process did not start, or ended.
        BrokerError: the broker cannot be started or reached.
        RoleTakenError: another store runs on this data folder or site.
        ConfigurationError: the shop's files are invalid.
    """
    shop = read_shop(settings.shop)
    async with AsyncExitStack() as stack:
        stack.callback(os.close, hold(settings.data / "store.lock"))
        _tell_new(settings.data)
        remember_shop(settings)
        broker = await stack.enter_async_context(
            running_broker(settings.broker, settings.data, output.print)
        )
        deployment = Deployment(
            MqttConnector(broker.url), settings.site, settings.data, settings.runtime
        )
        roles: dict[str, Role] = {}
        if apart:
            await stack.enter_async_context(role_processes(sorted(ROLES), broker.url, settings))
        else:
            acquirer = await stack.enter_async_context(acquirer_client(settings))
            roles = server_roles(shop, acquirer, settings)
        for sorter in shop.sorters[:sorters]:
            roles[sorter.name] = stack.enter_context(sorter_role(sorter.name, shop, settings))
        await stack.enter_async_context(running_nodes(roles, deployment))
        is_new = not _is_seeded(settings.data)
        refusals = await _seed(shop, deployment, settings) if is_new else ()
        changed = () if is_new else _changed(settings)
        yield RunningStore(settings, shop, broker, deployment, refusals, is_new, changed)


async def until_quiet(
    ask: Callable[[Operation[Any, Any], str, Model], Awaitable[Any]],
    names: Iterable[str],
    is_busy: Callable[[], bool] = lambda: False,
) -> None:
    """Wait until no node has anything left to do, so that the books can be checked.

    Work moves from node to node, so all must be idle twice in a row.

    Args:
        ask: sends a query to a node.
        names: all nodes that may have something to do.
        is_busy: whether there is other work; called after each round of questions.
    """
    names = list(names)
    quiet = 0
    while quiet < 2:  # noqa: PLR2004 - see above
        abouts = [await ask(ABOUT, name, Empty()) for name in names]
        quiet = 0 if is_busy() or any(about.outbox for about in abouts) else quiet + 1
        await asyncio.sleep(0.01 if not quiet else 0)


@asynccontextmanager
async def running_nodes(
    roles: Mapping[str, Role], deployment: Deployment
) -> AsyncIterator[list[Node]]:
    """Run nodes; all of them answer inside the context, and shut down at its end."""
    nodes = [Node(name, role, deployment) for name, role in roles.items()]
    try:
        async with asyncio.TaskGroup() as tasks:
            for node in nodes:
                tasks.create_task(node.run(), name=node.name)
            for node in nodes:
                await node.ready.wait()
            try:
                yield nodes
            finally:
                for node in nodes:
                    node.stop()
    except ExceptionGroup as group:
        raise first_error(group) from None


def _tell_new(data: Path) -> None:
    """Say whether this is a new store (no database at all) or one that has lost some databases."""
    missing = sorted(role for role in ROLES if not (data / f"{role}.db").exists())
    if len(missing) == len(ROLES):
        output.print(f"A new store begins in {data}: there is no database yet.", soft_wrap=True)
    elif missing:
        output.print(
            f"{data} has no database of {', '.join(missing)} any more: it starts empty, and does"
            " not know what the others know. If it was moved, close the store and put it back.",
            soft_wrap=True,
        )


def _is_seeded(data: Path) -> bool:
    marker = data / _SEEDED
    return marker.exists() and bool(marker.read_text())


async def _seed(shop: Shop, deployment: Deployment, settings: Settings) -> tuple[Refusal, ...]:
    """Import the shop at the first start; continue here if an earlier start was interrupted.

    A final refusal is reported once and not sent again.
    """
    marker = settings.data / _SEEDED
    begun, digests = marker.exists(), _digests(settings)
    async with Caller(deployment.connector, deployment.site, IMPORTER).connected() as caller:
        seeding = Seeding(caller, Delivery(name=f"the first start of {shop.name}"[:100]))
        known = await registered_of(caller.ask)
        new = [product for product in shop.products if product.id not in known]
        # An older Storebus imported goods and money without their delivery.
        counts = begun or not known
        write_text(marker, "")
        await seeding.products([ProductUpdate.model_validate(product) for product in new])
        if counts:
            await seeding.stock(shop.stock)
            await seeding.accounts(shop.accounts, shop.currency)
    if not any(problem.to_data().retryable for _, problem in seeding.refusals):
        lines = [shop.name, *(f"{digest}  {name}" for name, digest in digests.items())]
        write_text(marker, "\n".join(lines) + "\n")
    return tuple(seeding.refusals)


def _changed(settings: Settings) -> tuple[str, ...]:
    """The files that changed since they were imported; older stores kept no digests."""
    _, *lines = (settings.data / _SEEDED).read_text().splitlines() or [""]
    then = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    return tuple(name for name, now in _digests(settings).items() if then.get(name, now) != now)


def _digests(settings: Settings) -> dict[str, str]:
    files = (settings.shop_folder / name for name in _ONCE)
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
