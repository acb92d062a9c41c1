"""Requests that arrive at a node: a query is answered, a command waits for its transaction."""

import logging
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from bus.contract.channel import Operation
from bus.contract.envelope import Reading
from bus.contract.errors import (
    Busy,
    Forbidden,
    ForeignResponseTopic,
    Internal,
    Problem,
    UnknownOperation,
)
from bus.contract.every import ABOUT, PING, REFUSED, Refusal
from bus.contract.topics import Address
from bus.contract.values import Model
from bus.link import Incoming
from bus.runtime.admission import Admission
from bus.runtime.background import BackgroundTasks
from bus.runtime.health import Health
from bus.runtime.inputs import InputQueue
from bus.runtime.publisher import Counts, Publisher
from bus.runtime.requests import Request
from bus.storage.journal import Journal, snapshot

logger = logging.getLogger("storebus.node")

Query = Callable[[sqlite3.Connection, Request[Any]], Model]
_TELLS_HEALTH = (PING, ABOUT)
_LONG_QUERIES = 1000
"""How many long queries may wait."""


class RequestHandler:
    """Takes the requests of one node.

    Args:
        node: its name.
        queries: by the operation's name, what answers it.
        long_queries: the operations that are answered in the journal's thread for long ones.
        journal: the node's database.
        admission: reads and authorises.
        inputs: where commands wait.
        publisher: publishes replies and refusals.
        counts: what was answered, refused and dropped.
        health: looked after before the node says how it is.
        background: where that is looked after.
    """

    def __init__(
        self,
        node: str,
        queries: Mapping[str, Query],
        long_queries: Collection[Operation[Any, Any]],
        journal: Journal,
        admission: Admission,
        inputs: InputQueue,
        publisher: Publisher,
        counts: Counts,
        health: Health,
        background: BackgroundTasks,
    ) -> None:
        self._node = node
        self._queries = queries
        self._long_queries = long_queries
        self._journal = journal
        self._admission = admission
        self._inputs = inputs
        self._publisher = publisher
        self._counts = counts
        self._health = health
        self._background = background
        self._waiting = 0
        """Long queries that have not been answered yet."""

    def handle(self, message: Incoming, address: Address) -> None:
        """Take a request."""
        if not message.payload:
            self._counts.drop("empty-request")
            return
        reading = Reading(message.payload)
        try:
            request = self._admission.read(message, address, reading)
            if request.operation in _TELLS_HEALTH:
                later = self._answer_later(message, address, reading, request)
                self._background.start(later, "look")
            elif request.operation in self._long_queries:
                if self._waiting >= _LONG_QUERIES:
                    raise Busy("Too many queries are waiting.", retryAfter=1)
                self._waiting += 1
                answering = self._answer_long(message, address, reading, request)
                self._background.start(answering, "query")
            elif request.operation.kind == "query":
                self._answer_query(message, address, reading, request)
            elif not self._inputs.take(request):
                raise Busy("Too many commands are waiting.", retryAfter=1)
        except Problem as problem:
            self._refuse(message, address, reading, problem)

    def _refuse(
        self, message: Incoming, address: Address, reading: Reading, problem: Problem
    ) -> None:
        self._counts.refuse(problem.code)
        self._publisher.publish(self._admission.refusal(message, address, reading, problem))
        if isinstance(problem, (Forbidden, ForeignResponseTopic)):
            refusal = Refusal(
                caller=address.node,
                operation=address.name,
                code=problem.code,
                detail=problem.detail,
            )
            self._publisher.event(REFUSED, refusal)

    def _answer_query(
        self, message: Incoming, address: Address, reading: Reading, request: Request[Any]
    ) -> None:
        try:
            with self._explaining(request), snapshot(self._journal.reader) as rows:
                answer = self._query(request)(rows, request)
            self._reply(request, answer)
        except Problem as problem:
            self._refuse(message, address, reading, problem)

    async def _answer_long(
        self, message: Incoming, address: Address, reading: Reading, request: Request[Any]
    ) -> None:
        try:
            with self._explaining(request):
                query = self._query(request)
                answer = await self._journal.look_up(lambda rows: query(rows, request))
            self._reply(request, answer)
        except Problem as problem:
            self._refuse(message, address, reading, problem)
        except Exception:
            self._counts.drop("defect")
            logger.exception("%s: could not answer %s", self._node, message.topic)
        finally:
            self._waiting -= 1

    async def _answer_later(
        self, message: Incoming, address: Address, reading: Reading, request: Request[Any]
    ) -> None:
        """Answer as soon as it is known whether transactions are carried out."""
        await self._health.look()
        try:
            self._answer_query(message, address, reading, request)
        except Exception:
            self._counts.drop("defect")
            logger.exception("%s: could not answer %s", self._node, message.topic)

    def _query(self, request: Request[Any]) -> Query:
        query = self._queries.get(request.operation.name)
        if query is None:
            raise UnknownOperation(f"{self._node} does not answer {request.operation.name}.")
        return query

    @contextmanager
    def _explaining(self, request: Request[Any]) -> Iterator[None]:
        """Tell the operator what goes wrong within, and the caller that something did."""
        try:
            yield
        except Problem:
            raise
        except Exception as error:
            logger.exception("%s: query %s failed", self._node, request.operation.name)
            raise Internal("The query failed; the operator has been told.") from error

    def _reply(self, request: Request[Any], answer: Model) -> None:
        self._publisher.try_to_publish(self._admission.reply(request, answer))
        self._counts["answered"] += 1
