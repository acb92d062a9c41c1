"""Trends of an hour: a number for each minute, bounded, and the same whoever looks when."""

from tui.model.rates import MINUTES, Hour, Latencies, Rate, highest, summed
from tui.rendering.trends import hour

_MINUTE = 60_000
_START = 1_763_800_020_000
"""The begin of a minute."""


def test_messages_are_counted_by_the_minute_up_to_the_last_whole_second() -> None:
    rate = Rate()
    for second in range(150):
        rate.add(_START + second * 1_000, 3)
    assert rate.per_minute(_START + 150_000) == [180, 180, 90]
    assert rate.per_minute(_START + 5 * _MINUTE) == [180, 180, 90, 0, 0, 0]


def test_a_trend_does_not_depend_on_who_looked_at_it_and_when() -> None:
    looked, left = Rate(), Rate()
    for second in (0, 1, 130, 131, 400):
        looked.add(_START + second * 1_000)
        left.add(_START + second * 1_000)
        for later in (0, 500, 1_500):
            looked.per_minute(_START + second * 1_000 + later)
    now = _START + 500_000
    assert looked.per_minute(now) == left.per_minute(now)


def test_an_hour_is_kept_and_no_more() -> None:
    rate, level = Rate(), Hour()
    for minute in range(3 * MINUTES):
        rate.add(_START + minute * _MINUTE, minute)
        level.most(_START + minute * _MINUTE, minute)
    now = _START + (3 * MINUTES - 1) * _MINUTE
    assert level.values(now) == list(range(2 * MINUTES, 3 * MINUTES))
    assert len(rate.per_minute(now)) == MINUTES
    assert level.values(now + 1_000 * _MINUTE) == [None] * MINUTES


def test_a_level_is_the_highest_of_its_minute_and_nothing_where_nobody_said_so() -> None:
    level = Hour()
    assert level.values(_START) == []
    for at, value in ((0, 4), (10_000, 9), (20_000, 2), (3 * _MINUTE, 1)):
        level.most(_START + at, value)
    assert level.values(_START + 3 * _MINUTE) == [9, None, None, 1]


def test_answer_times_are_told_by_the_minute_as_what_19_of_20_do_not_exceed() -> None:
    answers = Latencies()
    for number in range(100):
        answers.add(number, _START + number * 100)
    for number in range(100):
        answers.add(1_000 + number, _START + 2 * _MINUTE + number * 100)
    now = _START + 2 * _MINUTE + 20_000
    assert answers.per_minute(now) == answers.per_minute(now) == [95, None, 1_095]
    assert answers.percentile(50) == 1_000


def test_the_trends_of_several_nodes_are_joined_by_the_minute() -> None:
    assert summed([[1, 2, None], [10], []]) == [1, 2, 10]
    assert highest([[1, None, 5], [7, 3]]) == [1, 7, 5]
    assert summed([]) == []


def test_an_hour_takes_the_same_room_and_no_peak_is_lost_where_that_is_little() -> None:
    assert hour([1] * 60, 60) == "▅" * 60
    assert hour([None, 0, 7], 60) == " " * 58 + "▁█"
    peak = [0] * 60
    peak[20] = 100
    for cells in (60, 30, 14, 7, 1):
        shown = hour(peak, cells)
        assert len(shown) == cells
        assert shown.count("█") == 1
    assert len(hour([5], 200)) == MINUTES
