"""`storebus up` and `storebus node`: run a store, or one node of it."""

import asyncio
from contextlib import AsyncExitStack, nullcontext
from typing import Annotated, Any

import typer

from bus.contract.channel import role_of
from bus.contract.terminal import Remind
from bus.errors import ConfigurationError
from bus.link import MqttConnector
from bus.node import Place
from cli import options
from cli.address import broker_url, write_address
from cli.roles import acquirer_client, server_role, sorter_role
from cli.run import errors, output, run
from cli.settings import Settings, read_settings
from cli.shop.reader import read_shop
from cli.store import RunningStore, running_nodes, running_store
from cli.web import WebPort, with_web


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
    sorters: Annotated[int, typer.Option(min=0, help="How many of the shop's sorters.")] = 1,
    apart: Annotated[
        bool, typer.Option("--apart", help="Each role in a process of its own, on a core each.")
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
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(running_store(settings, sorters, apart=apart))
        write_address(settings.data, store.broker.url, store.broker.url_v311)
        url = ""
        if page:
            from devices.terminal.web.server import running_page  # noqa: PLC0415 - only here

            wanted = with_web(settings, {"port": web_port})
            served = running_page(
                store.place, wanted, store.shop.name, store.shop.domain,
                patience=settings.purchase_patience, any_port=web_port is None,
            )  # fmt: skip
            url = (await stack.enter_async_context(served)).url
        _greet(store, url)
        await asyncio.Event().wait()


def _greet(store: RunningStore, page: str) -> None:
    shop, broker = store.shop, store.broker
    styles = sum(len(product.styles) for product in shop.products)
    output.print(f"[bold]{shop.name}[/] is open: {len(shop.products)} products, {styles} styles.")
    output.print(f"  broker    {broker.engine}  {broker.url}")
    if broker.url_v311 != broker.url:
        output.print(f"            MQTT 3.1.1 at {broker.url_v311}")
    if broker.websocket_url:
        output.print(f"            MQTT over WebSocket at {broker.websocket_url}")
    output.print(f"  site      {store.settings.site}")
    output.print(f"  data      {store.settings.data}")
    if page:
        path = f"/01/{shop.products[0].styles[0].gtin}" if shop.products else ""
        output.print(f"  phones    {page}{path}", soft_wrap=True)
    if broker.notice:
        output.print(f"  note      {broker.notice}", soft_wrap=True)
    output.print("Try, in another terminal:")
    if shop.products:
        first = shop.products[0]
        output.print(f"  storebus scan terminal-7 {first.url}", soft_wrap=True)
        output.print(f"  storebus buy terminal-7 {first.styles[0].sku}=1 --pay account:C-1001")
    else:
        output.print("  storebus import products.csv stock.csv")
    for bad in shop.bad_rows:
        errors.print(f"{bad.file}:{bad.line}: {bad.reason}", soft_wrap=True, markup=False)
    if not shop.products:
        errors.print(
            "The shop's products.csv has no product that can be sold; what is wrong with its rows"
            " stands above. Mend them and import the file.",
            soft_wrap=True,
        )
    for row, problem in store.refusals:
        errors.print(f"{row}: {problem.detail}", soft_wrap=True, markup=False)


def node(
    name: Annotated[
        str, typer.Argument(help="catalog, settlement, warehouse, sorter-N, terminal-N")
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
            f"{name} is no node: catalog, settlement, warehouse, sorter-N or terminal-N."
        )
    place = Place(
        MqttConnector(broker_url(broker, settings)),
        settings.site,
        settings.data,
        settings.runtime,
    )
    run(_node(name, kind, place, settings))


async def _node(name: str, kind: str, place: Place, settings: Settings) -> None:
    if kind == "terminal":
        from devices.terminal.role import Terminal  # noqa: PLC0415 - see cli/roles.py

        await Terminal(name, place, _show, settings.purchase_patience).run()
        return
    shop = read_shop(settings.shop)
    cards = acquirer_client(settings) if kind == "settlement" else nullcontext()
    async with cards as acquirer:
        machine: Any = nullcontext()
        if kind == "sorter":
            machine = sorter_role(name, shop, settings)
        with machine as sorter:
            role = sorter or server_role(name, shop, acquirer, settings)
            async with running_nodes({name: role}, place):
                output.print(f"{name} is on {place.connector.description}, site {place.site}.")
                await asyncio.Event().wait()


def _show(reminder: Remind) -> None:
    output.print(
        f"[bold]Ready:[/] order {reminder.order} waits at {reminder.pickup_point_name};"
        f" pickup code [bold]{reminder.pickup_code}[/]"
    )
