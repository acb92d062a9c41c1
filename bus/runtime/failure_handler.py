"""What becomes of an input that could not be carried out at all."""

import sqlite3
from typing import Any

from bus.contract.envelope import Reading
from bus.contract.errors import Internal
from bus.contract.topics import Address
from bus.link import Incoming
from bus.runtime.admission import Admission
from bus.runtime.health import Health
from bus.runtime.inputs import (
    CallCompleted,
    HealthProbe,
    Input,
    ReplyReceived,
    StateObserved,
    TimerFired,
)
from bus.runtime.presences import Presences
from bus.runtime.publisher import Counts, Publisher
from bus.runtime.requests import Request
from bus.runtime.schedule import Schedule


class FailureHandler:
    """Tells whoever waits for an input that failed, or has it tried again.

    Args:
        node: the name of the node.
        reader: the journal's read-only connection.
        admission: makes refusals.
        publisher: publishes them.
        counts: where they are counted.
        schedule: when a reply, timer or call is tried again.
        presences: a state is taken up when it is shown again.
        health: told of its probes.
    """

    def __init__(
        self,
        node: str,
        reader: sqlite3.Connection,
        admission: Admission,
        publisher: Publisher,
        counts: Counts,
        schedule: Schedule,
        presences: Presences,
        health: Health,
    ) -> None:
        self._node = node
        self._reader = reader
        self._admission = admission
        self._publisher = publisher
        self._counts = counts
        self._schedule = schedule
        self._presences = presences
        self._health = health

    def failed(self, item: Input) -> None:
        """An input could not be carried out; the caller of a command is told."""
        if isinstance(item, Request):
            self._refuse(item)
        elif isinstance(item, (ReplyReceived, TimerFired, CallCompleted)):
            self._schedule.tried(item.row.id)
        elif isinstance(item, StateObserved):
            self._presences.forget(item.observed.node)
        elif isinstance(item, HealthProbe):
            self._health.probed(failed=True)

    def _refuse(self, request: Request[Any]) -> None:
        if self._is_accepted(request):
            return  # it is under way, or answered: its repetition is told nothing else
        self._counts.refuse(Internal.code)
        problem = Internal("The request failed and had no effect; the operator has been told.")
        address = Address("req", request.caller, self._node, request.operation.name)
        reading = Reading(b"", id=request.id)
        message = Incoming("", b"", correlation=request.correlation)
        self._publisher.publish(self._admission.refusal(message, address, reading, problem))

    def _is_accepted(self, request: Request[Any]) -> bool:
        try:
            return bool(
                self._reader.execute(
                    "SELECT 1 FROM inbox WHERE caller = ? AND id = ?", (request.caller, request.id)
                ).fetchone()
            )
        except sqlite3.Error:
            return True  # not known: then nothing may be said
