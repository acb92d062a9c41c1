"""Latencies by percentile, drawn with characters as HDR histograms are plotted.

The percentile's axis is logarithmic in 1 / (1 - p): 90 %, 99 % and 99.9 % are equally far apart,
so that the slow ones, which make the difference, have room. So is the latency's.
"""

import math
from collections.abc import Iterable, Mapping, Sequence

from rich.text import Text

from testing.kit.percentiles import nearest_rank

_ROWS = 12
_LABEL = 11
"""Width of the latency axis, in columns."""
_OVERHANG = 9
"""Columns left free for the label of the last percentile."""
_MARKS = (("*", "green"), ("o", "cyan"), ("+", "yellow"), ("x", "magenta"), ("#", "blue"))
_TICKS = ((0.0, "0%"), (50.0, "50%"), (90.0, "90%"), (99.0, "99%"), (99.9, "99.9%"),
          (99.99, "99.99%"), (99.999, "99.999%"))  # fmt: skip
_MOST_DECADES = 5


def plot(latencies: Mapping[str, Sequence[float]], width: int) -> Text:
    """The plot, at most `width` columns wide.

    Args:
        latencies: by kind, ascending seconds; those without any are left out.
        width: of the terminal.
    """
    shown = {kind: seconds for kind, seconds in latencies.items() if seconds}
    if not shown:
        return Text("Nothing was answered, so there is no latency to plot.")
    columns = max(20, min(width, 100) - _LABEL - _OVERHANG)
    decades = _decades(max(map(len, shown.values())))
    lowest, highest = _bounds(shown.values())
    cells: dict[tuple[int, int], tuple[str, str]] = {}
    for seconds, mark in zip(shown.values(), _MARKS, strict=False):
        for column in range(columns):
            percent = 100 * (1 - 10 ** (-decades * column / (columns - 1)))
            height = _magnitude(nearest_rank(seconds, percent)) - lowest
            row = round(height / (highest - lowest) * (_ROWS - 1))
            cells[min(max(row, 0), _ROWS - 1), column] = mark
    picture = Text(no_wrap=True)
    for row in reversed(range(_ROWS)):
        picture.append(_latency_label(row, lowest, highest))
        for column in range(columns):
            character, colour = cells.get((row, column), (" ", ""))
            picture.append(character, colour)
        picture.append("\n")
    picture.append(f"{'':>{_LABEL}}+{'-' * columns}\n")
    picture.append(f"{'percentile':>{_LABEL}} {_percent_labels(decades, columns)}\n")
    picture.append(" " * (_LABEL + 1))
    for kind, (character, colour) in zip(shown, _MARKS, strict=False):
        picture.append(f"{character} {kind}   ", colour)
    return picture


def _decades(count: int) -> int:
    """How many nines of a percentile this many latencies can tell apart."""
    return min(_MOST_DECADES, max(1, math.ceil(math.log10(count))))


def _bounds(latencies: Iterable[Sequence[float]]) -> tuple[float, float]:
    """The range of all latencies as decimal logarithms of milliseconds: at least one decade."""
    ends = [(seconds[0], seconds[-1]) for seconds in latencies]
    lowest = _magnitude(min(fastest for fastest, _ in ends))
    highest = _magnitude(max(slowest for _, slowest in ends))
    return lowest, max(highest, lowest + 1)


def _magnitude(seconds: float) -> float:
    """The decimal logarithm of milliseconds, at least that of one microsecond."""
    return math.log10(max(seconds, 1e-6) * 1000)


def _latency_label(row: int, lowest: float, highest: float) -> str:
    """The label of every third row."""
    if row % 3 and row != _ROWS - 1:
        return f"{'|':>{_LABEL + 1}}"
    milliseconds = 10 ** (lowest + (highest - lowest) * row / (_ROWS - 1))
    return f"{_short(milliseconds):>{_LABEL}}|"


def _short(milliseconds: float) -> str:
    if milliseconds >= 1000:  # noqa: PLR2004 - a second
        return f"{milliseconds / 1000:.3g} s "
    return f"{milliseconds:.3g} ms "


def _percent_labels(decades: int, columns: int) -> str:
    line = [" "] * (columns + 8)
    for percent, text in _TICKS:
        place = -math.log10(1 - percent / 100) / decades * (columns - 1)
        start = round(place)
        if start < columns and all(each == " " for each in line[max(0, start - 1) : start + 1]):
            line[start : start + len(text)] = text
    return "".join(line).rstrip()
