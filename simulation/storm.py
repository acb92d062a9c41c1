"""Faults that strike at any moment: connections lost, processes killed, clocks set."""

import asyncio
from collections.abc import Callable
from random import Random

from simulation.store import TERMINALS, SimulatedStore, wrong_by

_DEAF = 20.0
"""The most seconds that nothing arrives over a connection."""
_AWAY = 150.0
"""The most seconds that a node, mostly a terminal, is switched off."""


async def storm(store: SimulatedStore, seconds: float) -> None:
    """Let everything go wrong that the weather holds; when it ends, nothing is held down."""
    weather = store.weather
    store.set_storm(True)
    blowing = [
        asyncio.create_task(work)
        for work in (
            _blow(store.chances["cuts"], weather.connection, lambda: _cut(store)),
            _blow(store.chances["deaf"], weather.deaf, lambda: _deafen(store)),
            _blow(store.chances["kills"], weather.kill, lambda: _kill(store)),
            _blow(store.chances["away"], weather.away, lambda: _switch_off(store)),
            _blow(store.chances["clock"], weather.clock, lambda: _set_clock(store)),
            _restart_brokers(store),
        )
    ]
    await asyncio.sleep(seconds)
    for task in blowing:
        task.cancel()
    await asyncio.gather(*blowing, return_exceptions=True)
    store.network.down = False
    store.set_storm(False)


async def _blow(chance: Random, rate: float, strike: Callable[[], None]) -> None:
    """Strike so many times a second, at random."""
    while rate:
        await asyncio.sleep(chance.expovariate(rate))
        strike()


def _cut(store: SimulatedStore) -> None:
    wires = store.network.wires
    if wires:
        store.network.lose(store.chances["cuts"].choice(wires))


def _deafen(store: SimulatedStore) -> None:
    chance, wires = store.chances["deaf"], store.network.wires
    if wires:
        store.network.deafen(chance.choice(wires), chance.uniform(1, _DEAF))


def _kill(store: SimulatedStore) -> None:
    store.kill(store.chances["kills"].choice(store.names))


def _switch_off(store: SimulatedStore) -> None:
    chance = store.chances["away"]
    store.kill(chance.choice((*TERMINALS, *store.names)), absent=chance.uniform(1, _AWAY))


def _set_clock(store: SimulatedStore) -> None:
    chance = store.chances["clock"]
    store.set_clock(chance.choice(store.names), wrong_by(chance))


async def _restart_brokers(store: SimulatedStore) -> None:
    rate = store.weather.broker
    while rate:
        await asyncio.sleep(store.chances["broker"].expovariate(rate))
        await store.network.restart_broker()
