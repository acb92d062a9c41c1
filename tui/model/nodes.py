"""The nodes of a store: status, message rates, answer times, and what they say of themselves."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal

from bus.contract.channel import is_remembered, role_of
from bus.contract.every import MAX_ERRORS
from bus.contract.timestamp import milliseconds
from bus.history.message import Message, body, count
from bus.runtime import peers
from tui.model.rates import Hour, Latencies, Rate

Status = Literal["online", "offline", "lost", "unknown"]
NODES = 2_000
"""The most nodes that are kept, in case somebody invents names."""
_PICKS = 400
"""The most picks of a job (contract)."""
_ARRIVALS = 16
"""The most arrivals kept of a node."""
_LATELY = 60_000
"""Milliseconds."""
HOUR = 3_600_000
"""Milliseconds."""
_PROBLEMS = 5
"""The most problems kept of a node."""
_LONGEST = 200
"""The most characters of a text that a node says of itself."""
_COUNTS = 200
"""The most counts kept of a node."""
_ORDER = ("terminal", "settlement", "catalog", "warehouse", "sorter", "console", "tester")


@dataclass(frozen=True, slots=True)
class SorterActivity:
    """What a sorter is doing, as its job state says."""

    step: str
    job: str | None
    order: str | None
    pick: int
    """The index of the pick, from 0."""
    picks: int


@dataclass(frozen=True, slots=True)
class NodeDetails:
    """What a node last said of itself (`About`); None for what it left out."""

    at: int
    """When it said so, by its own clock if known."""
    since: int | None
    """When it started, by its own clock."""
    host: str | None
    process: int | None
    data: str | None
    """The folder of its database."""
    connections: int | None
    """In its last hour."""
    counts: dict[str, int]
    errors: tuple[tuple[int | None, str], ...]
    """Its latest log messages with their times by its own clock, oldest first."""


@dataclass(frozen=True, slots=True)
class AnsweredProblem:
    """A problem that a node answered."""

    at: int
    name: str
    """The operation."""
    caller: str
    code: str
    number: int
    """Of the message."""


@dataclass(slots=True)
class NodeView:
    """A node as seen on the bus."""

    name: str
    status: Status = "unknown"
    """Unknown until it has shown its presence."""
    since: int = 0
    """When it was seen to come into that status."""
    boot: str | None = None
    came: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=_ARRIVALS))
    """When it last came online, and with which boot."""
    outbox: int | None = None
    """Its open commands and calls, as it last said."""
    version: str | None = None
    told: NodeDetails | None = None
    offset: int | None = None
    """Milliseconds by which its clock was ahead of the console's at its last answer."""
    problems: deque[AnsweredProblem] = field(default_factory=lambda: deque(maxlen=_PROBLEMS))
    """The problems it last answered with."""
    database: peers.Peer | None = None
    """What it has shown of its database, and whether it has lost it since."""
    job: SorterActivity | None = None
    """Of a sorter."""
    alarms: frozenset[tuple[str, str]] | None = None
    """Kind and subject of the alarms that it shows; None if it has never said."""
    route: tuple[str, ...] = ()
    """Of a sorter: the locations of its job's picks, as far as known."""
    point: str | None = None
    """Of a sorter: the pickup point of its job."""
    job_since: int = 0
    """When the job state was received."""
    said: Rate = field(default_factory=Rate)
    answers: Latencies = field(default_factory=Latencies)
    """Its answer times."""
    outboxes: Hour = field(default_factory=Hour)
    """By minute, the most open commands."""

    def connections(self, now: int) -> int:
        """How often it has connected in the last hour, as it says or as was seen."""
        told = self.told.connections if self.told is not None else None
        return max(told or 0, sum(now - at <= HOUR for at, _ in self.came))

    def arrivals(self, now: int) -> list[str]:
        """The boots that came online in the last minute, in order."""
        return [boot for at, boot in self.came if now - at <= _LATELY]

    def shows(self, kind: str, subject: str | None = None) -> bool:
        """Whether it shows an alarm of a kind, by default about itself."""
        return (kind, self.name if subject is None else subject) in (self.alarms or ())

    @property
    def role(self) -> str:
        """Its role or kind of device."""
        return role_of(self.name) or "?"

    def place(self) -> tuple[int, str, int, str]:
        """The key to sort nodes by: the flow of an order, then the number."""
        stem, _, number = self.name.rpartition("-")
        kind = _ORDER.index(self.role) if self.role in _ORDER else len(_ORDER)
        digits = int(number) if number.isdecimal() and len(number) < 10 else 0  # noqa: PLR2004
        return (kind, stem, digits, self.name)


class KnownNodes:
    """The nodes seen on the bus, up to a number."""

    def __init__(self) -> None:
        self._nodes: dict[str, NodeView] = {}
        self.sorters: list[NodeView] = []
        """The sorters, in no order."""
        self.unnamed = 0
        """Messages of nodes beyond the limit."""

    def __iter__(self) -> Iterator[NodeView]:
        return iter(sorted(self._nodes.values(), key=NodeView.place))

    def get(self, name: str) -> NodeView | None:
        """A node by name."""
        return self._nodes.get(name)

    def status(self, name: str) -> Status:
        """A node's status."""
        node = self._nodes.get(name)
        return node.status if node else "unknown"

    def hear(self, message: Message) -> None:
        """Take a message of a node."""
        if not message.sender:
            return
        node = self._node(message.sender)
        if node is None:
            self.unnamed += 1
            return
        if message.kind == "state":
            self._state(node, message)
            return
        node.said.add(message.at)
        if message.kind == "rep" and message.name == "about":
            _about(node, message)
            _database(node, body(message) or {}, message.at)
        elif message.latency is not None and not message.repeats and not _asked_by_console(message):
            node.answers.add(message.latency, message.at)
        if message.code is not None and message.kind == "rep":
            node.problems.append(
                AnsweredProblem(
                    message.at, message.name, message.receiver, message.code, message.number
                )
            )
        if (message.kind, message.name) in (("req", "pick"), ("rep", "short-pick")):
            self._route(message)

    def _route(self, message: Message) -> None:
        """Take the locations of a sorter's job, and of the answer to a short pick."""
        sorter, data = self._node(message.receiver), body(message)
        picks = data.get("picks") if data is not None else None
        if sorter is None or data is None or not isinstance(picks, list) or message.repeats:
            return
        places = tuple(
            each["location"]
            for each in picks[:_PICKS]
            if isinstance(each, dict) and isinstance(each.get("location"), str)
        )
        if message.kind == "rep":
            sorter.route = (sorter.route + places)[:_PICKS]
            return
        point = data.get("pickup_point")
        sorter.route, sorter.point = places, point if isinstance(point, str) else None

    def _node(self, name: str) -> NodeView | None:
        node = self._nodes.get(name)
        if node is None and len(self._nodes) < NODES:
            node = self._nodes[name] = NodeView(name)
            if node.role == "sorter":
                self.sorters.append(node)
        return node

    def _state(self, node: NodeView, message: Message) -> None:
        data = body(message)
        if data is None:
            return
        if message.name == "presence":
            _presence(node, data, message.at)
        elif message.name == "about":
            _about(node, message)
        elif message.name == "job" and node.role == "sorter":
            job = SorterActivity(
                _text(data, "step") or "?", _text(data, "job"), _text(data, "order"),
                count(data.get("pick")) or 0, count(data.get("picks")) or 0,
            )  # fmt: skip
            if job != node.job:
                node.job_since = message.at
            node.job = job


def _asked_by_console(reply: Message) -> bool:
    """Whether a console had asked, which says nothing of how customers are served."""
    return role_of(reply.receiver) == "console"


def _text(data: dict[str, Any], name: str) -> str | None:
    value = data.get(name)
    return value if isinstance(value, str) else None


def _about(node: NodeView, message: Message) -> None:
    data = body(message)
    if data is None:
        return
    node.outbox, node.version = count(data.get("outbox")), _text(data, "version")
    if node.outbox is not None:
        node.outboxes.most(message.at, node.outbox)
    said = _time(message.data().get("time"))
    node.told = _told(data, message.at if said is None else said)
    if message.kind == "rep" and message.latency is not None:
        half_way = message.at - message.latency // 2
        node.offset = None if said is None else said - half_way


def _told(data: dict[str, Any], at: int) -> NodeDetails:
    counts, errors = data.get("counts"), data.get("errors")
    return NodeDetails(
        at,
        _time(data.get("since")),
        _short(data.get("host")),
        count(data.get("process")),
        _short(data.get("data")),
        count(data.get("connections")),
        {
            name[:_LONGEST]: each
            for name, each in islice(counts.items() if isinstance(counts, dict) else (), _COUNTS)
            if count(each) is not None
        },
        tuple(
            (_time(each.get("at")), each["detail"][:_LONGEST])
            for each in (errors[:MAX_ERRORS] if isinstance(errors, list) else ())
            if isinstance(each, dict) and isinstance(each.get("detail"), str)
        ),
    )


def _short(value: object) -> str | None:
    return value[:_LONGEST] if isinstance(value, str) else None


def _time(value: object) -> int | None:
    try:
        return milliseconds(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _database(node: NodeView, data: dict[str, Any], at: int) -> None:
    """Take what an answer says of the database; a retained state may be old."""
    name, boot = _text(data, "database"), _text(data, "boot")
    if node.boot not in (None, boot):
        return  # a late message of an earlier boot
    if name is not None and boot is not None and is_remembered(node.name):
        position = count(data.get("position")) or 0
        node.database = peers.met(node.database, name, position, boot, at)


def _presence(node: NodeView, data: dict[str, Any], at: int) -> None:
    """Take a presence, unless it is the last will of an earlier boot."""
    status, boot = data.get("status"), data.get("boot")
    if status not in ("online", "offline", "lost") or not isinstance(boot, str):
        return
    if status == "lost" and node.boot is not None and node.boot != boot:
        return
    if (node.status, node.boot) != (status, boot):
        if status == "online":
            node.came.append((at, boot))
        node.status, node.boot, node.since = status, boot, at
