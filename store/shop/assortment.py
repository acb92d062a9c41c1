"""What a store sells and where it is collected: asked of the store, or read from its files.

A shop's folder describes only how a store begins; its prices and products change later. So
everything that is shown or printed about a store comes from here, and from the folder only if there
is no store yet.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from bus.contract.catalog import Product, ProductRecord, Style
from bus.contract.errors import BrokenReply, BrokerError, ConfigurationError, NoAnswer
from bus.contract.values import Empty
from bus.contract.warehouse import PICKUP_POINTS, PickupPoint, PickupPoints
from bus.link import MqttConnector
from bus.runtime.caller import Caller
from bus.storage.journal import opened
from nodes.catalog import store as catalog
from nodes.catalog.product_index import ProductIndex
from nodes.catalog.store import SCHEMA as CATALOG
from nodes.settlement import store as settlement
from nodes.settlement.store import SCHEMA as SETTLEMENT
from store.address import broker_url, known_broker_url
from store.settings import Settings
from store.shop import SAMPLE
from store.shop.catalog_queries import products_of
from store.shop.reader import read_shop


@dataclass(frozen=True)
class Assortment:
    """What a store sells, and where it is collected."""

    source: str
    """Where this comes from, in words: `the store at mqtt://127.0.0.1:1883`."""
    products: tuple[Product, ...]
    """In the order of their ids, as sold now."""
    points: tuple[PickupPoint, ...]
    domain: str
    """The default domain of this store's links."""
    shelf: ProductIndex = field(default_factory=ProductIndex, compare=False)
    """Looks up codes and words as the catalog does."""

    def __post_init__(self) -> None:
        """Put all products into the index."""
        for product in self.products:
            self.shelf.put(product)


async def assortment_of(broker: str | None, settings: Settings, shop: Path | None) -> Assortment:
    """Ask the running store, else read its files, else a shop's folder if one was named.

    Args:
        broker: the broker's URL, if given.
        settings: the data folder and the rest.
        shop: a shop whose store was never opened, if given.

    Raises:
        BrokerError: there is no broker at the given URL.
        ConfigurationError: there is no store, or it sells nothing.
        JournalError: its files cannot be read.
    """
    found = await _of_store(broker, settings, guess=shop is None)
    if found is None and shop is None:
        raise ConfigurationError(
            f"No store answers at {broker_url(broker, settings)}, and {settings.data} holds none."
            " Start it (storebus up), say where it is (--data, --broker), or draw the labels of a"
            " shop before its first start: --shop FILE."
        )
    found = found or of_shop(settings.shop)
    if not found.products:
        raise ConfigurationError(
            f"There are no products in {found.source}; import them with storebus import FILE."
        )
    return found


async def _of_store(broker: str | None, settings: Settings, *, guess: bool) -> Assortment | None:
    """The assortment of a running or closed store; None if there is no store.

    Another store may run by now where a closed one was: a running store must match the files.

    Args:
        broker: the broker's URL, if given.
        settings: where its files are.
        guess: also try the usual address.
    """
    has_files = (settings.data / "catalog.db").exists()
    url = known_broker_url(broker, settings)
    if url is None and guess and not has_files:
        url = broker_url(broker, settings)
    files = of_files(settings) if has_files and broker is None else None
    try:
        running = await _of_running(url, settings) if url is not None else None
    except BrokenReply:
        raise
    except (BrokerError, NoAnswer):
        if broker is not None:
            raise
        return files
    if running and files and _registered(running) != _registered(files):
        raise ConfigurationError(
            f"{running.source} is not the one in {settings.data}, or is being changed: try again,"
            " or say which one is meant with --broker URL or --data DIR."
        )
    return running or files


def _registered(assortment: Assortment) -> list[ProductRecord]:
    """The products without what sales change."""
    return [ProductRecord.model_validate(each.model_dump()) for each in assortment.products]


async def _of_running(url: str, settings: Settings) -> Assortment:
    connector = MqttConnector(url)
    async with Caller(connector, settings.site, "tester-labels").connected() as caller:
        products = (await products_of(caller.ask)).values()
        points: PickupPoints = await caller.ask(PICKUP_POINTS, "warehouse", Empty())
    return Assortment(
        f"the store at {connector.description}",
        tuple(products),
        tuple(points.points),
        _domain(products, settings),
    )


def of_files(settings: Settings) -> Assortment:
    """Read a store's files, whether it runs or not.

    Raises:
        JournalError: they cannot be read.
    """
    with opened(settings.data / "catalog.db", CATALOG) as rows:
        found = (catalog.product(rows, identifier) for identifier in catalog.product_ids(rows))
        products = [product for product in found if product is not None and product.styles]
    points: PickupPoints | None = None
    if (settings.data / "settlement.db").exists():
        with opened(settings.data / "settlement.db", SETTLEMENT) as rows:
            points = settlement.pickup_points(rows)
    return Assortment(
        f"the store, from its files in {settings.data},",
        tuple(products),
        tuple(points.points) if points else (),
        _domain(products, settings),
    )


def of_shop(path: Path) -> Assortment:
    """Read a shop's folder, as it will be sold.

    Raises:
        ConfigurationError: it cannot be read.
    """
    shop = read_shop(path)
    products = sorted(map(as_sold, shop.products), key=lambda product: product.id)
    source = f"the shop in {path}, which has no store yet,"
    return Assortment(source, tuple(products), shop.pickup_points, shop.domain)


def as_sold(record: ProductRecord) -> Product:
    """A product as it will be sold, with nothing in stock yet."""
    styles = [Style(**dict(style), available=0) for style in record.styles]
    return Product(**{**dict(record), "styles": styles})


def _domain(products: Iterable[Product], settings: Settings) -> str:
    """The domain in the shop's file, if one is named; else the one that most labels have."""
    if settings.shop != SAMPLE:
        return read_shop(settings.shop).domain
    hosts = Counter(urlsplit(product.url).netloc for product in products)
    del hosts[""]
    return hosts.most_common(1)[0][0] if hosts else read_shop(SAMPLE).domain
