"""Goods that have left their shelves and are to be put back. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bus.contract.catalog import Line
from bus.contract.refusals import WrongState
from bus.contract.sorter import PickLine
from nodes.warehouse.domain import sums


@dataclass(frozen=True, slots=True)
class GoodsReturn:
    """Goods that have left their locations and are to be put back with `receive`."""

    parcel: str
    job: str
    order: str
    lines: tuple[Line, ...]
    place: str | None = None
    """The sorter or pickup point where they lie; None if an older Storebus wrote them."""


def split_taken(
    picks: Sequence[PickLine], taken: Sequence[Line]
) -> tuple[tuple[PickLine, ...], tuple[Line, ...]]:
    """Which part of the picks still lies at its location, and which has left it.

    Args:
        picks: where the goods of a superseded assignment were to be taken from.
        taken: what the sorter reports it had taken; only what is in the picks counts.
    """
    left = sums(taken)
    there: list[PickLine] = []
    gone: dict[str, int] = {}
    for pick in picks:
        moved = min(pick.quantity, left.get(pick.sku, 0))
        if moved:
            left[pick.sku] -= moved
            gone[pick.sku] = gone.get(pick.sku, 0) + moved
        if moved < pick.quantity:
            there.append(pick.model_copy(update={"quantity": pick.quantity - moved}))
    lines = tuple(Line(sku=sku, quantity=quantity) for sku, quantity in gone.items())
    return tuple(there), lines


def put_back(goods: GoodsReturn, sku: str, quantity: int) -> GoodsReturn:
    """Some of the goods are back on a shelf; returns the rest.

    Raises:
        WrongState: fewer of these are to be put back.
    """
    left = sums(goods.lines)
    if left.get(sku, 0) < quantity:
        raise WrongState(
            f"Of {goods.parcel}, {left.get(sku, 0)} of {sku} are to be put back.", left=left
        )
    left[sku] -= quantity
    lines = tuple(Line(sku=sku, quantity=count) for sku, count in left.items() if count)
    return replace(goods, lines=lines)
