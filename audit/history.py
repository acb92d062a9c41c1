"""Recorded messages as commands and replies, whoever sent them."""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bus.contract import find_operation
from bus.contract.channel import role_of
from bus.contract.envelope import Reading, body_digest, is_problem
from bus.contract.errors import ConfigurationError, Problem
from bus.contract.topics import Topics, site_of
from bus.history.recording import Connected, Recorded, read_recording

_BEFORE_ADMISSION = frozenset(
    {
        "malformed", "retained-request", "forbidden", "foreign-response-topic",
        "unknown-operation", "too-large", "invalid-field", "card-number", "unsupported-version",
        "expired",
    }
)  # fmt: skip
"""Codes of refusals that a node does not remember."""

Key = tuple[str, str, str]
"""The caller, the callee and the request's id."""


@dataclass(frozen=True, slots=True)
class Request:
    """A recorded command."""

    at: int
    key: Key
    operation: str
    data: dict[str, Any]
    digest: bytes
    deadline: int | None
    """In milliseconds since the epoch, on the callee's clock."""
    expires_in: int | None
    """Seconds after receipt."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A recorded answer to a command."""

    at: int
    key: Key
    operation: str
    data: dict[str, Any]
    problem: bool
    payload: bytes

    @property
    def code(self) -> str | None:
        """The problem's code."""
        return str(self.data.get("code")) if self.problem else None

    @property
    def is_final(self) -> bool:
        """Whether the node remembers it: not a temporary refusal, nor one before admission."""
        if not self.problem:
            return True
        retryable = self.data.get("retryable") is True
        return not retryable and self.code != "id-reused" and self.code not in _BEFORE_ADMISSION


@dataclass(slots=True)
class History:
    """Commands and their replies, in order of receipt."""

    requests: list[Request] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    connections: list[int] = field(default_factory=list)
    """When the recorder connected: the first time, and after each gap; milliseconds since the
    epoch."""
    by_key: dict[Key, list[Request]] = field(default_factory=lambda: defaultdict(list))
    replies_by_key: dict[Key, list[Reply]] = field(default_factory=lambda: defaultdict(list))
    _about: dict[str, frozenset[str]] = field(default_factory=dict)
    _first: dict[str, dict[str, int]] = field(default_factory=dict)

    def named(self, operation: str) -> Iterator[Request]:
        """All requests for an operation."""
        return (request for request in self.requests if request.operation == operation)

    def about(self, operation: str) -> frozenset[str]:
        """The orders that requests for an operation named."""
        if operation not in self._about:
            orders = (request.data.get("order") for request in self.named(operation))
            self._about[operation] = frozenset(map(str, orders))
        return self._about[operation]

    def first(self, operation: str, order: str) -> int | None:
        """When an operation was first requested for an order; None if that was not recorded."""
        if operation not in self._first:
            found = self._first[operation] = {}
            for request in self.named(operation):
                found.setdefault(str(request.data.get("order")), request.at)
        return self._first[operation].get(order)

    def is_whole_since(self, at: int) -> bool:
        """Whether the recording has no gap from then on."""
        return bool(self.connections) and self.connections[0] <= at and len(self.connections) == 1


def read_history(files: Sequence[Path]) -> History | None:
    """Read and merge recordings; None if there are no files.

    Raises:
        JournalError: a file cannot be read, or is damaged.
        ConfigurationError: the files are of different sites.
    """
    if not files:
        return None
    history, sites = History(), set()
    entries: Iterable[Recorded | Connected] = heapq.merge(
        *map(read_recording, files), key=lambda entry: entry.at
    )
    for entry in entries:
        if isinstance(entry, Connected):
            history.connections.append(entry.at)
        elif site := site_of(entry.message.topic):
            sites.add(site)
            _take(history, entry, Topics(site))
    if len(sites) > 1:
        raise ConfigurationError(f"the history is of several sites: {', '.join(sorted(sites))}")
    return history


def _take(history: History, entry: Recorded, topics: Topics) -> None:
    address = topics.parse(entry.message.topic)
    if address is None or address.kind not in ("req", "rep") or entry.message.retain:
        return
    operation = find_operation(role_of(address.callee) or "", address.name)
    if operation is None or operation.kind == "query":
        return
    try:
        envelope = Reading(entry.message.payload).envelope()
    except Problem:
        return  # no node takes it in either
    data, problem = envelope.data, is_problem(envelope)
    if not isinstance(data, dict):
        return
    if address.kind == "req":
        key = (address.node, address.callee, envelope.id)
        digest = body_digest(operation.name, data)
        request = Request(
            entry.at, key, operation.name, data, digest, envelope.deadline, envelope.expires_in
        )
        history.requests.append(request)
        history.by_key[key].append(request)
        return
    key = (address.node, address.callee, envelope.correlation_id or envelope.id)
    reply = Reply(entry.at, key, operation.name, data, problem, entry.message.payload)
    history.replies.append(reply)
    history.replies_by_key[key].append(reply)
