"""The topics with messages, as a tree: last value, count and rate of each; bounded."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from bus.history.message import Message

TOPICS = 4_000
"""The most topics that are kept, in case somebody invents them."""
BYTES = 2 * 1024 * 1024
"""The most bytes of values that are kept; older ones are dropped first."""
_LONGEST = 256
"""Characters that no topic of the contract exceeds."""
_WINDOW = 10_000
"""The window in milliseconds over which the rate is measured."""


@dataclass(slots=True)
class Topic:
    """A topic and its last message."""

    name: str
    number: int = 0
    """The number of the last message."""
    at: int = 0
    """When it was received."""
    value: bytes | None = None
    """Its payload; None if it was dropped."""
    size: int = 0
    count: int = 0
    is_retained: bool = False
    """Whether the broker retains that value."""
    window: int = 0
    in_window: int = 0
    before: int = 0
    """Messages in the window before."""

    def rate(self, now: int) -> float:
        """Messages per second in the last complete window."""
        behind = now // _WINDOW - self.window
        counted = self.before if not behind else self.in_window if behind == 1 else 0
        return counted * 1_000 / _WINDOW


class SeenTopics:
    """The topics of a store by name."""

    def __init__(self) -> None:
        self.unnamed = 0
        """Messages on topics beyond the limit."""
        self.size = 0
        """The bytes of values that are kept."""
        self._topics: OrderedDict[str, Topic] = OrderedDict()
        """The topics with the latest messages are at the end."""

    def __len__(self) -> int:
        return len(self._topics)

    def __iter__(self) -> Iterator[Topic]:
        return iter(self._topics.values())

    def get(self, name: str) -> Topic | None:
        """A topic by name."""
        return self._topics.get(name)

    def hear(self, message: Message) -> None:
        """Take a message."""
        name = message.topic
        topic = self._topics.get(name)
        if topic is None:
            if len(self._topics) >= TOPICS or len(name) > _LONGEST:
                self.unnamed += 1
                return
            topic = self._topics[name] = Topic(name)
        else:
            self._topics.move_to_end(name)
        window = message.at // _WINDOW
        if window != topic.window:
            topic.before = topic.in_window if window == topic.window + 1 else 0
            topic.window, topic.in_window = window, 0
        topic.in_window += 1
        topic.count += 1
        topic.number, topic.at, topic.size = message.number, message.at, len(message.payload)
        self.size += topic.size - len(topic.value or b"")
        topic.value = message.payload
        topic.is_retained = bool(message.payload) and (message.retain or message.kind == "state")
        if self.size > BYTES:
            self._forget(topic)

    def _forget(self, but: Topic) -> None:
        for topic in self._topics.values():
            if topic is not but and topic.value:
                self.size -= len(topic.value)
                topic.value = None
            if self.size <= BYTES:
                return


@dataclass(slots=True)
class Branch:
    """A node of the tree: one level of a topic, or several if nothing branches off between them."""

    name: str
    path: str
    """The topic from the root to here."""
    depth: int = 0
    topic: Topic | None = None
    """The topic with exactly this path, if there is one."""
    inner: dict[str, "Branch"] = field(default_factory=dict)

    def topics(self) -> Iterator[Topic]:
        """All topics in this branch."""
        if self.topic is not None:
            yield self.topic
        for each in self.inner.values():
            yield from each.topics()


def grown(topics: SeenTopics, passes: Callable[[Topic], bool] = lambda _: True) -> Branch:
    """The tree of the topics that pass a test; levels without a fork are joined."""
    root = Branch("", "")
    for topic in sorted(topics, key=lambda each: each.name):
        if passes(topic):
            _graft(root, topic)
    for each in root.inner.values():
        _join(each, 0)
    return root


def _graft(root: Branch, topic: Topic) -> None:
    branch, path = root, ""
    for place, name in enumerate(topic.name.split("/")):
        path = f"{path}/{name}" if place else name
        branch = branch.inner.setdefault(name, Branch(name, path))
    branch.topic = topic


def _join(branch: Branch, depth: int) -> None:
    while len(branch.inner) == 1 and branch.topic is None:
        (only,) = branch.inner.values()
        branch.name = f"{branch.name}/{only.name}"
        branch.path, branch.topic, branch.inner = only.path, only.topic, only.inner
    branch.depth = depth
    for each in branch.inner.values():
        _join(each, depth + 1)


def rows(root: Branch, is_open: Callable[[Branch], bool]) -> list[Branch]:
    """The visible rows: the branches whose parents are open."""
    found: list[Branch] = []
    for each in root.inner.values():
        found.append(each)
        if each.inner and is_open(each):
            found += rows(each, is_open)
    return found
