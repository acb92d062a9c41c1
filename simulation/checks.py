"""Are the promises kept? What `storebus audit` finds in the files, and what only we can see."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from audit import findings
from bus.contract.errors import StorebusError
from simulation.goods import STOCK
from simulation.rows import all_rows
from simulation.store import SimulatedStore
from simulation.witness import Witness


def broken(store: SimulatedStore, closing: int) -> list[str]:
    """Every promise that was not kept, in sentences that begin with its number.

    Args:
        store: which was closed; only its folder and what was witnessed are looked at.
        closing: when that began, in milliseconds.
    """
    data = store.data
    found = [*store.witness.broken, *_audited(data, closing)]
    found += _received(data)
    found += _machines([machine.moved for machine in store.machines.values()])
    found += _left_behind(data)
    expire_after = round(store.patience.expire_after * 1000)
    if not store.weather.clock:  # else the times that are written down are nobody's
        found += _expired(data, expire_after)
    return [*found, *_withdrawn(data, store.witness, expire_after)]


def _audited(data: Path, closing: int) -> list[str]:
    """What the audit says, if it can make anything of the files at all."""
    try:
        found = findings([data], at=closing, history=[data / "history.jsonl"])
    except StorebusError as error:
        return [f"I11: the files cannot be audited: {error!r}"]
    return [str(finding) for finding in found]


def _received(data: Path) -> Iterator[str]:
    """What was put on the shelves in the morning, and found there later, was entered once."""
    came = Counter(STOCK)
    for row in all_rows(data / "warehouse.db", "SELECT * FROM stock_count WHERE change > 0"):
        came[row["sku"]] += row["change"]
    for row in all_rows(data / "catalog.db", "SELECT * FROM style ORDER BY sku"):
        if row["received"] != came[row["sku"]]:
            yield f"I3: of {came[row['sku']]} {row['sku']}, {row['received']} were entered"


def _machines(machines: list[Counter[tuple[str, str, str]]]) -> Iterator[str]:
    """What a machine was asked to move under an assignment, it moves once, whatever the key."""
    for machine in machines:
        for (job, step, pick), times in sorted(machine.items()):
            if times > 1:
                yield f"I5: {job} was {step} {times} times: {pick}"


def _left_behind(data: Path) -> Iterator[str]:
    """Goods that came back are on their shelves: here, there is a clerk who sees to it."""
    for row in all_rows(data / "warehouse.db", "SELECT job, assignment FROM superseded"):
        yield f"I4: nobody has said what became of {row['job']}.{row['assignment']}"
    for row in all_rows(data / "warehouse.db", "SELECT parcel FROM goods_return"):
        yield f"I4: {row['parcel']} was never put back"
    for row in all_rows(data / "warehouse.db", "SELECT kind FROM alarm"):
        yield f"I4: the alarm {row['kind']} still stands"
    for row in all_rows(data / "settlement.db", "SELECT name FROM refused_refund WHERE open = 1"):
        yield f"I4: nobody has seen to {row['name']}"
    for row in all_rows(data / "settlement.db", "SELECT name FROM refused_step WHERE open = 1"):
        yield f"I4: nobody has seen to {row['name']}"
    for row in all_rows(data / "settlement.db", "SELECT reason FROM provider_fault"):
        yield f"I4: the provider is said not to let the store in: {row['reason']}"


def _expired(data: Path, expire_after: int) -> Iterator[str]:
    """A parcel waits for its customer as long as the settings say, in milliseconds."""
    ready: dict[str, int] = {}
    for row in all_rows(data / "settlement.db", "SELECT * FROM order_state ORDER BY place"):
        if row["state"] == "ready":
            ready[row["order_id"]] = row["at"]
        elif row["state"] == "expiring" and row["at"] < ready[row["order_id"]] + expire_after:
            yield f"I1: {row['order_id']} expired too soon"


def _withdrawn(data: Path, witness: Witness, expire_after: int) -> Iterator[str]:
    """The same by the true time, whatever the clocks of the store said."""
    for row in all_rows(data / "settlement.db", "SELECT * FROM order_state ORDER BY order_id"):
        order = row["order_id"]
        if row["state"] == "expiring" and order in witness.withdrawn_at:
            waited = witness.withdrawn_at[order] - witness.ready_at[order]
            if waited < expire_after:
                yield f"I1: {order} expired after {waited / 1000:g} s"
