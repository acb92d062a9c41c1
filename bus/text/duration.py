"""Durations as people write them: `300ms`, `5s`, `2min`, `4h` or `3d`."""

import re

UNITS = {"ms": 0.001, "s": 1.0, "min": 60.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
"""Seconds in each unit; `m` is a minute, too."""
EXAMPLES = "300ms, 5s, 2min, 4h or 3d"
_DURATION = re.compile(rf"([0-9]{{1,20}}(?:\.[0-9]{{1,20}})?) ?({'|'.join(UNITS)})")


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
    return float(match[1]) * UNITS[match[2]]
