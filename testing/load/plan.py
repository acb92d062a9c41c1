"""The plan of a load: how many arrivals, when each is due, and of which kind."""

import math
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bus.contract.errors import ConfigurationError
from bus.text import duration

KINDS: Mapping[str, str] = {
    "scan": "a label is looked up",
    "search": "a word is searched",
    "buy": "a random style is bought",
    "order": "an order that was bought is asked after",
    "cancel": "a random style is bought and cancelled",
}
"""What an arrival can be."""
BUYING = frozenset({"buy", "cancel"})
"""The kinds that take goods and money."""

_MOST_TERMINALS = 500
_MOST_ARRIVALS = 5_000_000  # their latencies are kept: 8 bytes each
_FASTEST = 10_000.0
_LONGEST = 86_400.0
_HEAVIEST = 1_000_000


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """The plan of a load.

    Raises:
        ConfigurationError: a value is out of bounds; says which.
    """

    rate: float
    """Arrivals a second, evenly spaced."""
    seconds: float
    mix: Mapping[str, int]
    """The weight of each kind."""
    at_once: int = 2_000
    """The most arrivals that may wait for an answer at the same time; others are not sent."""
    patience: float | None = None
    """Seconds until an arrival counts as not answered; the operation's own if None."""

    def __post_init__(self) -> None:
        """Check the bounds."""
        if not 0 < self.rate <= _FASTEST:  # NaN neither
            raise ConfigurationError(
                f"A rate is a number of arrivals a second, up to {_FASTEST:g}, such as 50 or 0.5."
            )
        if not 0 < self.seconds <= _LONGEST:
            raise ConfigurationError("A duration is more than nothing and up to 24h.")
        if self.arrivals > _MOST_ARRIVALS:
            raise ConfigurationError(
                f"{self.arrivals:,} arrivals are too many: a load has up to {_MOST_ARRIVALS:,}."
            )

    @property
    def arrivals(self) -> int:
        """The number of arrivals."""
        return max(1, round(self.rate * self.seconds))

    def share(self, kinds: frozenset[str]) -> float:
        """The fraction of arrivals that are of one of these kinds."""
        wanted = sum(weight for kind, weight in self.mix.items() if kind in kinds)
        return wanted / sum(self.mix.values())

    def kinds(self, chance: random.Random) -> Iterator[str]:
        """The kind of each arrival, in turn."""
        names, weights = list(self.mix), list(self.mix.values())
        for _ in range(self.arrivals):
            yield chance.choices(names, weights)[0]


def parse_mix(text: str) -> dict[str, int]:
    """Parse weights such as `scan=5,buy=1`.

    Raises:
        ConfigurationError: not of this form; says which word is wrong.
    """
    mix: dict[str, int] = {}
    for word in text.split(","):
        kind, equals, weight = (part.strip() for part in word.partition("="))
        if kind not in KINDS:
            raise ConfigurationError(
                f"--mix knows no {kind!r}, but {', '.join(KINDS)}: such as scan=5,buy=1."
            )
        if kind in mix:
            raise ConfigurationError(f"--mix names {kind} twice.")
        if not equals or not re.fullmatch("[0-9]{1,7}", weight) or int(weight) > _HEAVIEST:
            raise ConfigurationError(
                f"--mix needs a weight for {kind}, a whole number up to {_HEAVIEST:,}: {kind}=1."
            )
        mix[kind] = int(weight)
    if not any(mix.values()):
        raise ConfigurationError("--mix gives no kind a weight above 0, so nothing would arrive.")
    return {kind: weight for kind, weight in mix.items() if weight}


def parse_duration(text: str) -> float:
    """Parse the seconds of a duration; see `bus.text.duration`.

    Raises:
        ConfigurationError: it is no duration.
    """
    try:
        return duration.parse_duration(text.strip())
    except ValueError as error:
        raise ConfigurationError(f"{text[:40]!r} {error}.") from error


def parse_rate(text: str) -> float:
    """Parse a number of arrivals per second.

    Raises:
        ConfigurationError: it is not a number.
    """
    try:
        rate = float(text)
    except ValueError:
        rate = math.nan
    if not math.isfinite(rate):
        raise ConfigurationError(f"{text[:40]!r} is no rate: --rate takes arrivals a second.")
    return rate


def terminal_names(count: int, first: int) -> Sequence[str]:
    """The names of `count` terminals.

    Raises:
        ConfigurationError: too many, or none.
    """
    if not 1 <= count <= _MOST_TERMINALS:
        raise ConfigurationError(f"A load has 1 to {_MOST_TERMINALS} terminals.")
    return [f"terminal-{number}" for number in range(first, first + count)]
