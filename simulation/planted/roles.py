"""Mistakes of the roles and devices."""
# ruff: noqa: SLF001 - a bug is planted where nobody else has a hand

from contextlib import AbstractContextManager
from dataclasses import replace
from itertools import count
from typing import Any
from unittest.mock import patch

from bus.contract.catalog import COMMIT, RELEASE, RESERVE, Reserved
from bus.contract.refusals import SoldOut
from bus.contract.settlement import PURCHASE
from bus.contract.terminal import REMIND
from bus.contract.timestamp import rfc3339
from bus.contract.warehouse import FULFIL
from bus.runtime.unit_of_work import UnitOfWork
from bus.storage.effect_log import EffectLog
from devices.terminal.screen import PrintingScreen
from nodes.catalog import domain as catalog
from nodes.catalog import role as catalog_role
from nodes.settlement import domain as settlement
from nodes.settlement import purchasing
from nodes.settlement import store as settlement_store
from nodes.settlement.acquirer.outcomes import Captured, Declined, Misconfigured
from nodes.settlement.card_calls import CardCalls, OutcomeUnknownError
from nodes.settlement.payments import CardMethod
from simulation.machine import Machine
from simulation.planted.bug import Bug, never_sent


def _new_key_each_time() -> AbstractContextManager[Any]:
    """The acquirer is asked again under another key."""
    capture = CardCalls._capture
    numbers = count()

    async def planted(self: CardCalls, key: str, call: Any) -> Any:
        return await capture(self, f"{key}.{next(numbers)}", call)

    return patch.object(CardCalls, "_capture", planted)


def _unknown_is_no() -> AbstractContextManager[Any]:
    """The acquirer's silence is taken for a refusal."""
    capture = CardCalls._capture

    async def planted(self: CardCalls, key: str, call: Any) -> Captured | Declined | Misconfigured:
        try:
            return await capture(self, key, call)
        except OutcomeUnknownError:
            return Declined("no answer")

    return patch.object(CardCalls, "_capture", planted)


def _part_of_it() -> AbstractContextManager[Any]:
    """What there is of an order stays held although the order is refused."""
    reserve = catalog_role._reserve

    def planted(unit: UnitOfWork, request: Any) -> Reserved | None:
        try:
            return reserve(unit, request)
        except SoldOut as problem:
            short = problem.more["available"]
            rest = [line for line in request.data.lines if line.sku not in short]
            if not rest:
                raise
            reserve(unit, replace(request, data=request.data.model_copy(update={"lines": rest})))
            unit.answer(RESERVE, request.caller, request.id, problem)
            return None

    return patch.object(catalog_role, "_reserve", planted)


def _oversold() -> AbstractContextManager[Any]:
    """What is reserved counts as free."""
    return patch.object(catalog.Stock, "available", property(lambda stock: stock.on_hand))


def _commit_forgets() -> AbstractContextManager[Any]:
    """A commit frees what was reserved and leaves the stock as it is."""
    commit = catalog.commit

    def planted(order: Any, existing: Any, stock: Any) -> Any:
        decision = commit(order, existing, stock)
        kept = [replace(row, on_hand=stock[row.sku].on_hand) for row in decision.stock]
        return replace(decision, stock=tuple(kept))

    return patch.object(catalog, "commit", planted)


def _commit_repeats() -> AbstractContextManager[Any]:
    """Every commit takes the goods out twice."""
    commit = catalog.commit

    def planted(order: Any, existing: Any, stock: Any) -> Any:
        decision = commit(order, existing, stock)
        twice = [
            replace(row, on_hand=max(row.reserved, 2 * row.on_hand - stock[row.sku].on_hand))
            for row in decision.stock
        ]
        return replace(decision, stock=tuple(twice))

    return patch.object(catalog, "commit", planted)


def _told_too_early() -> AbstractContextManager[Any]:
    """A card's purchase is answered before the acquirer has answered."""
    charge = CardMethod.charge

    def planted(self: CardMethod, unit: UnitOfWork, order: Any) -> None:
        charge(self, unit, order)
        paid = replace(order, reference="pending")
        receipt = settlement.receipt(paid, rfc3339(unit.now), None)
        unit.answer(PURCHASE, order.terminal, order.request, receipt)

    return patch.object(CardMethod, "charge", planted)


def _shown_again() -> AbstractContextManager[Any]:
    """The screen does not look into its record."""
    display = PrintingScreen.display

    async def planted(self: Any, key: str, reminder: Any) -> bool:
        with patch.object(EffectLog, "get", lambda *_: None):
            return await display(self, key, reminder)

    return patch.object(PrintingScreen, "display", planted)


def _moved_again() -> AbstractContextManager[Any]:
    """The machine is asked under a new key each time."""
    perform = Machine.perform
    numbers = count()

    async def planted(self: Machine, key: str, movement: Any) -> int | None:
        return await perform(self, f"{key}.{next(numbers)}", movement)

    return patch.object(Machine, "perform", planted)


def _reminded_at_once() -> AbstractContextManager[Any]:
    """The customer is reminded as soon as the order is paid."""
    settle = purchasing._settle

    def planted(unit: UnitOfWork, order: Any, outcome: Any, seller: Any) -> None:
        settle(unit, order, outcome, seller)
        points = settlement_store.pickup_points(unit.connection)
        if isinstance(outcome, Captured) and points is not None:
            reminder = settlement.reminder(order, points)
            unit.send(REMIND, order.terminal, reminder)

    return patch.object(purchasing, "_settle", planted)


BUGS = (
    Bug("the acquirer is asked again under another key", _new_key_each_time),
    Bug("the acquirer's silence passes for a refusal", _unknown_is_no),
    Bug("a refused order keeps a part of its goods", _part_of_it),
    Bug("what is reserved can be sold again", _oversold),
    Bug("a commit leaves the stock as it was", _commit_forgets),
    Bug("a commit takes the goods out twice", _commit_repeats),
    Bug("nothing is released after a decline", lambda: never_sent(RELEASE)),
    Bug("what is paid is not committed", lambda: never_sent(COMMIT)),
    Bug("what is paid is not brought", lambda: never_sent(FULFIL)),
    Bug("a purchase is answered before it is paid", _told_too_early),
    Bug("a reminder is shown again after a crash", _shown_again),
    Bug("the machine is asked under a new key after a crash", _moved_again),
    Bug("the customer is reminded before the parcel is packed", _reminded_at_once),
)
