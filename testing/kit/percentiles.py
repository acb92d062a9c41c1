"""Percentiles of durations, all of which are kept."""

import math
from collections.abc import Sequence


def nearest_rank(ordered: Sequence[float], percent: float) -> float:
    """The smallest value that `percent` of all values do not exceed.

    Args:
        ordered: ascending, at least one.
        percent: 0 to 100.
    """
    rank = math.ceil(len(ordered) * percent / 100 - 1e-9)  # 99.9 % of 1000 is the 999th
    return ordered[max(0, rank - 1)]


def milliseconds_text(ordered: Sequence[float], percent: float) -> str:
    """A percentile of ascending seconds, as milliseconds for people."""
    return f"{nearest_rank(ordered, percent) * 1000:.1f} ms" if ordered else "-"
