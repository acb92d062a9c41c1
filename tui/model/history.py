"""The latest messages: bounded, with each reply linked to its request."""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

from bus.history.message import Message

MESSAGES = 20_000
BYTES = 24 * 1024 * 1024
_KNOWN = 50_000
"""The most ids that are remembered to recognise repetitions."""


class MessageHistory:
    """Keeps messages up to a number and a size; the oldest are dropped and counted.

    Args:
        messages: the most that are kept.
        size: the most bytes of payload that are kept.
    """

    def __init__(self, messages: int = MESSAGES, size: int = BYTES) -> None:
        self.heard = 0
        """The number of messages ever added."""
        self.dropped = 0
        """The number of messages that were dropped."""
        self.size = 0
        """The bytes of payload that are kept."""
        self._limit = messages
        self._most = size
        self._kept: deque[Message] = deque()
        self._requests: dict[tuple[str, str | None], Message] = {}
        self._replies: dict[tuple[str, str | None], Message] = {}
        self._linked: list[int] = []
        """The numbers of the messages that `refill` has to link again."""
        self._seen: dict[int, int] = {}
        """How often an id was seen on a topic, by the hash of both, to save memory."""

    def __len__(self) -> int:
        return len(self._kept)

    def __iter__(self) -> Iterator[Message]:
        return iter(self._kept)

    def __reversed__(self) -> Iterator[Message]:
        return reversed(self._kept)

    @property
    def oldest(self) -> int:
        """The number of the oldest message, or of the next one if there is none."""
        return self._kept[0].number if self._kept else self.heard + 1

    def get(self, number: int) -> Message | None:
        """A message by its number, if it is still kept."""
        place = number - self.oldest
        return self._kept[place] if 0 <= place < len(self._kept) else None

    def add(self, message: Message) -> None:
        """Add a numbered message; its latency and repetitions are set here."""
        self.heard += 1
        self._link(message)
        self._kept.append(message)
        self.size += message.size
        while len(self._kept) > self._limit or self.size > self._most:
            self._drop(self._kept.popleft())

    def request_of(self, reply: Message) -> Message | None:
        """The request that a reply answers, if it is still kept."""
        if reply.kind != "rep" or reply.answers is None:
            return None
        return self._requests.get((reply.receiver, reply.answers))

    def reply_of(self, request: Message) -> Message | None:
        """The first reply to a request, if there is one and it is still kept."""
        if request.kind != "req" or request.id is None:
            return None
        return self._replies.get((request.sender, request.id))

    def previous(self, message: Message) -> Message | None:
        """The message before this one on the same topic, if it is still kept."""
        for earlier in reversed(self._kept):
            if earlier.number < message.number and earlier.topic == message.topic:
                return earlier
        return None

    def cause_of(self, message: Message) -> Message | None:
        """The message that caused this one, if it is still kept."""
        if message.cause is None:
            return None
        for earlier in reversed(self._kept):
            if earlier.number < message.number and earlier.id == message.cause:
                return earlier
        return None

    def __getstate__(self) -> dict[str, Any]:
        """All but the messages, which are stored apart and come back with `refill`."""
        linked = [each.number for of in (self._requests, self._replies) for each in of.values()]
        return self.__dict__ | {
            "_kept": deque(), "_requests": {}, "_replies": {}, "_linked": linked,
        }  # fmt: skip

    def refill(self, messages: Iterable[Message]) -> None:
        """Put the messages back after unpickling."""
        self._kept = deque(messages)
        for number in self._linked:
            message = self._kept[number - self.oldest]
            self._of_kind(message)[_key(message)] = message
        self._linked = []

    def _of_kind(self, message: Message) -> dict[tuple[str, str | None], Message]:
        return self._requests if message.kind == "req" else self._replies

    def _link(self, message: Message) -> None:
        if message.id is None or message.kind not in ("req", "rep"):
            return
        key = _key(message)
        self._of_kind(message).setdefault(key, message)
        request = self._requests.get(key) if message.kind == "rep" else None
        if request is not None:
            message.latency = max(0, message.at - request.at)
        place = hash((message.topic, key))
        message.repeats = self._seen.get(place, 0)
        self._seen[place] = message.repeats + 1
        if len(self._seen) > _KNOWN:
            for old in list(self._seen)[: _KNOWN // 10]:
                del self._seen[old]

    def _drop(self, message: Message) -> None:
        self.dropped += 1
        self.size -= message.size
        if message.id is None or message.kind not in ("req", "rep"):
            return
        linked, key = self._of_kind(message), _key(message)
        if linked.get(key) is message:
            del linked[key]


def _key(message: Message) -> tuple[str, str | None]:
    """The asker and the id of the request."""
    if message.kind == "req":
        return message.sender, message.id
    return message.receiver, message.answers or message.id
