"""After the storm, every purchase is sent once more, as it was and with another body."""

import asyncio
from collections.abc import Iterator

from simulation.customers import another
from simulation.store import SimulatedStore
from simulation.witness import Request, Witness

_ANSWERING = 0.2
"""Seconds within which a node that is up has answered in good weather."""


async def probe(store: SimulatedStore) -> list[str]:
    """What was not answered as it must be, in sentences."""
    found, witness = [], store.witness
    # A deadline is a time of the store's wall clock: set back, it makes what was too late in time.
    unanswered = witness.purchases.keys() - witness.answers.keys() if not store.set_back else ()
    for request in sorted(unanswered):
        store.network.send(witness.purchases[request])  # too late: it must not be begun now
    await asyncio.sleep(_ANSWERING)
    for request in sorted(witness.answers):
        found += await _ask_again(store, witness, request)
    return found


async def _ask_again(store: SimulatedStore, witness: Witness, request: Request) -> list[str]:
    message = witness.purchases[request]
    reused, answers = witness.reused[request], witness.answers[request]
    store.network.send(another(message))
    await asyncio.sleep(_ANSWERING)
    refused = witness.reused[request] > reused and witness.answers[request] == answers
    store.network.send(message)
    await asyncio.sleep(_ANSWERING)
    return list(_verdict(request, refused, witness.answers[request] > answers))


def _verdict(request: Request, refused: bool, answered: bool) -> Iterator[str]:
    terminal, identifier = request
    if not refused:
        yield f"I7: {identifier} of {terminal} with another body was not refused"
    if not answered:
        yield f"I7: {identifier} of {terminal} was not answered again"
