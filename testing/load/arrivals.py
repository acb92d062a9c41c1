"""Arrivals at fixed times, whatever becomes of the earlier ones: an open loop.

A latency counts from when the arrival was due. So a store that stands still shows in the latencies
of all arrivals that were due meanwhile (there is no coordinated omission).
"""

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from itertools import cycle

from bus.contract.errors import BrokenReply, NoAnswer, Problem
from testing.load.load_counts import KindCounts, LoadCounts
from testing.load.plan import LoadPlan
from testing.load.terminals import Customer
from testing.load.visits import Visit


class Arrivals:
    """The arrivals of a plan, once.

    Args:
        plan: what arrives when.
        visits: what an arrival of each kind does.
        customers: they take turns.
        counts: where everything is counted.
        chance: decides the kind of each arrival.
    """

    def __init__(
        self, plan: LoadPlan, visits: Mapping[str, Visit], customers: Sequence[Customer],
        counts: LoadCounts, chance: random.Random,
    ) -> None:  # fmt: skip
        self._plan, self._visits, self._customers = plan, visits, customers
        self._counts, self._chance = counts, chance
        self._arriving: asyncio.Task[None] | None = None
        self._under_way: set[asyncio.Task[None]] = set()
        self.stopped = False
        """Whether it was ended early."""

    async def run(self) -> None:
        """Start every arrival when it is due; return when the last one is over."""
        begun = time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            self._arriving = tasks.create_task(self._arrive(begun, tasks), name="arrivals")
        self._counts.seconds = time.monotonic() - begun

    def stop(self) -> None:
        """Start no more arrivals; if called again, cancel those under way."""
        if self.stopped:
            for task in self._under_way:
                task.cancel()
        self.stopped = True
        if self._arriving is not None:
            self._arriving.cancel()

    async def _arrive(self, begun: float, tasks: asyncio.TaskGroup) -> None:
        customers = cycle(self._customers)
        for number, kind in enumerate(self._plan.kinds(self._chance)):
            due = begun + number / self._plan.rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            counted = self._counts.kinds[kind]
            if len(self._under_way) >= self._plan.at_once:
                counted.not_sent += 1
                continue
            self._counts.lateness = max(self._counts.lateness, time.monotonic() - due)
            counted.sent += 1
            task = tasks.create_task(self._one(kind, next(customers), due, counted))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def _one(self, kind: str, customer: Customer, due: float, counted: KindCounts) -> None:
        due = min(due, time.monotonic())  # a timer may be early by a part of a millisecond
        try:
            await self._visits[kind](customer)
        except BrokenReply:
            counted.refused["broken-reply"] += 1
        except NoAnswer:
            counted.no_answer += 1
        except Problem as problem:
            counted.refused[problem.to_data().code] += 1
        else:
            counted.answered += 1
            counted.seconds.append(time.monotonic() - due)
