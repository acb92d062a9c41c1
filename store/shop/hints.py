"""Hints about rows that were imported: goods that were added, styles that stay retired."""

from collections.abc import Iterator, Sequence

from bus.contract.warehouse import BinLevel

_SHOWN = 5
"""How many rows whose goods were added to others are named one by one."""


def on_added(added: Sequence[BinLevel]) -> Iterator[str]:
    """Hints about goods that were added to others of their style, and how to count them."""
    for level in added[:_SHOWN]:
        yield f"{level.sku} at {level.location}: added to what was there, now {level.quantity}."
    if added:
        more = len(added) - _SHOWN
        also = f"... and {more} more. " if more > 0 else ""
        yield f"{also}{how_to_count(added[0].sku, added[0].location)}"


def on_retired(skus: Sequence[str]) -> Iterator[str]:
    """Hints about styles that are registered but not sold."""
    for sku in skus:
        yield f"{sku} stays retired. To sell it again: storebus retire {sku} --back --why TEXT"


def on_other_names(accounts: Sequence[str]) -> Iterator[str]:
    """A hint about money for an account that has another customer's name."""
    if accounts:
        yield (
            "Check the account's number. If the customer has a new name:"
            f" storebus account rename {accounts[0]} NAME --why TEXT"
        )


def how_to_count(sku: str = "SKU", location: str = "LOCATION") -> str:
    """What to do if there are fewer goods than the books say."""
    return (
        "An import only adds goods. To set the books to what was counted:"
        f" storebus stock count {sku}=PIECES --location {location} --why TEXT"
    )
