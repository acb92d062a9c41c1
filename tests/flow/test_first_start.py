"""The shop's files come in at the first start, once, whatever cut it off."""

import sqlite3
from contextlib import closing
from pathlib import Path

from store_process import StoreProcess, running_store_process, storebus

MARKER = "shop-imported"


async def _books(store: StoreProcess) -> tuple[int, int, int]:
    """Pieces on hand, money in accounts, and what one shirt costs."""
    await store.quiet()
    with (
        closing(sqlite3.connect(store.data / "catalog.db")) as catalog,
        closing(sqlite3.connect(store.data / "settlement.db")) as settlement,
    ):
        (pieces,) = catalog.execute("SELECT sum(on_hand) FROM style").fetchone()
        query = "SELECT amount FROM style WHERE sku = 'OXF-BLU-S'"
        (price,) = catalog.execute(query).fetchone()
        (money,) = settlement.execute(
            "SELECT sum(balance) FROM account WHERE id LIKE 'customer:%'"
        ).fetchone()
    return pieces, money, price


async def test_a_first_start_that_was_cut_off_goes_on_and_nothing_counts_twice(
    tmp_path: Path,
) -> None:
    data, prices = tmp_path / "data", tmp_path / "prices.csv"
    prices.write_text("sku,price\nOXF-BLU-S,61.00\n")
    async with running_store_process(data) as store:
        pieces, money, _ = await _books(store)
        assert (await storebus("import", str(prices), "--data", str(data)))[0] == 0

    (data / MARKER).write_text("")
    with closing(sqlite3.connect(data / "warehouse.db")) as warehouse, warehouse:
        warehouse.execute("DELETE FROM delivery WHERE item = 'OXF-BLU-S A-01-1'")  # 9 pieces
    async with running_store_process(data) as store:
        assert await _books(store) == (pieces + 9, money, 6100)
    assert (data / MARKER).read_text()

    (data / MARKER).unlink()
    for name in ("warehouse", "settlement"):  # as an older Storebus left them
        with closing(sqlite3.connect(data / f"{name}.db")) as rows, rows:
            rows.execute("DELETE FROM delivery")
    async with running_store_process(data) as store:
        assert await _books(store) == (pieces + 9, money, 6100)
