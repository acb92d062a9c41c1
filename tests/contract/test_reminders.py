"""A customer may be reminded of a parcel more than once; nobody is asked for ever."""

import asyncio
import json
from pathlib import Path

from running_store import FAST, PATIENCE, FaultyBroker, Store, eventually, running_store

from bus.contract.terminal import REMIND, Remind, Shown
from bus.runtime.caller import Caller
from nodes.settlement.settings import SettlementSettings

REMINDER = Remind(
    order="o-1", pickup_point="north", pickup_point_name="North door", pickup_code="482913"
)


async def test_each_of_two_reminders_that_come_at_once_is_shown_and_answered(
    tmp_path: Path,
) -> None:
    store = Store(FaultyBroker(), tmp_path, "main", FAST)
    await store.start("terminal-1")
    async with Caller(store.deployment.connector, "main", "settlement").connected() as settlement:
        answers = await asyncio.gather(
            *(
                settlement.ask(REMIND, "terminal-1", REMINDER, timeout=PATIENCE, identifier=name)
                for name in ("m-1", "m-2")
            )
        )
    await store.stop()
    assert answers == [Shown(shown=True)] * 2
    assert store.reminders == [REMINDER] * 2


async def test_a_terminal_that_is_away_for_long_is_asked_for_the_last_reminder_only(
    tmp_path: Path,
) -> None:
    broker = FaultyBroker()
    often = SettlementSettings(remind_again=0.05, expire_after=3600)
    async with running_store(broker, tmp_path, settings=FAST, settlement=often) as store:
        order = (await store.buy({"MUG": 1})).order
        await store.reminded(order)
        await store.crash("terminal-1")
        topic = "req/settlement/terminal-1/remind"
        before = {json.loads(message.payload)["id"] for message in broker.sent(topic)}

        def others() -> set[str]:
            return {json.loads(message.payload)["id"] for message in broker.sent(topic)} - before

        await eventually(lambda: len(others()) > 3, "further reminders")
        waiting = "SELECT count(*) FROM outbox WHERE operation = 'remind'"
        assert store.value("settlement", waiting) == 1
        await store.start("terminal-1")
        await store.reminded(order)


async def test_what_waits_for_a_node_nobody_has_heard_of_is_sent_as_soon_as_it_shows_itself(
    tmp_path: Path,
) -> None:
    """Without that it would be sent again in ten minutes only."""
    broker, patient = FaultyBroker(), FAST.model_copy(update={"retry_first": 600.0})
    patient = patient.model_copy(update={"retry_limit": 600.0})
    async with running_store(broker, tmp_path, settings=patient) as store:
        store.machine.stops_at = "packing"
        order = (await store.buy({"MUG": 1})).order
        await eventually(lambda: not store.machine.free.is_set(), "packing")
        await store.stop("terminal-1", "settlement")
        del broker.retained[store.topics.state("terminal-1", "presence")]
        await store.start("settlement")
        store.machine.go_on()
        reminder = "req/settlement/terminal-1/remind"
        await eventually(lambda: broker.sent(reminder), "a reminder that nobody hears")
        await store.start("terminal-1")
        await store.reminded(order)
        assert len(broker.sent(reminder)) == 2
