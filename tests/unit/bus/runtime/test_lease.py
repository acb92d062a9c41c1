"""A node's hold on its name: it lapses with time, and is won back only by asking."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bus.contract.errors import RoleTakenError, first_error
from bus.runtime.lease import LapsedError, Lease

LENGTH = 0.2


class Situation:
    """A claim, the clock it reads, and who else there is."""

    def __init__(self) -> None:
        self.skipped = 0.0
        self.taken = False
        self.asked: list[bool] = []
        self.was_asked = asyncio.Event()
        self.regained = 0
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.lease = Lease("catalog", LENGTH, self._clock, self._ask, self._again)

    def _clock(self) -> float:
        return asyncio.get_running_loop().time() + self.skipped

    async def _ask(self, stood_still: bool) -> None:
        self.asked.append(stood_still)
        self.was_asked.set()
        await self.may_answer.wait()
        if self.taken:
            raise RoleTakenError("catalog is already running elsewhere")

    def _again(self) -> None:
        self.regained += 1

    def stand_still(self) -> None:
        """The process is stopped for longer than others wait; its loop has not run since."""
        self.skipped += 10 * LENGTH

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """The lease is renewed within the block."""
        keeping = asyncio.create_task(self.lease.keep())
        try:
            yield
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)


async def test_a_lease_that_nobody_renews_is_over() -> None:
    situation = Situation()
    assert situation.lease.holds()
    situation.skipped = LENGTH
    assert not situation.lease.holds()


async def test_a_lease_that_is_renewed_outlives_its_length_without_a_question() -> None:
    situation = Situation()
    async with situation.kept():
        until = asyncio.get_running_loop().time() + 2 * LENGTH
        while asyncio.get_running_loop().time() < until:
            assert situation.lease.holds()
            await asyncio.sleep(0.01)
    assert situation.asked == []


async def test_whoever_stood_still_asks_patiently_before_it_goes_on() -> None:
    situation = Situation()
    situation.may_answer.clear()
    async with situation.kept():
        await asyncio.sleep(0)
        situation.stand_still()
        held = asyncio.create_task(situation.lease.held())
        async with asyncio.timeout(5):
            await situation.was_asked.wait()
        assert situation.asked == [True]
        assert not held.done()
        situation.may_answer.set()
        await held
        assert situation.regained == 1


async def test_who_stands_still_again_while_it_asks_has_to_ask_again() -> None:
    situation = Situation()
    situation.may_answer.clear()
    async with situation.kept():
        situation.lease.doubt()
        await situation.was_asked.wait()
        situation.stand_still()
        situation.may_answer.set()
        async with asyncio.timeout(5):
            await situation.lease.held()
    assert situation.asked == [False, True]


async def test_whoever_is_superseded_says_so_and_lets_nobody_wait() -> None:
    situation = Situation()
    situation.taken = True
    keeping = asyncio.create_task(situation.lease.keep())
    await asyncio.sleep(0)
    situation.stand_still()
    held = asyncio.create_task(situation.lease.held())
    with pytest.raises(RoleTakenError, match="catalog"):
        await held
    with pytest.raises(ExceptionGroup) as ended:
        await keeping
    assert isinstance(first_error(ended.value), RoleTakenError)
    assert not situation.lease.holds()


async def test_work_at_whose_end_the_lease_is_over_is_not_committed() -> None:
    situation = Situation()
    with sqlite3.connect(":memory:") as rows:

        def slow(rows: sqlite3.Connection) -> int:
            rows.execute("CREATE TABLE made (x)")
            situation.stand_still()
            return 1

        guarded = situation.lease.guard(slow)
        with pytest.raises(LapsedError, match="catalog"):
            guarded(rows)
    rows.close()
