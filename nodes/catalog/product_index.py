"""The products as they are sold now, in memory: lookups and searches touch no database."""

import unicodedata
from collections import Counter
from collections.abc import Sequence

from bus.contract.catalog import Found, Product
from bus.contract.errors import Problem
from bus.contract.refusals import Retired
from nodes.catalog.code import in_one_spelling, read_code
from nodes.catalog.foreign import unregistered


class ProductIndex:
    """Finds products by label, GTIN and words; refreshed after each commit that changes one."""

    def __init__(self) -> None:
        self._products: dict[str, Product] = {}
        self._by_url: dict[str, str] = {}
        self._by_gtin: dict[str, tuple[str, str]] = {}
        self._by_sku: dict[str, str] = {}
        self._retired: dict[str, tuple[tuple[str, str], ...]] = {}
        """Of each product that has any, the SKU and GTIN of its retired styles."""
        self._words: dict[str, str] = {}
        self._hosts: Counter[str] = Counter()
        """How many labels lead to each host: those are this shop's."""

    def put(self, product: Product, retired: Sequence[tuple[str, str]] = ()) -> None:
        """Add a product, or replace it as it was.

        Args:
            product: with the styles that are sold; without any it is not found.
            retired: the SKU and GTIN of its styles that are not.
        """
        self._remove(product.id)
        self._products[product.id] = product
        self._by_url[in_one_spelling(product.url)] = product.id
        self._hosts[_host(product.url)] += 1
        for sku, gtin in retired:
            self._by_gtin[gtin] = (product.id, sku)
        if retired:
            self._retired[product.id] = tuple(retired)
        for style in product.styles:
            self._by_gtin[style.gtin] = (product.id, style.sku)
            self._by_sku[style.sku] = product.id
        if product.styles:
            self._words[product.id] = _searchable(
                " ".join(
                    [product.name, product.id, product.description]
                    + [
                        f"{style.sku} {' '.join(style.attributes.values())}"
                        for style in product.styles
                    ]
                )
            )

    def _remove(self, identifier: str) -> None:
        """Remove a product, if it is there."""
        old = self._products.get(identifier)
        if old is None:
            return
        label = in_one_spelling(old.url)
        if self._by_url.get(label) == identifier:  # another may have it by now
            del self._by_url[label]
        self._hosts[_host(old.url)] -= 1
        self._words.pop(identifier, None)
        codes = [*self._retired.pop(identifier, ())]
        codes += [(style.sku, style.gtin) for style in old.styles]
        for sku, gtin in codes:
            if self._by_gtin.get(gtin) == (identifier, sku):
                del self._by_gtin[gtin]
            if self._by_sku.get(sku) == identifier:
                del self._by_sku[sku]

    def level(self, sku: str, available: int) -> None:
        """Set how many of a style are left; its product has been put here before.

        Nothing is shown of how many there are of a retired style.
        """
        identifier = self._by_sku.get(sku)
        if identifier is None:
            return
        product = self._products[identifier]
        styles = [
            style.model_copy(update={"available": available}) if style.sku == sku else style
            for style in product.styles
        ]
        self._products[identifier] = product.model_copy(update={"styles": styles})

    def look_up(self, code: str) -> Found:
        """The product behind what a scanner gave.

        A style's own number takes precedence over a product's label that carries it as well.

        Raises:
            UnknownLabel: nothing is registered under it.
            Retired: the product is no longer sold.
            InvalidLink: the code breaks a rule of GS1 Digital Link.
        """
        labelled = self._by_url.get(in_one_spelling(code))
        try:
            read = read_code(code)
        except Problem:
            if labelled is None:
                raise
            return self._found(labelled, None)  # registered as it is, whatever it may be
        style = self._by_gtin.get(read.gtin or "") or self._by_gtin.get(read.or_gtin or "")
        if style is not None:
            return self._found(*style)
        labelled = labelled or self._by_url.get(in_one_spelling(read.url or ""))
        if labelled is None:
            host = _host(read.url or "")
            raise unregistered(host, read.gtin, ours=self._hosts[host] > 0)
        return self._found(labelled, None)

    def _found(self, identifier: str, scanned: str | None) -> Found:
        product = self._products[identifier]
        if not product.styles:
            raise Retired(f"{product.name} is no longer sold.", product=identifier)
        gone = scanned is not None and scanned not in self._by_sku
        return Found(
            product=product, scanned=None if gone else scanned, retired=scanned if gone else None
        )

    def search(self, text: str, limit: int, after: str | None = None) -> list[Product]:
        """Products that have all the words; those with a word in the name or as an SKU come first.

        With `after`, the products whose ids come after that one, in the order of their ids.
        """
        words = _searchable(text).split()
        found = [
            identifier
            for identifier, content in self._words.items()
            if all(word in content for word in words)
        ]
        if after is None:
            found.sort(key=lambda identifier: (not self._is_close(identifier, words), identifier))
        else:
            found = sorted(identifier for identifier in found if identifier > after)
        return [self._products[identifier] for identifier in found[:limit]]

    def _is_close(self, identifier: str, words: list[str]) -> bool:
        product = self._products[identifier]
        name = _searchable(product.name)
        skus = {style.sku.casefold() for style in product.styles}
        return any(word in name or word in skus for word in words)


def _searchable(text: str) -> str:
    """The text without differences of case and width, and without invisible characters."""
    normal = unicodedata.normalize("NFKC", text).casefold()
    return "".join(each for each in normal if unicodedata.category(each) != "Cf")


def _host(url: str) -> str:
    """The host with its port, in lower case; empty if the text is no URL."""
    return url.partition("://")[2].partition("/")[0].partition("?")[0].lower()
