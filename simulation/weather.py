"""Which faults a seed has and how often they happen: no two seeds have the same weather.

Every kind of fault draws from a stream of its own, so that one can be switched off and the others
still begin as they did.
"""

import random
from collections.abc import Collection
from dataclasses import dataclass, fields

KINDS = (
    "loss", "state", "repetition", "delay", "connection", "deaf", "broker", "crash", "kill", "away",
    "payment", "machine", "jam", "short", "resend", "cancel",
    "count", "refuse", "outside", "clock",
)  # fmt: skip
"""What can be switched off."""

_PRESENT = 0.7
"""How likely a kind of fault is in a seed at all."""


@dataclass(frozen=True, slots=True)
class Weather:
    """Rates of faults; 0 where a kind is absent."""

    loss: float = 0.0
    """Of requests and replies that never arrive."""
    state: float = 0.0
    """Of states that the broker never gets."""
    repetition: float = 0.0
    """Of those that arrive two or three times."""
    delay: float = 0.0
    """Of those that take seconds, so that later ones overtake them."""
    connection: float = 0.0
    """Connections lost per second."""
    deaf: float = 0.0
    """Connections per second over which nothing arrives for a while."""
    broker: float = 0.0
    """Restarts of the broker per second, half of them with its retained state wiped."""
    crash: float = 0.0
    """Crashes per labelled step of a message's handling."""
    kill: float = 0.0
    """Crashes per second at any moment."""
    away: float = 0.0
    """Nodes, mostly terminals, that are switched off for a while, per second."""
    payment: float = 0.0
    """Of calls to the acquirer that fail, before or after it captured."""
    machine: float = 0.0
    """Of movements that take far longer than they should."""
    jam: float = 0.0
    """Of movements that the machine cannot do."""
    short: float = 0.0
    """Of picks that find fewer pieces than the books say."""
    cancel: float = 0.0
    """Of customers who change their minds."""
    count: float = 0.0
    """Of the clerk's rounds on which something is counted, rarely as the books have it."""
    refuse: float = 0.0
    """Of customers with cards that the provider refuses to charge, or to give money back to."""
    outside: float = 0.0
    """Of calls to the acquirer that it does not let in."""
    resend: float = 0.0
    """Of customers whose purchase message is sent again, with the same body or another."""

    clock: float = 0.0
    """Wall clocks of hosts that are set per second, either way, by seconds or days."""


_HARDEST = Weather(
    loss=0.5, state=0.95, repetition=0.4, delay=0.3, connection=0.1, deaf=0.6, broker=0.04,
    crash=0.03, kill=0.05, away=0.02, payment=0.9, machine=0.8, jam=0.3, short=0.4, cancel=1.0,
    resend=0.8, count=1.0, refuse=1.0, outside=0.5, clock=0.1,
)  # fmt: skip


def drawn(seed: int, without: Collection[str] = ()) -> Weather:
    """The weather of a seed, less the kinds of fault that are switched off."""
    rates = {}
    for field in fields(Weather):
        chance = random.Random(f"{seed}/weather/{field.name}")
        present = chance.random() < _PRESENT and field.name not in without
        rates[field.name] = getattr(_HARDEST, field.name) * chance.random() ** 2 if present else 0.0
    return Weather(**rates)


def happens(chance: random.Random, share: float) -> bool:
    """Whether something happens that does in this share of all cases, 0 to 1."""
    return chance.random() < share


class Chances:
    """Streams of random numbers, one per purpose, all from one seed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._streams: dict[str, random.Random] = {}

    def __getitem__(self, purpose: str) -> random.Random:
        stream = self._streams.get(purpose)
        if stream is None:
            stream = self._streams[purpose] = random.Random(f"{self._seed}/{purpose}")
        return stream
