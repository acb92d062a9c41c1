"""Mistakes about pieces that are not where the books say."""

from contextlib import AbstractContextManager
from typing import Any
from unittest.mock import patch

from bus.contract.catalog import WRITE_OFF
from devices.sorter import domain as sorter
from nodes.catalog import domain as catalog
from nodes.settlement import domain as settlement
from nodes.warehouse.counting import Counting
from simulation.planted.bug import Bug, never_sent


def _all_is_paid() -> AbstractContextManager[Any]:
    """What could not be had is paid for all the same."""
    go_without = settlement.go_without

    def planted(*args: Any) -> tuple[Any, int]:
        order, _ = go_without(*args)
        return order, 0

    return patch.object(settlement, "go_without", planted)


def _one_refund_key() -> AbstractContextManager[Any]:
    """All refunds of an order have one key."""
    refund_name = settlement.refund_name
    return patch.object(settlement, "refund_name", lambda order, _: refund_name(order, 0))


def _all_is_released() -> AbstractContextManager[Any]:
    """Where some of an order cannot be had, all of it is for sale again."""
    release = catalog.release

    def planted(order: str, _: Any, existing: Any, stock: Any) -> Any:
        return release(order, existing, stock)

    return patch.object(catalog, "release_some", planted)


def _found_what_was_asked() -> AbstractContextManager[Any]:
    """A sorter does not look how many pieces its machine has found."""
    advance = sorter.advance

    def planted(job: Any, now: int, parcel: str, _: int | None = None) -> Any:
        return advance(job, now, parcel)

    return patch.object(sorter, "advance", planted)


def _count_twice() -> AbstractContextManager[Any]:
    """The catalog is told twice of what was counted."""
    count = Counting.count

    def planted(counting: Any, unit: Any, request: Any) -> Any:
        send = unit.send

        def twice(operation: Any, callee: str, data: Any) -> Any:
            send(operation, callee, data)
            return send(operation, callee, data)

        with patch.object(type(unit), "send", lambda _, *args: twice(*args)):
            return count(counting, unit, request)

    return patch.object(Counting, "count", planted)


BUGS = (
    Bug("what could not be had is not paid back", _all_is_paid),
    Bug("two refunds of an order have one key", _one_refund_key),
    Bug("where a part cannot be had, all is for sale again", _all_is_released),
    Bug("a sorter says that it has found all", _found_what_was_asked),
    Bug("the catalog is not told what was not found", lambda: never_sent(WRITE_OFF)),
    Bug("the catalog is told twice what was counted", _count_twice),
)
