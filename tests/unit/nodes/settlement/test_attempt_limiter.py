"""Who guesses pickup codes is locked for a while; who mistypes now and then is not."""

import sqlite3
from collections.abc import Iterator

import pytest
from unit_rows import tables

from bus.contract.refusals import TooManyTries
from nodes.settlement.attempt_limiter import AttemptLimiter
from nodes.settlement.store import SCHEMA as SETTLEMENT

LIMITER = AttemptLimiter(limit=3, period=60_000)
START = 1_700_000_000_000


@pytest.fixture
def rows() -> Iterator[sqlite3.Connection]:
    with tables(SETTLEMENT) as connection:
        yield connection


def guess(rows: sqlite3.Connection, *times: int) -> None:
    for at in times:
        LIMITER.check(rows, "terminal-1", START + at)
        LIMITER.wrong_command(rows, "terminal-1", START + at)


def test_the_last_wrong_code_locks_until_the_time_is_over(rows: sqlite3.Connection) -> None:
    guess(rows, 0, 1000, 2000)
    with pytest.raises(TooManyTries) as refused:
        LIMITER.check(rows, "terminal-1", START + 31_999)
    assert refused.value.more == {"retryAfter": 31}
    LIMITER.check(rows, "terminal-1", START + 62_000)


def test_after_the_lock_there_are_all_tries_again(rows: sqlite3.Connection) -> None:
    guess(rows, 0, 1000, 2000)
    problem = LIMITER.wrong_command(rows, "terminal-1", START + 62_000)
    assert problem.more == {"triesLeft": 2}


def test_another_is_not_locked(rows: sqlite3.Connection) -> None:
    guess(rows, 0, 1000, 2000)
    LIMITER.check(rows, "terminal-2", START + 2000)


def test_a_right_code_forgives_the_wrong_ones(rows: sqlite3.Connection) -> None:
    guess(rows, 0, 1000)
    LIMITER.reset(rows, "terminal-1")
    guess(rows, 2000, 3000)
    LIMITER.check(rows, "terminal-1", START + 3000)


def test_wrong_codes_that_are_far_apart_are_not_added_up(rows: sqlite3.Connection) -> None:
    guess(rows, 0, 60_000, 120_000, 180_000)
    LIMITER.check(rows, "terminal-1", START + 180_000)


def test_many_callers_who_ask_do_not_fill_the_memory(rows: sqlite3.Connection) -> None:
    limiter = AttemptLimiter(limit=3, period=60_000)
    for caller in range(10_100):
        limiter.wrong_query(rows, f"tester-{caller}", "000000", START)
    assert len(limiter._queries) == 10_000


def test_a_question_that_is_repeated_is_one_guess(rows: sqlite3.Connection) -> None:
    limiter = AttemptLimiter(limit=3, period=60_000)
    for at in (0, 1, 59_000, 118_000, 200_000):
        problem = limiter.wrong_query(rows, "terminal-1", "000000", START + at)
        assert problem.more == {"triesLeft": 2}
    assert limiter.wrong_query(rows, "terminal-1", "1", START + 200_001).more == {"triesLeft": 1}
