"""Labels, GTINs and SKUs share one name space: each code belongs to the same goods only. Pure.

Scanners accept several spellings of a code; here each code has one, so that codes can be compared.
"""

from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from bus.contract.catalog import ProductRecord
from bus.contract.errors import Conflict, Problem
from nodes.catalog.code import in_one_spelling, read_code


@dataclass(frozen=True, slots=True)
class Owner:
    """The goods that a code belongs to."""

    product: str
    sku: str | None
    """The style; None if the code is on the product's label."""

    def is_other(self, other: "Owner") -> bool:
        """Whether two owners of one code are different goods."""
        styles = {self.sku, other.sku} - {None}
        return self.product != other.product or len(styles) > 1


@dataclass(frozen=True, slots=True)
class Code:
    """A code of a product or style."""

    spelling: str
    """The spelling that is compared: a GTIN of 14 digits, a URL or an SKU."""
    text: str
    """As it was given."""
    owner: Owner


def codes_of(record: ProductRecord) -> tuple[Code, ...]:
    """All codes by which a product or one of its styles is found."""
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
    """Check that codes are free, or belong to the same goods already.

    Args:
        codes: of a product as it is to be.
        before: as it is; it keeps these, even if an older store gave them to other goods as well.
        owners: the present owners of each spelling.

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
    """The GTINs that a text carries and, if it carries none or is not a URL, the text itself."""
    gtins: list[str] = []
    url = text
    with suppress(Problem):  # no code of any kind: registered as it is
        read = read_code(text)
        gtins = [gtin for gtin in (read.gtin, read.or_gtin) if gtin is not None]
        url = read.url or text
    yield from gtins
    if not gtins or "://" not in url:
        yield in_one_spelling(url)
