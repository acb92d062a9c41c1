"""A command is not answered; it is sent again, ever more seldom, until it is done."""

import asyncio

import pytest

from bus.outbox import Schedule
from bus.turn import Pending

FIRST, LIMIT = 1.0, 30.0
START = 1_767_225_600_000


class World:
    """A schedule and a clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = START
        self.schedule = Schedule(FIRST, LIMIT, lambda: self.now)

    def due_at(self, moment: int) -> list[str]:
        """What is taken off the schedule at a moment."""
        self.now = moment
        return [row.id for row in self.schedule._take(moment)]

    def wait(self, identifier: str) -> int:
        """Milliseconds until a row is due that has just been tried."""
        return self.schedule._due[identifier] - self.now


@pytest.fixture
def world() -> World:
    return World()


def _row(
    identifier: str,
    due_at: int = START,
    *,
    kind: str = "command",
    target: str = "catalog",
    deadline: int | None = None,
) -> Pending:
    return Pending(identifier, kind, target, "reserve", b"", "", due_at, deadline)


def test_a_new_command_is_due_at_once_and_taken_once(world: World) -> None:
    world.schedule.add(_row("a"))
    assert len(world.schedule) == 1
    assert world.due_at(START) == ["a"]
    assert world.due_at(START + 3_600_000) == []
    assert world.schedule.get("a") is not None


def test_a_timer_is_not_due_before_its_time_and_the_earlier_comes_first(world: World) -> None:
    world.schedule.add(_row("late", START + 2000, kind="timer"))
    world.schedule.add(_row("early", START + 1000, kind="timer"))
    assert world.due_at(START + 999) == []
    assert world.due_at(START + 1000) == ["early"]
    world.schedule.add(_row("earlier", START + 500, kind="timer"))
    assert world.due_at(START + 2000) == ["earlier", "late"]


def test_the_wait_doubles_up_to_the_limit_and_is_spread_by_a_quarter(world: World) -> None:
    names = [f"c-{number}" for number in range(200)]
    for name in names:
        world.schedule.add(_row(name))
    for nominal in (1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000):
        assert sorted(world.due_at(world.now + 60_000)) == sorted(names)
        for name in names:
            world.schedule.tried(name)
        waits = [world.wait(name) for name in names]
        assert min(waits) >= nominal * 3 // 4
        assert max(waits) <= nominal * 5 // 4
        assert max(waits) - min(waits) > nominal // 4, "they would all come at once"


def test_a_thousand_tries_do_not_overflow(world: World) -> None:
    world.schedule.add(_row("a"))
    for _ in range(1100):
        world.schedule.tried("a")
    assert 22_500 <= world.wait("a") <= 37_500


def test_the_deadline_comes_before_the_next_try(world: World) -> None:
    world.schedule.add(_row("a", deadline=START + 300))
    assert world.due_at(START) == ["a"]
    world.schedule.tried("a")
    assert world.due_at(START + 299) == []
    assert world.due_at(START + 300) == ["a"]


def test_a_deadline_that_has_passed_makes_it_due_now(world: World) -> None:
    world.schedule.add(_row("a", deadline=START - 5000))
    world.due_at(START)
    world.schedule.tried("a")
    assert world.wait("a") == 0


def test_what_is_done_is_never_due_again(world: World) -> None:
    world.schedule.add(_row("a"))
    world.schedule.add(_row("b"))
    world.schedule.remove("a")
    world.schedule.remove("a")
    world.schedule.tried("a")
    world.schedule.hurry()
    assert world.due_at(START + 60_000) == ["b"]
    assert len(world.schedule) == 1
    assert world.schedule.get("a") is None


def test_what_is_done_while_it_is_being_tried_stays_done(world: World) -> None:
    world.schedule.add(_row("a"))
    assert world.due_at(START) == ["a"]
    world.schedule.remove("a")
    world.schedule.tried("a")
    assert world.due_at(START + 60_000) == []


def test_a_new_connection_sends_all_commands_now_and_backs_off_anew(world: World) -> None:
    world.schedule.add(_row("a"))
    world.schedule.add(_row("timer", START + 90_000, kind="timer"))
    world.schedule.add(_row("call", START + 90_000, kind="call", target="acquirer"))
    for _ in range(6):
        world.schedule.tried("a")
    world.schedule.hurry()
    assert world.due_at(START) == ["a"]
    world.schedule.tried("a")
    assert 750 <= world.wait("a") <= 1250
    assert world.due_at(START + 90_000) == ["a", "call", "timer"]


def test_a_target_that_is_back_hurries_only_its_own_commands(world: World) -> None:
    for name, target in (("a", "sorter-1"), ("b", "sorter-2")):
        world.schedule.add(_row(name, target=target))
    world.due_at(START)
    world.schedule.tried("a")
    world.schedule.tried("b")
    world.schedule.hurry("sorter-2")
    assert world.due_at(START) == ["b"]
    assert world.due_at(START + 2000) == ["a"]


async def test_a_command_that_comes_while_nothing_is_due_wakes_the_sender(world: World) -> None:
    world.schedule.add(_row("far", START + 3_600_000, kind="timer"))
    waiting = asyncio.create_task(world.schedule.due())
    await asyncio.sleep(0)
    world.schedule.add(_row("now"))
    async with asyncio.timeout(5):
        assert [row.id for row in await waiting] == ["now"]
