"""`storebus up` and `storebus node`: run a store, or one node of it."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack, nullcontext
from typing import Annotated, Any

import typer
from rich.text import Text

from bus.contract.catalog import Product, Registered
from bus.contract.channel import role_of
from bus.contract.errors import ConfigurationError, Problem
from bus.contract.terminal import Remind
from bus.link import MqttConnector
from bus.runtime.caller import Caller
from bus.runtime.deployment import Deployment
from bus.text.console import errors, output
from bus.text.safe import visible
from cli import completion, options
from cli.run import run
from cli.web import WebPort, with_web
from store.address import broker_url, write_address
from store.composition import RunningStore, running_nodes, running_store
from store.roles import acquirer_client, roles_of_shop, sorter_role
from store.settings import Settings, read_settings
from store.shop.catalog_queries import products_of, registered_of
from store.shop.differences import differences
from store.shop.reader import read_shop

_MOST_DIFFERENCES = 20
"""How many differences are listed at a start."""


def up(
    engine: options.Engine = None,
    host: options.Host = None,
    port: options.Port = None,
    websocket_port: options.WebsocketPort = None,
    url: Annotated[
        str | None, typer.Option("--url", metavar="URL", help="Broker for --engine external.")
    ] = None,
    data: options.Data = None,
    site: options.Site = None,
    shop: options.ShopFile = None,
    speed: options.Speed = None,
    sorters: Annotated[int, typer.Option(min=0, help="How many of the shop's sorters to run.")] = 1,
    apart: Annotated[
        bool, typer.Option("--apart", help="Run each role in a process, and on a core, of its own.")
    ] = False,
    page: Annotated[bool, typer.Option("--web/--no-web", help="Serve the phone page.")] = True,
    web_port: WebPort = None,
) -> None:
    """Run a whole store with one command: broker, three roles, a sorter and the phone page.

    Example: storebus up --port 1884 --data /var/lib/storebus
    """
    settings = read_settings(
        broker_engine=engine,
        broker_host=host,
        broker_port=port,
        broker_websocket_port=websocket_port,
        broker_url=url,
        data=data,
        site=site,
        shop=shop,
        speed=speed,
    )
    run(_up(settings, sorters, apart=apart, page=page, web_port=web_port))


async def _up(
    settings: Settings, sorters: int, *, apart: bool, page: bool, web_port: int | None
) -> None:
    try:
        async with AsyncExitStack() as stack:
            store = await stack.enter_async_context(running_store(settings, sorters, apart=apart))
            write_address(settings.data, store.broker.url, store.broker.url_v311)
            url = ""
            if page:
                from devices.terminal.web.server import running_page  # noqa: PLC0415 - only here

                wanted = with_web(settings, {"port": web_port})
                served = running_page(
                    store.deployment, wanted, store.shop.name, store.shop.domain,
                    patience=settings.purchase_patience, any_port=web_port is None,
                )  # fmt: skip
                url = (await stack.enter_async_context(served)).url
            sold, registered = await _products(store)
            _greet(store, sold, url)
            if registered and not store.is_new:
                _tell_differences(store, registered)
            await asyncio.Event().wait()
    except asyncio.CancelledError:
        output.print("The store is closed; unfinished work continues at its next start.")
        raise


async def _products(store: RunningStore) -> tuple[list[Product], list[Registered]]:
    """What the store sells, and everything registered in it, retired or not.

    Both are empty if the catalog is too busy, for example after a crash.
    """
    async with Caller(
        store.deployment.connector, store.deployment.site, "tester-up"
    ).connected() as caller:
        try:
            sold, registered = await products_of(caller.ask), await registered_of(caller.ask)
        except Problem as problem:
            _warn(
                f"The catalog has not answered yet, so the products are not shown: {problem.detail}"
            )
            return [], []
    return list(sold.values()), list(registered.values())


def _greet(store: RunningStore, products: Sequence[Product], page: str) -> None:
    """Print what the store has, how to reach it, and where the shop's files differ."""
    shop, broker = store.shop, store.broker
    styles = sum(len(product.styles) for product in products)
    sold = f" is open: {len(products)} products, {styles} styles."
    output.print(Text.assemble((shop.name, "bold"), sold))
    output.print(f"  broker    {broker.engine}  {broker.url}")
    if broker.url_v311 != broker.url:
        output.print(f"            MQTT 3.1.1 at {broker.url_v311}")
    if broker.websocket_url:
        output.print(f"            MQTT over WebSocket at {broker.websocket_url}")
    output.print(f"  site      {store.settings.site}")
    output.print(f"  data      {store.settings.data}")
    known = {product.id: product for product in products}
    first = next((known[each.id] for each in shop.products if each.id in known), None)
    first = first or next(iter(products), None)
    if page:
        path = f"/01/{first.styles[0].gtin}" if first else "/"
        output.print(f"  phones    {page}{path}", soft_wrap=True)
    if broker.notice:
        output.print(f"  note      {broker.notice}", soft_wrap=True)
    output.print("Try, in another terminal:")
    if first is None:
        output.print("  storebus import products.csv stock.csv")
    else:
        account = next((each.account for each in shop.accounts), "C-1001")
        output.print(f"  storebus scan terminal-7 {first.url}", markup=False, soft_wrap=True)
        output.print(f"  storebus buy terminal-7 {first.styles[0].sku}=1 --pay account:{account}")
    _tell_refused(store)


def _tell_refused(store: RunningStore) -> None:
    """Print what the store refused of the shop's files."""
    shop = store.shop
    for bad in shop.bad_rows:
        _warn(f"{bad.file}:{bad.line}: {bad.reason}")
    if not shop.products:
        _warn(
            "The shop's products.csv has no product that can be sold. The errors in its rows are"
            " listed above: correct them and import the file."
        )
    for row, problem in store.refusals:
        _warn(f"{row}: {problem.detail}")
    if store.refusals:
        _warn("Refused rows were not imported: correct them, and use storebus import.")


def _tell_differences(store: RunningStore, products: Sequence[Registered]) -> None:
    folder = store.settings.shop_folder
    found = differences(store.shop.products, products)
    if found:
        _warn(f"The files in {folder} and the store differ. The store's values count:")
        for line in found[:_MOST_DIFFERENCES]:
            _warn(f"  {visible(line)}")
        if len(found) > _MOST_DIFFERENCES:
            _warn(f"  ... and {len(found) - _MOST_DIFFERENCES} more")
        _warn(
            f"To import the files' values: storebus import {folder / 'products.csv'}"
            f" --shop {folder} --data {store.settings.data}. To keep the store's: change the files."
        )
    for name in store.changed:
        _warn(
            f"{folder / name} has changed since it was imported, without effect: put what is"
            " new into a file of its own, and use storebus import."
        )


def _warn(line: str) -> None:
    errors.print(line, soft_wrap=True, markup=False)


def node(
    name: Annotated[
        str,
        typer.Argument(
            help="catalog, settlement, warehouse, sorter-N, terminal-N",
            autocompletion=completion.runnable,
        ),
    ],
    broker: options.Broker = None,
    site: options.Site = None,
    data: options.Data = None,
    shop: options.ShopFile = None,
    speed: options.Speed = None,
) -> None:
    """Run one node alone against a broker.

    Example: storebus node sorter-2 --broker mqtt://127.0.0.1:1883 --speed 10
    """
    settings = read_settings(site=site, data=data, shop=shop, speed=speed)
    kind = role_of(name)
    if kind not in ("catalog", "settlement", "warehouse", "sorter", "terminal"):
        raise ConfigurationError(
            f"{name} is not a node: catalog, settlement, warehouse, sorter-N or terminal-N."
        )
    deployment = Deployment(
        MqttConnector(broker_url(broker, settings)),
        settings.site,
        settings.data,
        settings.runtime,
    )
    run(_node(name, kind, deployment, settings))


async def _node(name: str, kind: str, deployment: Deployment, settings: Settings) -> None:
    if kind == "terminal":
        from devices.terminal.role import Terminal  # noqa: PLC0415
        from store.terminal import show_outcome  # noqa: PLC0415 - see store/roles.py

        patience = settings.purchase_patience
        await Terminal(name, deployment, _show, patience, learned=show_outcome).run()
        return
    shop = read_shop(settings.shop)
    cards = acquirer_client(settings) if kind == "settlement" else nullcontext()
    async with cards as acquirer:
        machine: Any = nullcontext()
        if kind == "sorter":
            machine = sorter_role(name, shop, settings)
        with machine as sorter:
            role = sorter or roles_of_shop(shop, settings, acquirer).role(name)
            async with running_nodes({name: role}, deployment):
                output.print(
                    f"{name} is on {deployment.connector.description}, site {deployment.site}."
                )
                await asyncio.Event().wait()


def _show(reminder: Remind) -> None:
    where = f" order {reminder.order} waits at {reminder.pickup_point_name}; pickup code "
    output.print(Text.assemble(("Ready:", "bold"), where, (reminder.pickup_code, "bold")))
