"""All products in memory, as they are sold now: lookups and searches touch no database."""

import unicodedata
from collections import Counter
from collections.abc import Sequence

from bus.contract.catalog import Found, Product
from bus.errors import Problem, Retired
from nodes.catalog.code import ScannedCode, read_code
from nodes.catalog.foreign import unregistered


class Shelf:
    """Products by label, GTIN and words; refreshed after each commit that changed one."""

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
        """A product that is new or has changed.

        Args:
            product: with the styles that are sold; without any it is not found.
            retired: the SKU and GTIN of its styles that are not.
        """
        self._take_away(product.id)
        self._products[product.id] = product
        self._by_url[product.url] = product.id
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

    def _take_away(self, identifier: str) -> None:
        """What is known of a product is out of date."""
        old = self._products.get(identifier)
        if old is None:
            return
        self._by_url.pop(old.url, None)
        self._hosts[_host(old.url)] -= 1
        self._words.pop(identifier, None)
        for _, gtin in self._retired.pop(identifier, ()):
            self._by_gtin.pop(gtin, None)
        for style in old.styles:
            self._by_gtin.pop(style.gtin, None)
            self._by_sku.pop(style.sku, None)

    def level(self, sku: str, available: int) -> None:
        """There are now so many of a style; a product that is new is put here before.

        Of a retired style nobody is told how many there are.
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

        Raises:
            UnknownLabel: nothing is registered under it.
            Retired: what is, is no longer sold.
            InvalidLink: it breaks a rule of GS1 Digital Link.
        """
        registered = self._by_url.get(code)
        if registered is not None:
            return self._found(registered, self._style_on_label(code))
        read = read_code(code)
        registered, scanned = self._read(read)
        if registered is None:
            host = _host(read.url or "")
            raise unregistered(host, read.gtin, ours=self._hosts[host] > 0)
        return self._found(registered, scanned)

    def _found(self, identifier: str, scanned: str | None) -> Found:
        product = self._products[identifier]
        if not product.styles:
            raise Retired(f"{product.name} is no longer sold.", product=identifier)
        gone = scanned is not None and scanned not in self._by_sku
        return Found(
            product=product, scanned=None if gone else scanned, retired=scanned if gone else None
        )

    def _read(self, code: ScannedCode) -> tuple[str | None, str | None]:
        """The product and the style behind a code that no label carries letter by letter."""
        found = self._by_gtin.get(code.gtin or "") or self._by_gtin.get(code.or_gtin or "")
        by_gtin = found or (None, None)
        # Scheme and host may be in capitals, which make a smaller symbol.
        scheme, _, rest = (code.url or "").partition("://")
        url = f"{scheme.lower()}://{_host(code.url or '')}{rest[len(_host(code.url or '')) :]}"
        return (self._by_url[url], by_gtin[1]) if url in self._by_url else by_gtin

    def search(self, text: str, limit: int, after: str | None = None) -> list[Product]:
        """Products that have all the words, those with a word in the name or as SKU first.

        Those after a product come in the order of their ids.
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

    def _style_on_label(self, url: str) -> str | None:
        """The style whose GTIN a registered URL carries, if it is a GS1 Digital Link."""
        try:
            gtin = read_code(url).gtin
        except Problem:
            return None  # registered as it is, whatever else it may be
        found = self._by_gtin.get(gtin or "")
        return found[1] if found else None


def _searchable(text: str) -> str:
    """As it is compared with what people type: of any case and width, without what is not seen."""
    normal = unicodedata.normalize("NFKC", text).casefold()
    return "".join(each for each in normal if unicodedata.category(each) != "Cf")


def _host(url: str) -> str:
    """With its port, in small letters; empty if the text is no URL."""
    return url.partition("://")[2].partition("/")[0].partition("?")[0].lower()
