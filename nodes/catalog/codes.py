"""All that goods are known by is one name space: labels, GTINs and SKUs. Pure.

A code has as many spellings as scanners accept; here each has one, so that it can be compared.
"""

from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from bus.contract.catalog import ProductRecord
from bus.contract.errors import Conflict, Problem
from nodes.catalog.code import in_one_spelling, read_code


@dataclass(frozen=True, slots=True)
class Owner:
    """Whom a code belongs to."""

    product: str
    sku: str | None
    """The style; none if it is on the product's label."""

    def is_other(self, other: "Owner") -> bool:
        """Whether two owners of one code are not the same goods."""
        styles = {self.sku, other.sku} - {None}
        return self.product != other.product or len(styles) > 1


@dataclass(frozen=True, slots=True)
class Code:
    """A code of a product or style."""

    spelling: str
    """The one that is compared: a GTIN of 14 digits, or a URL or SKU."""
    text: str
    """As it was given."""
    owner: Owner


def codes_of(record: ProductRecord) -> tuple[Code, ...]:
    """All codes that lead to a product."""
    label = Owner(record.id, None)
    found = [Code(each, record.url, label) for each in _spellings(record.url)]
    for style in record.styles:
        owner = Owner(record.id, style.sku)
        found.append(Code(style.gtin, style.gtin, owner))
        found += [Code(each, style.sku, owner) for each in _spellings(style.sku)]
    return tuple(found)


def refuse_taken(
    codes: Iterable[Code], before: Container[Code], owners: Mapping[str, Iterable[Owner]]
) -> None:
    """Look whether codes are free, or belong to whom they should.

    Args:
        codes: of a product as it is to be.
        before: as it is: those it keeps, whomever else they belong to in an older store.
        owners: who has each spelling now.

    Raises:
        Conflict: one belongs to other goods.
    """
    taken = {spelling: list(each) for spelling, each in owners.items()}
    for code in codes:
        there = taken.setdefault(code.spelling, [])
        for owner in there if code not in before else ():
            if owner.is_other(code.owner):
                name = owner.sku if owner.sku not in {None, code.text} else owner.product
                raise Conflict(f"{code.text} already belongs to {name}.", belongs_to=name)
        there.append(code.owner)


def _spellings(text: str) -> Iterator[str]:
    """The GTINs that a text carries; else the URL or text itself."""
    gtins: list[str] = []
    url = text
    with suppress(Problem):  # no code of any kind: registered as it is
        read = read_code(text)
        gtins = [gtin for gtin in (read.gtin, read.or_gtin) if gtin is not None]
        url = read.url or text
    yield from gtins
    if not gtins or "://" not in url:
        yield in_one_spelling(url)
