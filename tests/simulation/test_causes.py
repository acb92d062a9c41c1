"""Causes are planted, one at a time: the console names each in time, and accuses nobody else."""

import pytest

from simulation.causes import CAUSES, lines, watch

LEAST = 40
"""Causes that there are at the least."""


@pytest.mark.parametrize("number", range(len(CAUSES)), ids=[each.cause for each in CAUSES])
def test_a_planted_cause_is_named(number: int) -> None:
    verdict = watch(number)
    assert verdict.right, "\n".join(lines(number + 1, CAUSES[number], verdict))


def test_there_are_planted_causes_of_many_kinds() -> None:
    assert len({each.cause for each in CAUSES}) == len(CAUSES) >= LEAST


def test_whatever_is_wrong_says_what_to_do() -> None:
    silent = [each.cause for each in CAUSES if each.wrong and not each.to_do and not each.alarm]
    assert silent == []
