"""What is drawn on: lines of text with the names of styles, and how values are written."""

from dataclasses import dataclass
from datetime import datetime

from babel.numbers import get_currency_precision

from bus.texts import Texts

Span = tuple[str, str]
"""A text and the name of its style: see `tui/look.py`."""
Line = list[Span]
BARS = "▁▂▃▄▅▆▇█"
_SECOND, _MINUTE, _HOUR, _DAY = 1_000, 60_000, 3_600_000, 86_400_000


@dataclass(frozen=True, slots=True)
class Paper:
    """How much room there is, in which language, and what time it is."""

    width: int
    height: int
    say: Texts
    now: int
    """Milliseconds since the epoch."""

    def _(self, text: str, **values: object) -> str:
        """A text in the operator's language."""
        return self.say(text, **values)


def clock(at: int) -> str:
    """The time of day."""
    return f"{datetime.fromtimestamp(at // 1000):%H:%M:%S}"  # noqa: DTZ006 - the operator's own


def day(at: int) -> str:
    """The day."""
    return f"{datetime.fromtimestamp(at // 1000):%Y-%m-%d}"  # noqa: DTZ006 - the operator's own


def moment(at: int) -> str:
    """The time of day with milliseconds."""
    return f"{clock(at)}.{at % 1000:03d}"


def lasting(milliseconds: int | None) -> str:
    """A duration, short: `8 ms`, `2.1 s`, `3 min`, `5 h`, `2 d`."""
    if milliseconds is None:
        return "-"
    if milliseconds < _SECOND:
        return f"{max(0, milliseconds)} ms"
    if milliseconds < 10 * _SECOND:
        return f"{milliseconds // 100 / 10:.1f} s"
    for unit, length, most in (
        ("s", _SECOND, 2 * _MINUTE), ("min", _MINUTE, 2 * _HOUR), ("h", _HOUR, 2 * _DAY),
    ):  # fmt: skip
        if milliseconds < most:
            return f"{milliseconds // length} {unit}"
    return f"{milliseconds // _DAY} d"


def weight(size: int) -> str:
    """A number of bytes, short."""
    return f"{size}B" if size < 10_000 else f"{size // 1024}K"  # noqa: PLR2004 - four digits fit


def money(total: tuple[int, str] | None) -> str:
    """An amount with its currency."""
    if total is None:
        return "-"
    amount, currency = total
    digits = get_currency_precision(currency)
    whole, part = divmod(amount, 10**digits)
    return f"{whole}.{part:0{digits}d} {currency}" if digits else f"{whole} {currency}"


def spark(counts: list[int], width: int) -> str:
    """Counts as bars, the youngest on the right."""
    shown = counts[-width:] if width > 0 else []
    most = max(shown, default=0)
    if not most:
        return ("▁" * len(shown)).rjust(max(0, width))
    bars = (BARS[min(7, count * 8 // (most + 1))] for count in shown)
    return "".join(bars).rjust(width)
