"""A step back that a role refuses for good: the order waits for a person, who ends it."""

from pathlib import Path

import pytest
from running_store import FAST, FaultyBroker, eventually, running_store
from test_ways_back import cancel, in_state, put_everything_back

from audit import audit, findings
from bus.contract.catalog import OrderOnly
from bus.contract.errors import Malformed
from bus.contract.settlement import REFUSALS, RESOLVE, How, Refusals, Resolve
from bus.contract.warehouse import WITHDRAW
from bus.runtime.requests import Request
from bus.runtime.unit_of_work import UnitOfWork


def _refuse(_: UnitOfWork, __: Request[OrderOnly]) -> OrderOnly:
    raise Malformed("The warehouse has lost its books.")


@pytest.mark.parametrize("how", ["retry", "by-hand"])
async def test_an_order_whose_withdrawal_is_refused_waits_for_a_person_and_is_ended(
    tmp_path: Path, how: How
) -> None:
    async with running_store(FaultyBroker(), tmp_path, settings=FAST) as store:
        receipt = await store.buy({"MUG": 1})
        await store.reminded(receipt.order)
        await store.quiet()
        commands = store.nodes["warehouse"].role.commands
        assert isinstance(commands, dict)
        withdraw, commands[WITHDRAW] = commands[WITHDRAW], _refuse
        assert await cancel(store, receipt.order) == "cancelling"
        query = "SELECT 1 FROM refused_step WHERE open = 1"
        await eventually(lambda: store.rows("settlement", query), "the refusal")
        await store.quiet()
        (waiting,) = (await store.ask(REFUSALS, "settlement", Refusals())).steps
        assert (waiting.order, waiting.callee) == (receipt.order, "warehouse")
        assert waiting.reason == "The warehouse has lost its books."
        await store.stop("settlement", "catalog", "warehouse")
        tally = audit([tmp_path])
        assert tally.findings == []
        assert "resolve" in [each.kind for each in tally.open_items]
        await store.start("settlement", "catalog", "warehouse")
        store.nodes["warehouse"].role.commands[WITHDRAW] = withdraw  # type: ignore[index]
        asked = Resolve(order=receipt.order, how=how, reason="looked after it")
        await store.ask(RESOLVE, "settlement", asked)
        if how == "retry":
            await eventually(
                lambda: store.rows("warehouse", "SELECT 1 FROM goods_return"), "a return"
            )
            await put_everything_back(store)
        shown = await in_state(store, receipt.order, "cancelled")
        assert [each.how for each in shown.resolved] == [how]
        await store.quiet()
        assert findings([tmp_path], running=True) == []
