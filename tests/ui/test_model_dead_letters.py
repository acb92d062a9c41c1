"""Commands that were refused for good where nobody heeds the answer."""

import json
from pathlib import Path

import pytest
from console_fixtures import START, heard_store, model, told
from running_store import FaultyBroker, Store

from bus.contract.catalog import COMMIT, OrderOnly
from bus.contract.errors import Problem
from bus.link import Incoming
from bus.text.texts import Texts
from tui.model.store import StoreModel

LATER = 3_600_000


async def refused_commit(store: Store, broker: FaultyBroker, order: str) -> StoreModel:
    """The catalog refuses to commit an order; what a console makes of all that was said."""
    with pytest.raises(Problem, match="holds nothing"):
        await store.ask_as("settlement", COMMIT, "catalog", OrderOnly(order=order))
    console = model()
    told(console, broker.passed)
    return console


async def test_a_command_that_is_refused_for_good_holds_as_an_alarm(tmp_path: Path) -> None:
    async with heard_store(tmp_path) as (store, broker):
        console = await refused_commit(store, broker, "never-seen")
    (alarm,) = [each for each in console.alarms.current() if each.kind == "dead-letter"]
    assert alarm.subject == "never-seen"
    assert str(alarm.text) == "catalog refused commit of settlement for good: wrong-state"
    assert "catalog 最终拒绝了 settlement 的 commit" in alarm.text.said(Texts("tui", "zh"))
    console.tick(console.now + LATER)
    assert console.alarms.subjects("dead-letter") == {"never-seen"}


async def test_a_late_command_of_an_order_that_is_undone_is_normal(tmp_path: Path) -> None:
    async with heard_store(tmp_path) as (store, broker):
        with pytest.raises(Problem, match="does not hold enough"):
            await store.buy({"SHIRT-RED": 1, "MUG": 1}, account="C-1002")
        await store.quiet()
        heard = model()
        told(heard, broker.passed)
        (declined,) = heard.orders
        console = await refused_commit(store, broker, declined.order)
    track = console.orders.get(declined.order)
    assert track is not None
    assert track.state == "declined"
    assert not console.alarms.subjects("dead-letter")


def answered(
    operation: str,
    code: str,
    *,
    to: str = "settlement",
    retryable: bool = False,
) -> StoreModel:
    """A console that heard a problem as the answer to a command of an order, twice."""
    console = model()
    data = {"status": 409, "code": code, "retryable": retryable}
    payload = json.dumps({"id": "1", "orderid": "o", "data": data}).encode()
    topic = f"{console.topics.root}/rep/{to}/catalog/{operation}"
    for _ in range(2):
        console.take(START, [Incoming(topic, payload)])
    return console


def test_an_answer_that_is_repeated_is_one_dead_letter() -> None:
    (alarm,) = answered("release", "invalid-field").alarms.current()
    assert (alarm.kind, alarm.times) == ("dead-letter", 1)


def test_what_is_tried_again_or_heeded_or_asked_by_a_person_is_none() -> None:
    assert not answered("commit", "busy", retryable=True).alarms.current()
    assert not answered("reserve", "sold-out").alarms.current()
    assert not answered("commit", "forbidden", to="tester-1").alarms.current()


@pytest.mark.parametrize(("operation", "known"), [("fault", False), ("packed", True)])
def test_a_sorter_that_lost_its_job_need_not_be_heard_but_its_parcel_is_there(
    operation: str, known: bool
) -> None:
    console = model()
    job = {"id": "1", "orderid": "o", "data": {"job": "j", "picks": []}}
    topic = f"{console.topics.root}/req/warehouse/sorter-2/pick"
    console.take(START, [Incoming(topic, json.dumps(job).encode())])
    late = {"id": "2", "orderid": "o", "data": {"status": 409, "code": "wrong-state"}}
    topic = f"{console.topics.root}/rep/sorter-1/warehouse/{operation}"
    console.take(START, [Incoming(topic, json.dumps(late).encode())])
    assert console.alarms.subjects("dead-letter") == ({"o"} if known else set())
