"""`storebus web`: the phone page alone, beside a running store."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated

import typer

from bus.contract.catalog import SEARCH, Search, SearchResult
from bus.contract.errors import Problem
from bus.link import MqttConnector
from bus.runtime.deployment import Deployment
from bus.text.console import output
from cli import options
from cli.run import run
from devices.terminal.web.settings import WebSettings
from store.address import broker_url
from store.settings import Settings, read_settings
from store.shop.reader import read_shop

WebPort = Annotated[
    int | None,
    typer.Option("--web-port", metavar="N", min=0, max=65535, help="Port of the phone page."),
]


def web(
    node: Annotated[str | None, typer.Argument(metavar="NODE", help="Such as web-1.")] = None,
    host: Annotated[
        str | None, typer.Option("--web-host", metavar="ADDRESS", help="Address it listens on.")
    ] = None,
    port: WebPort = None,
    broker: options.Broker = None,
    site: options.Site = None,
    data: options.Data = None,
    shop: options.ShopFile = None,
) -> None:
    """Serve the phone page: a label's URL shows the product, and the customer buys and is reminded.

    Example: storebus web web-2 --web-host 0.0.0.0 --web-port 8081
    """
    settings = read_settings(site=site, data=data, shop=shop)
    given = {"node": node, "host": host, "port": port}
    run(_web(settings, with_web(settings, given), broker_url(broker, settings)))


def with_web(settings: Settings, given: Mapping[str, object]) -> WebSettings:
    """Return the page's settings with a command's options."""
    return settings.web.model_copy(
        update={name: value for name, value in given.items() if value is not None}
    )


async def _web(settings: Settings, wanted: WebSettings, url: str) -> None:
    from devices.terminal.web.server import running_page  # noqa: PLC0415 - others need no HTTP

    shop = read_shop(settings.shop)
    deployment = Deployment(MqttConnector(url), settings.site, settings.data, settings.runtime)
    async with running_page(
        deployment, wanted, shop.name, shop.domain, patience=settings.purchase_patience
    ) as page:
        output.print(f"{wanted.node} serves the phone page at {page.url}/")
        with suppress(Problem):  # the store may come later
            found: SearchResult = await page.customers.node.ask(
                SEARCH, "catalog", Search(text="", limit=1)
            )
            for product in found.products:
                output.print(f"Try: {page.url}/01/{product.styles[0].gtin}", soft_wrap=True)
        await asyncio.Event().wait()
