"""The tax that prices include, as receipts tell it. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TaxLine:
    """The tax that the prices of one rate include."""

    rate: int
    """In basis points."""
    gross: int
    """What was paid at this rate, in minor units."""
    tax: int
    """Of that, the tax."""


def taxes(lines: Iterable[tuple[int | None, int]]) -> list[TaxLine]:
    """The tax included, per rate: of the sum of a rate's lines, rounded once, half up.

    Args:
        lines: the rate, none if the price names none, and what the line costs. See docs/adr/0011.
    """
    sums: dict[int, int] = {}
    for rate, gross in lines:
        if rate is not None:
            sums[rate] = sums.get(rate, 0) + gross
    return [
        TaxLine(rate, gross, (2 * gross * rate + 10_000 + rate) // (2 * (10_000 + rate)))
        for rate, gross in sorted(sums.items(), reverse=True)
    ]


def rate_text(basis_points: int) -> str:
    """A tax rate in per cent: `20 %`, `5.5 %`."""
    whole, part = divmod(basis_points, 100)
    decimals = f".{part:02}".rstrip("0") if part else ""
    return f"{whole}{decimals} %"
