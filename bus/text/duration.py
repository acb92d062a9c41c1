"""Durations for people: `70 s`, `24 h` to read; `300ms`, `5s`, `2min`, `4h` or `3d` to write.

One that is read is in the largest unit of which there are at least two.
"""

import re
from typing import Literal

from bus.text.sentence import Sentence, marked

Unit = Literal["s", "min", "h", "days"]

_SECOND = 1_000
_UNITS: tuple[tuple[int, Unit], ...] = (
    (86_400_000, "days"), (3_600_000, "h"), (60_000, "min"), (_SECOND, "s"),
)  # fmt: skip
_TEXTS: dict[Unit, str] = {
    "s": marked("{count} s"),
    "min": marked("{count} min"),
    "h": marked("{count} h"),
    "days": marked("{count} days"),
}
_FEW = 10
"""Units below which decimals are shown."""
SECONDS_IN = {"ms": 0.001, "s": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
"""Seconds in each unit; `m` is a minute, too."""
EXAMPLES = "300ms, 5s, 2min, 4h or 3d"
_DURATION = re.compile(rf"([0-9]{{1,20}}(?:\.[0-9]{{1,20}})?) ?({'|'.join(SECONDS_IN)})")


def elapsed(milliseconds: int, digits: int | None = None) -> Sentence:
    """A duration in words, whatever its sign.

    Args:
        milliseconds: how long.
        digits: significant digits below ten units; None for whole units, but tenths below ten
            seconds.
    """
    number, unit = _measured(milliseconds if digits else round(milliseconds, -2), digits)
    return Sentence(_TEXTS[unit], count=number)


def elapsed_short(milliseconds: int) -> str:
    """A duration in few cells, in no language: `8 ms`, `2.1 s`, `3 min`, `5 h`, `2 d`."""
    if milliseconds < _SECOND:
        return f"{max(0, milliseconds)} ms"
    number, unit = _measured(milliseconds)
    return f"{number} {'d' if unit == 'days' else unit}"


def _measured(milliseconds: int, digits: int | None = None) -> tuple[str, Unit]:
    length = abs(milliseconds)
    size, unit = next((each for each in _UNITS if length >= 2 * each[0]), _UNITS[-1])
    if digits is not None:
        number = length / size
        return (f"{number:.{digits}g}" if number < _FEW else f"{number:.0f}"), unit
    if unit == "s" and length < _FEW * _SECOND:
        return f"{length // 100 / 10:.1f}", unit
    return str(length // size), unit


def parse_duration(text: str) -> float:
    """Parse a duration: a decimal number and a unit, with at most one space between them.

    Returns:
        Seconds, 0 or more.

    Raises:
        ValueError: it is no duration; the text says what one looks like.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"is to be a time such as {EXAMPLES}")
    return float(match[1]) * SECONDS_IN[match[2]]
