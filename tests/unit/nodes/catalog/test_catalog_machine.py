"""Any number of orders in any order of events: the catalog's books always balance."""

from collections import Counter
from contextlib import ExitStack

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from unit_rows import tables

from bus.contract.catalog import Line, ProductRecord
from bus.contract.errors import InvalidField
from bus.contract.refusals import SoldOut, WrongState
from bus.contract.values import check_digit
from nodes.catalog import domain, store
from nodes.catalog.codes import codes_of
from nodes.catalog.store import SCHEMA as CATALOG

SKUS = ["SHIRT", "COAT", "HAT"]
OPENING = 4
ORDERS = st.sampled_from([f"o-{number}" for number in range(5)])
WANTED = st.dictionaries(st.sampled_from(SKUS), st.integers(1, 3), min_size=1)


def _product(place: int, sku: str) -> ProductRecord:
    digits = f"{place:013}"
    return ProductRecord.model_validate(
        {
            "id": sku.lower(),
            "name": sku,
            "url": f"urn:{sku}",
            "styles": [
                {
                    "sku": sku,
                    "gtin": digits + str(check_digit(digits)),
                    "attributes": {},
                    "price": {"amount": 100, "currency": "EUR"},
                }
            ],
        }
    )


class Books(RuleBasedStateMachine):
    """The catalog beside a model that only counts: orders' states and wanted quantities."""

    def __init__(self) -> None:
        super().__init__()
        self._exit = ExitStack()
        self.rows = self._exit.enter_context(tables(CATALOG))
        self.now = 0
        self.states: dict[str, str] = {}
        self.wanted: dict[str, dict[str, int]] = {}
        self.came = Counter(dict.fromkeys(SKUS, OPENING))
        self.gone = Counter[str]()
        for place, sku in enumerate(SKUS):
            record = _product(place, sku)
            store.upsert(self.rows, record, codes_of(record))
            opened = domain.restock(store.stock_or_refuse(self.rows, sku), OPENING)
            store.save_stock(self.rows, [opened])

    def teardown(self) -> None:
        """Close the tables."""
        self._exit.close()

    @rule(order=ORDERS, wanted=WANTED)
    def reserve(self, order: str, wanted: dict[str, int]) -> None:
        """An order asks for goods, perhaps again, perhaps too much."""
        lines = [Line(sku=sku, quantity=quantity) for sku, quantity in wanted.items()]
        free = {sku: self._free(sku) for sku in wanted}
        short = {sku: left for sku, left in free.items() if wanted[sku] > left}
        state = self.states.get(order)
        again = state == "held" and list(wanted.items()) == list(self.wanted[order].items())
        stock, existing = store.stock(self.rows, wanted), store.reservation(self.rows, order)
        if again or (state is None and not short):
            self._save(domain.reserve(order, lines, stock, existing))
            self.states[order], self.wanted[order] = "held", wanted
        elif state is None:
            with pytest.raises(SoldOut) as caught:
                domain.reserve(order, lines, stock, existing)
            assert caught.value.more == {"available": short}
        else:
            with pytest.raises(WrongState):
                domain.reserve(order, lines, stock, existing)

    @rule(order=ORDERS)
    def commit(self, order: str) -> None:
        """An order is paid."""
        allowed = self.states.get(order) in ("held", "committed")
        assert self._settle(order, domain.commit) == allowed
        if allowed:
            self.states[order] = "committed"

    @rule(order=ORDERS)
    def release(self, order: str) -> None:
        """An order is undone: before it ever came, while it is held, or when its goods are back."""
        assert self._settle(order, domain.release)
        self.states[order] = "released"

    @rule(sku=st.sampled_from(SKUS), quantity=st.integers(1, 5))
    def restock(self, sku: str, quantity: int) -> None:
        """Goods come in."""
        stock = domain.restock(store.stock_or_refuse(self.rows, sku), quantity)
        store.save_stock(self.rows, [stock])
        self.came[sku] += quantity

    @rule(order=ORDERS, sku=st.sampled_from(SKUS), quantity=st.integers(1, 3))
    def release_some(self, order: str, sku: str, quantity: int) -> None:
        """Some of what an order holds cannot be had."""
        state, held = self.states.get(order), self.wanted.get(order, {})
        existing, lines = store.reservation(self.rows, order), [Line(sku=sku, quantity=quantity)]
        skus = [line.sku for line in existing.lines] if existing else []
        stock = store.stock(self.rows, skus)
        if state is None:
            with pytest.raises(WrongState):
                domain.release_some(order, lines, existing, stock)
        elif state != "released" and quantity > held.get(sku, 0):
            with pytest.raises(InvalidField):
                domain.release_some(order, lines, existing, stock)
        else:
            decision = domain.release_some(order, lines, existing, stock)
            self._save(decision)
            store.save_lines(self.rows, decision.reservation)
            if state != "released":
                left = {**held, sku: held[sku] - quantity}
                self.wanted[order] = {each: count for each, count in left.items() if count}

    @rule(sku=st.sampled_from(SKUS), quantity=st.integers(1, 3))
    def write_off(self, sku: str, quantity: int) -> None:
        """Pieces that are not sold yet turn out not to be there."""
        there = self.came[sku] - self.gone[sku] - self._sum(sku, "committed")
        if quantity <= there:
            stock = domain.write_off(store.stock_or_refuse(self.rows, sku), quantity)
            store.save_stock(self.rows, [stock])
            self.gone[sku] += quantity

    @invariant()
    def the_books_balance(self) -> None:
        """What came in is on hand, was sold or is gone; what is held is on hand."""
        for sku, stock in store.stock(self.rows, SKUS).items():
            assert 0 <= stock.reserved <= stock.on_hand
            assert stock.available >= 0
            assert stock.reserved == self._sum(sku, "held")
            assert (stock.received, stock.written_off) == (self.came[sku], self.gone[sku])
            left = stock.on_hand - stock.short
            assert self.came[sku] - self.gone[sku] == left + self._sum(sku, "committed")
            assert stock.short == 0 or stock.available == 0, "short and still for sale"

    @invariant()
    def every_order_is_as_it_was_told(self) -> None:
        """State and lines of each order are what the model says."""
        for order, state in self.states.items():
            kept = store.reservation(self.rows, order)
            assert kept is not None
            assert kept.state == state
            lines = {line.sku: line.quantity for line in kept.lines}
            assert lines == self.wanted.get(order, {})

    def _free(self, sku: str) -> int:
        """What can be sold: nothing as long as orders hold more than there is."""
        there = self.came[sku] - self.gone[sku] - self._sum(sku, "committed")
        return max(0, there - self._sum(sku, "held"))

    def _sum(self, sku: str, state: str) -> int:
        return sum(
            wanted.get(sku, 0)
            for order, wanted in self.wanted.items()
            if self.states[order] == state
        )

    def _settle(self, order: str, decide: object) -> bool:
        assert callable(decide)
        existing = store.reservation(self.rows, order)
        skus = [line.sku for line in existing.lines] if existing else []
        try:
            self._save(decide(order, existing, store.stock(self.rows, skus)))
        except WrongState:
            return False
        return True

    def _save(self, decision: domain.Decision) -> None:
        self.now += 1
        store.save(self.rows, decision, self.now)


TestBooks = Books.TestCase
TestBooks.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
