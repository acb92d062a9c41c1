"""A command is not answered; it is sent again, ever more seldom, until it is done."""

import asyncio

import pytest

from bus.runtime.outbox import Pending
from bus.runtime.schedule import Schedule
from bus.runtime.send_window import FEWEST

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

    def sent_at(self, moment: int) -> list[str]:
        """What is sent at a moment; it is tried and waits for its answer."""
        sent = self.due_at(moment)
        for identifier in sent:
            self.schedule.tried(identifier)
        return sent

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
    for number, name in enumerate(names):
        world.schedule.add(_row(name, target=f"terminal-{number}"))
    for nominal in (1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000):
        world.now += 60_000
        assert sorted(world.due_at(world.now) + world.due_at(world.now)) == sorted(names)
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


def test_a_silent_callee_gets_a_few_commands_at_a_time_and_others_are_not_kept_waiting(
    world: World,
) -> None:
    for number in range(1000):
        world.schedule.add(_row(f"r-{number}", target="terminal-1"))
    world.schedule.add(_row("c", target="catalog"))
    assert world.sent_at(START) == [*(f"r-{number}" for number in range(FEWEST)), "c"]
    assert world.sent_at(START + 700) == []
    later = world.sent_at(START + 1000)
    assert len([name for name in later if name != "c"]) == FEWEST
    assert f"r-{FEWEST}" in later, "new ones have their turn beside repeated ones"


def test_every_command_to_a_silent_callee_gets_its_turn_again(world: World) -> None:
    names = {f"r-{number}" for number in range(10 * FEWEST)}
    for name in sorted(names):
        world.schedule.add(_row(name))
    sent = [world.sent_at(START + 1000 * second) for second in range(60)]
    assert max(map(len, sent)) == FEWEST
    assert {name for second in sent[10:40] for name in second} == names
    assert {name for second in sent[30:60] for name in second} == names


def test_a_callee_that_answers_gets_more_and_more_at_once(world: World) -> None:
    for number in range(10_000):
        world.schedule.add(_row(f"r-{number}"))
    most = 0
    for moment in range(START, START + 500, 5):
        sent = world.sent_at(moment)
        most = max(most, len(sent))
        for name in sent:
            world.schedule.remove(name)
    assert most == 100, "it was not given as much as it could answer"
    assert len(world.schedule) < 10_000 - 5000


def test_an_answer_makes_room_at_once_and_wakes_the_sender(world: World) -> None:
    for number in range(FEWEST + 1):
        world.schedule.add(_row(f"r-{number}"))
    world.sent_at(START)
    world.schedule._changed.clear()
    world.schedule.remove("r-3")
    assert world.schedule._changed.is_set()
    assert world.sent_at(START) == [f"r-{FEWEST}"]


def test_what_was_answered_for_later_does_not_hold_up_what_is_new(world: World) -> None:
    """A withdrawal is answered when a person has put the goods back; orders go on meanwhile."""
    for number in range(1000):
        world.schedule.add(_row(f"withdraw-{number}", target="warehouse"))
    for second in range(400):
        world.sent_at(START + 1000 * second)
    world.schedule.add(_row("fulfil", START + 400_000, target="warehouse"))
    assert "fulfil" in world.sent_at(START + 400_000)


def test_a_callee_that_is_back_gets_what_it_had_been_sent_before_and_then_the_rest(
    world: World,
) -> None:
    for number in range(2 * FEWEST):
        world.schedule.add(_row(f"r-{number}", target="sorter-1"))
    first = world.sent_at(START)
    assert world.sent_at(START + 10) == []
    world.schedule.hurry("sorter-1")
    again = world.sent_at(START + 10)
    assert len(again) == FEWEST
    for name in again:
        world.schedule.remove(name)
    rest = world.sent_at(START + 10)
    assert {*first, *again, *rest} == {f"r-{number}" for number in range(2 * FEWEST)}
    assert {*again, *rest} == {f"r-{number}" for number in range(2 * FEWEST)}


def test_a_deadline_does_not_wait_for_room(world: World) -> None:
    for number in range(100):
        world.schedule.add(_row(f"r-{number}"))
    world.schedule.add(_row("late", deadline=START + 500))
    assert "late" not in world.sent_at(START)
    assert world.due_at(START + 500) == ["late"]


async def test_a_command_that_comes_while_nothing_is_due_wakes_the_sender(world: World) -> None:
    world.schedule.add(_row("far", START + 3_600_000, kind="timer"))
    waiting = asyncio.create_task(world.schedule.due())
    await asyncio.sleep(0)
    world.schedule.add(_row("now"))
    async with asyncio.timeout(5):
        assert [row.id for row in await waiting] == ["now"]
