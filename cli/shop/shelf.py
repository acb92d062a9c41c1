"""What a running store has on its shelves, asked over the bus."""

from collections.abc import Awaitable, Callable
from typing import Any

from bus.contract.catalog import SEARCH, Product, Search

Ask = Callable[..., Awaitable[Any]]
_AT_ONCE = 100


async def products_of(ask: Ask) -> dict[str, Product]:
    """All products of the store, by their ids."""
    found: dict[str, Product] = {}
    last = ""
    while True:
        search = Search(text="", limit=_AT_ONCE, after=last)
        page = [each for each in (await ask(SEARCH, "catalog", search)).products if each.id > last]
        if not page:
            return found
        found |= {product.id: product for product in page}
        last = page[-1].id
