"""What a person should hear of rows that are in: goods were added, what is retired stays so."""

from collections.abc import Iterator, Sequence

from bus.contract.warehouse import BinLevel

_SHOWN = 5
"""How many rows are named one by one that were added to goods that lay there."""


def on_added(added: Sequence[BinLevel]) -> Iterator[str]:
    """Of goods that were put to others of their style, and how to count instead."""
    for level in added[:_SHOWN]:
        yield f"{level.sku} at {level.location}: added to what lay there, {level.quantity} now."
    if added:
        more = len(added) - _SHOWN
        also = f"... and {more} more. " if more > 0 else ""
        yield f"{also}{how_to_count(added[0].sku, added[0].location)}"


def on_retired(skus: Sequence[str]) -> Iterator[str]:
    """Of styles that are registered and not sold."""
    for sku in skus:
        yield f"{sku} stays retired. To sell it again: storebus retire {sku} --back --why TEXT"


def on_other_names(accounts: Sequence[str]) -> Iterator[str]:
    """Of money for accounts that are other customers', by the name beside the number."""
    if accounts:
        yield (
            "Look whether the account's number is right. If the customer has another name now:"
            f" storebus account rename {accounts[0]} NAME --why TEXT"
        )


def how_to_count(sku: str = "SKU", location: str = "LOCATION") -> str:
    """What to do where goods are fewer than the books say."""
    return (
        "An import only adds goods. To have the books say what was counted instead:"
        f" storebus stock count {sku}=PIECES --location {location} --why TEXT"
    )
