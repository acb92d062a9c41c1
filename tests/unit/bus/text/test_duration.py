"""A duration is told in the largest unit of which there are at least two."""

import pytest

from bus.text.duration import elapsed, elapsed_short

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000


@pytest.mark.parametrize(
    ("milliseconds", "digits", "said"),
    [
        (400, None, "0.4 s"), (4_960, None, "5.0 s"), (119 * SECOND, None, "119 s"),
        (120_500, None, "2 min"), (170 * SECOND, None, "2 min"), (-DAY, None, "24 h"),
        (3 * DAY, None, "3 days"), (4_321, 3, "4.32 s"), (170 * SECOND, 2, "2.8 min"),
        (-3 * HOUR, 2, "3 h"), (10 * DAY, 2, "10 days"),
    ],
)  # fmt: skip
def test_a_duration_in_words(milliseconds: int, digits: int | None, said: str) -> None:
    assert str(elapsed(milliseconds, digits)) == said


@pytest.mark.parametrize(
    ("milliseconds", "said"),
    [
        (-5, "0 ms"), (999, "999 ms"), (9_960, "9.9 s"), (10 * SECOND, "10 s"),
        (2 * MINUTE, "2 min"), (2 * HOUR - 1, "119 min"), (47 * HOUR, "47 h"), (2 * DAY, "2 d"),
    ],
)  # fmt: skip
def test_a_duration_in_few_cells(milliseconds: int, said: str) -> None:
    assert elapsed_short(milliseconds) == said
