"""A console beside simulated stores: what it raises is so, and what is so it raises."""

import asyncio
import re

import pytest
from pydantic_core import from_json

from bus.contract.topics import Address
from bus.link import Outgoing
from simulation.operator import Operator
from simulation.plan import Plan
from simulation.planted import BUGS
from simulation.rows import all_rows
from simulation.run import simulate
from simulation.store import SimulatedStore
from simulation.weather import KINDS, Weather, drawn

WORK = {"waits for its goods to be put back on their shelves"}
"""What people are there for: in some stores, parcels that nobody collects go back."""
NEWS = {"low-stock", "dead-letter", "put-back"}
"""What is so on a healthy day, too: goods run out, parcels that nobody collects go back."""
NEVER = {"disagreement", "database-replaced", "database-older", "step-refused", "refuses"}
"""What no storm brings about: the books agree, no database is exchanged, nobody refuses it all."""
BY_WEATHER = {
    "clock-wrong": "clock",
    "clock-step": "clock",
    "charge-refused": "refuse",
    "provider-refuses-us": "outside",
    "provider-silent": "payment",
    "outcome-unknown": "payment",
}
"""What comes of one kind of fault alone."""


class Watching(Operator):
    """An operator beside whom somebody notes what is so."""

    def __init__(self) -> None:
        super().__init__()
        self.put_back: set[str] = set()
        """Parcels out of which the clerk put goods on a shelf."""
        self.written_off: set[str] = set()
        """Styles and locations of which a sorter found too few."""
        self.shown: set[tuple[str, str]] = set()
        """Kind and subject of the alarms that nodes showed, heard or not."""

    def begin(self, store: SimulatedStore) -> asyncio.Task[None]:
        """Watch a store from now on."""
        watching = super().begin(store)
        hear = store.network.witness

        def both(who: str, address: Address, message: Outgoing) -> None:
            hear(who, address, message)
            if (address.kind, address.name) == ("state", "alarms") and message.payload:
                shown = from_json(message.payload)["data"]["alarms"]
                self.shown |= {(each["kind"], each.get("subject")) for each in shown}
            if (address.kind, address.name) == ("rep", "receive"):
                parcel = asked.get(from_json(message.payload).get("correlationid"))
                if parcel is not None and not _is_problem(message):
                    self.put_back.add(parcel)
            elif address.name == "receive":
                event = from_json(message.payload)
                asked[event["id"]] = event["data"].get("parcel")

        asked: dict[str, str | None] = {}
        store.network.witness = both
        watching.add_done_callback(lambda _: self._look_into(store))
        return watching

    def _look_into(self, store: SimulatedStore) -> None:
        query = "SELECT sku, location FROM adjustment WHERE kind = 'written-off' AND job <> ''"
        for row in all_rows(store.data / "warehouse.db", query):
            self.written_off.add(f"{row['sku']} {row['location']}")

    def subjects(self, kind: str) -> set[str]:
        """What alarms of a kind were raised about."""
        return {subject for each, subject in self.raised if each == kind}

    def subjects_shown(self, kind: str) -> set[str]:
        """What nodes showed alarms of a kind about; the console raised no others."""
        shown = {subject for each, subject in self.shown if each == kind}
        assert self.subjects(kind) <= shown
        return shown


def _is_problem(message: Outgoing) -> bool:
    return bool(from_json(message.payload)["type"].endswith(".problem"))


@pytest.mark.parametrize("first", range(1, 41, 10))
def test_a_thousand_healthy_orders_raise_no_alarm(first: int) -> None:
    orders = 0
    for seed in range(first, first + 10):
        operator = Watching()
        plan = Plan(seed, customers=tuple(range(25)), without=KINDS)
        outcome = simulate(plan, operator)
        assert not outcome.broken
        found = {key: text for key, text in operator.raised.items() if key[0] not in NEWS}
        assert not found, plan.command()
        assert set(operator.wrong.values()) <= WORK, plan.command()
        assert operator.subjects("put-back") == operator.put_back, plan.command()
        orders += len(operator.model.orders)
    assert orders == 250


@pytest.mark.parametrize("first", range(1, 41, 10))
def test_whatever_the_weather_what_is_raised_is_so_and_what_is_so_is_raised(first: int) -> None:
    for seed in range(first, first + 10):
        operator = Watching()
        plan = Plan(seed, customers=tuple(range(6)))
        weather: Weather = drawn(seed)
        assert not simulate(plan, operator).broken
        found = {key: text for key, text in operator.raised.items() if key[0] in NEVER}
        assert not found, plan.command()
        for kind, fault in BY_WEATHER.items():
            assert not operator.subjects(kind) or getattr(weather, fault), plan.command()
        assert operator.subjects_shown("put-back") == operator.put_back, plan.command()
        places = {subject for subject in operator.subjects_shown("short-pick") if " " in subject}
        assert places == operator.written_off, plan.command()


def test_books_that_the_audit_finds_to_differ_are_an_alarm_and_no_others() -> None:
    (twice,) = [bug for bug in BUGS if bug.name.startswith("no inbox check")]
    days_that_differed = 0
    for seed in range(3, 23):
        operator = Operator()
        with twice.planted():
            outcome = simulate(Plan(seed, customers=tuple(range(6))), operator)
        found = re.findall(r"(\S+): the catalog accounts for", " ".join(outcome.broken))
        alarmed = {subject for kind, subject in operator.raised if kind == "disagreement"}
        assert alarmed == set(found)
        days_that_differed += bool(found)
        if days_that_differed == 2:
            return
    pytest.fail("the bug did not show in twenty days")
