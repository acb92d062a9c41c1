"""Finds the messages about one order in a recording."""

from collections.abc import Iterable

from bus.contract import find_operation
from bus.contract.channel import role_of
from bus.contract.errors import ConfigurationError
from bus.contract.settlement import ORDER_CHANGED
from bus.contract.topics import Topics
from bus.contract.vocabulary import nearest
from bus.history.archive import Archive
from bus.history.message import Message, body, read
from bus.history.recording import Recorded
from testing.kit.raw_caller import RawReply
from testing.kit.request_items import flaws


def messages_of_order(archive: Archive, topics: Topics, order: str) -> list[Message]:
    """The messages about an order, and the requests for it, each once, in the order of time.

    Raises:
        ConfigurationError: there is no such order.
        JournalError: the recording cannot be read.
    """
    found: dict[tuple[str, str | None], Message] = {}
    answered: set[tuple[str, str | None]] = set()
    others: set[str] = set()
    for message in _read(archive, topics):
        named = _order(message)
        if named == order:
            found.setdefault((message.topic, message.id), message)
            if message.kind == "rep":
                asked = topics.request(message.receiver, message.sender, message.name)
                answered.add((asked, message.answers))
        elif named is not None and len(others) < 10_000:  # noqa: PLR2004 - enough to guess from
            others.add(named)
    if not found:
        near = nearest(order, others)
        why = f": did you mean {near}?" if near else f", but {len(others)} others."
        raise ConfigurationError(f"The recording has no order {order}{why}")
    for message in _read(archive, topics):
        key = (message.topic, message.id)
        if key in answered and key not in found:
            found[key] = message
    return sorted(found.values(), key=lambda message: message.number)


def _read(archive: Archive, topics: Topics) -> Iterable[Message]:
    for number, (_, entry) in enumerate(archive.entries()):
        if isinstance(entry, Recorded):
            message = read(topics, number, entry.at, entry.message)
            if _keeps_contract(message):
                yield message


def _keeps_contract(message: Message) -> bool:
    """Whether it is a request, a reply or an order's event that keeps the contract."""
    if is_about(message, "event", ORDER_CHANGED.name):
        return not flaws(ORDER_CHANGED.data, body(message))
    if message.kind not in ("req", "rep"):
        return False
    callee = message.receiver if message.kind == "req" else message.sender
    operation = find_operation(role_of(callee) or "", message.name)
    if operation is None or message.kind == "req":
        return operation is not None and not flaws(operation.request, body(message))
    return not RawReply.of(operation, message.payload).breaks


def _order(message: Message) -> str | None:
    named = message.order or (body(message) or {}).get("order")
    return named if isinstance(named, str) else None


def is_about(message: Message, kind: str, name: str) -> bool:
    """Whether it is a message of this kind and name."""
    return (message.kind, message.name) == (kind, name)
