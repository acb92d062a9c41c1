"""Identify the delivery of a file, and what the store has already received of it.

The same name and content are the same delivery. If a file has the name of an earlier one and mostly
the same rows, but other content, it may be the same delivery, corrected, or another one: only a
person can tell.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bus.contract.channel import Operation
from bus.contract.delivery import Delivered, DeliveredBefore, Delivery
from bus.contract.errors import ConfigurationError
from bus.contract.settlement import DELIVERED as DEPOSITED
from bus.contract.warehouse import DELIVERED as RECEIVED
from bus.contract.wording import what_is_wrong
from store.shop.catalog_queries import Ask
from store.shop.reading_options import AmbiguousFile

_AT_ONCE = 100
_ASKED: dict[str, Operation[Any, Any]] = {"warehouse": RECEIVED, "settlement": DEPOSITED}


def delivery_of(file: Path, name: str | None) -> Delivery:
    """Return a file's delivery: the one that the user names, or the file's name and content.

    Raises:
        ConfigurationError: the name is not valid.
    """
    if name is not None:
        try:
            return Delivery(name=name)
        except ValidationError as error:
            raise ConfigurationError(f"--delivery: {what_is_wrong(error.errors()[0])}.") from error
    content = hashlib.sha256(file.read_bytes()).hexdigest()[:32]
    readable = "".join(sign if sign.isprintable() else "?" for sign in file.name)
    return Delivery(name=readable[-100:], content=content)


async def brought_before(
    ask: Ask, callee: str, file: Path, delivery: Delivery, amounts: Mapping[str, int]
) -> dict[str, DeliveredBefore]:
    """Return what the store has already received of a file's delivery, by item.

    Args:
        ask: sends a query to the store.
        callee: the role that keeps it: the warehouse or settlement.
        file: for the question.
        delivery: the file's.
        amounts: the amount of each item.

    Raises:
        AmbiguousFile: another file of this name brought at least half of the new items.
    """
    before: list[DeliveredBefore] = []
    items = list(amounts)
    for start in range(0, len(items), _AT_ONCE):
        asked = Delivered(**delivery.model_dump(), items=items[start : start + _AT_ONCE])
        before += (await ask(_ASKED[callee], callee, asked)).before
    if delivery.content is None:
        return {each.item: each for each in before}
    ours = {each.item: each for each in before if each.content in (None, delivery.content)}
    others = (each for each in before if each.item not in ours)
    same = [each for each in others if each.amount == amounts[each.item]]
    if same and 2 * len(same) >= len(items) - len(ours):
        raise AmbiguousFile(
            file,
            f"{len(same)} of its {len(items)} rows came with another {delivery.name} at"
            f" {max(each.at for each in same)}.",
            "delivery",
            [
                (delivery.name, "it is that delivery, corrected: only what is new is imported"),
                (another(delivery.name), "it is another delivery: all of it is imported"),
            ],
        )
    return ours


def another(name: str) -> str:
    """The name of the next delivery like this one: `monday-2` after `monday.csv`."""
    stem = name.removesuffix(".csv")
    head, _, number = stem.rpartition("-")
    return f"{head}-{int(number) + 1}" if head and number.isdigit() else f"{stem}-2"
