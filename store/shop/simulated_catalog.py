"""A dry run: what a store would say to updates of its products, by its own rules. Sends nothing."""

from collections.abc import Iterable

from bus.contract.catalog import ProductRecord, ProductUpdate, Registered
from bus.contract.errors import Problem
from nodes.catalog.codes import Code, Owner, codes_of, refuse_taken
from nodes.catalog.registration import register


class SimulatedCatalog:
    """A store's products, and what updates would make of them.

    Args:
        products: as they are registered.
    """

    def __init__(self, products: Iterable[Registered]) -> None:
        self.products: dict[str, Registered] = {}
        """By id, including the updates so far."""
        self._codes: dict[str, tuple[Code, ...]] = {}
        self._owners: dict[str, set[Owner]] = {}
        for product in products:
            self._take(product, codes_of(product), product.retired)

    @property
    def skus(self) -> set[str]:
        """The SKUs of all styles, including retired ones."""
        return {style.sku for product in self.products.values() for style in product.styles}

    def retired(self, updates: Iterable[ProductUpdate]) -> list[str]:
        """Those of an update's styles that stay retired."""
        gone = {sku for product in self.products.values() for sku in product.retired}
        return [style.sku for each in updates for style in each.styles if style.sku in gone]

    def refusal(self, update: ProductUpdate) -> str | None:
        """Return why an update would be refused; otherwise apply it for those that follow."""
        known = self.products.get(update.id)
        before = self._codes.get(update.id, ())
        try:
            record = register(known, update)
            codes = codes_of(record)
            refuse_taken(codes, before, self._owners)
        except Problem as problem:
            return problem.detail
        self._take(record, codes, known.retired if known else [])
        return None

    def _take(self, record: ProductRecord, codes: tuple[Code, ...], retired: list[str]) -> None:
        for code in self._codes.get(record.id, ()):
            self._owners.get(code.spelling, set()).discard(code.owner)
        for code in codes:
            self._owners.setdefault(code.spelling, set()).add(code.owner)
        self._codes[record.id] = codes
        self.products[record.id] = Registered(**{**dict(record), "retired": retired})
