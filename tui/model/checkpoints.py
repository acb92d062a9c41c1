"""Snapshots of a model at positions of a recording, so that going back need not start over."""

import pickle
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from itertools import chain
from operator import attrgetter
from typing import Any

from bus.history.archive import Position
from bus.history.message import Message
from tui.model.store import StoreModel

_APART = 16_000_000
"""The least distance of two checkpoints, in bytes of the recording."""
_MOST = 24
_TRACKS = 50
"""Orders pickled at once."""
_MESSAGES = 250
"""Messages pickled at once."""
_VALUES = attrgetter(*(each.name for each in fields(Message)))


@dataclass(slots=True)
class Checkpoint:
    """A model at a position of the recording.

    It is pickled piece by piece, so that keys are answered in between; the model may take no
    messages meanwhile. The alarms, which change with time alone, are pickled at once.
    """

    ahead: int
    """Bytes of the recording before the position."""
    position: Position
    until: int
    """The time of its last message, in milliseconds since the epoch."""
    looked: int
    """When the model was last checked for what is overdue."""
    known_from: int
    rest: bytes
    """All but the orders and the messages, pickled; compressed by `pack`."""
    orders: list[bytes] = field(default_factory=list)
    messages: list[bytes] = field(default_factory=list)

    def pack(self, model: StoreModel) -> Iterator[None]:
        """Pickle the orders and messages of a model, a piece at each step."""
        self.rest = zlib.compress(self.rest, 1)
        yield
        for some in _pieces(list(model.orders), _TRACKS):
            self.orders.append(_packed(some))
            yield
        for some in _pieces(list(model.history), _MESSAGES):
            self.messages.append(_packed([_VALUES(message) for message in some]))
            yield

    def model(self) -> StoreModel:
        """The model as it was at the position."""
        model = _unpacked(self.rest)
        assert isinstance(model, StoreModel)
        model.orders.refill(chain.from_iterable(map(_unpacked, self.orders)))
        values = chain.from_iterable(map(_unpacked, self.messages))
        model.history.refill(Message(*each) for each in values)
        return model


def checkpoint(
    model: StoreModel, ahead: int, position: Position, until: int, looked: int, known_from: int
) -> Checkpoint:
    """A checkpoint that is yet to be packed."""
    rest = pickle.dumps(model, pickle.HIGHEST_PROTOCOL)
    return Checkpoint(ahead, position, until, looked, known_from, rest)


def _pieces(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    return (items[at : at + size] for at in range(0, len(items), size))


def _packed(value: object) -> bytes:
    return zlib.compress(pickle.dumps(value, pickle.HIGHEST_PROTOCOL), 1)


def _unpacked(packed: bytes) -> Any:
    return pickle.loads(zlib.decompress(packed))  # noqa: S301 - of this process


class Checkpoints:
    """Keeps at most one checkpoint for each part of a recording.

    Args:
        size: of the recording in bytes.
    """

    def __init__(self, size: int) -> None:
        self._apart = max(_APART, size // _MOST)
        self._kept: dict[int, Checkpoint] = {}
        self._new: Checkpoint | None = None
        """The checkpoint that is being packed."""
        self._packing: Iterator[None] = iter(())

    def keep(self, position: int, model: StoreModel, make: Callable[[], Checkpoint]) -> None:
        """Begin a checkpoint unless this part of the recording has one.

        The model may take no messages until it is packed.
        """
        part = position // self._apart
        if part and part not in self._kept:
            self._new = make()
            self._packing = self._new.pack(model)

    def pack(self) -> bool:
        """Pack a piece of the checkpoint that was begun; whether there was one."""
        if self._new is None:
            return False
        if next(self._packing, _DONE) is _DONE:
            self._kept[self._new.ahead // self._apart], self._new = self._new, None
        return True

    def before(self, at: int) -> Checkpoint | None:
        """The latest checkpoint at or before a time, if any."""
        known = [each for each in self._kept.values() if max(each.until, each.looked) <= at]
        return max(known, key=lambda each: each.ahead, default=None)


_DONE = object()
