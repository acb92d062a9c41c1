"""Query a running store's products over the bus."""

from collections.abc import Awaitable, Callable
from typing import Any

from bus.contract.catalog import REGISTERED, SEARCH, Product, Registered, RegisteredQuery, Search

Ask = Callable[..., Awaitable[Any]]
_AT_ONCE = 100


async def products_of(ask: Ask) -> dict[str, Product]:
    """Return all products that are sold, by id."""
    found: dict[str, Product] = {}
    last = ""
    while True:
        search = Search(text="", limit=_AT_ONCE, after=last)
        page = [each for each in (await ask(SEARCH, "catalog", search)).products if each.id > last]
        if not page:
            return found
        found |= {product.id: product for product in page}
        last = page[-1].id


async def registered_of(ask: Ask) -> dict[str, Registered]:
    """Return all products with all their styles, sold or retired, by id."""
    found: dict[str, Registered] = {}
    last = ""
    while page := (await ask(REGISTERED, "catalog", RegisteredQuery(after=last))).products:
        found |= {product.id: product for product in page}
        last = page[-1].id
    return found
