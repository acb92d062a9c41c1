"""The tax included in prices. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TaxLine:
    """The tax that the prices of one rate include."""

    rate: int
    """In basis points."""
    gross: int
    """The amount paid at this rate, tax included, in minor units."""
    tax: int
    """The tax in it, in minor units."""


def taxes(lines: Iterable[tuple[int | None, int]]) -> list[TaxLine]:
    """The tax included, per rate, highest rate first: rounded half up, once per rate.

    Args:
        lines: the rate in basis points (None if the price names none) and the amount of each
            line. See docs/adr/0011.
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
