"""What a model was at some places of a recording, so that going back need not begin anew."""

import pickle
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from itertools import chain
from operator import attrgetter

from tui.model.message import Message
from tui.model.store import StoreModel
from tui.model.tape import Place

_APART = 16_000_000
"""Bytes of the recording between two of them at least."""
_MOST = 24
_SLICE = 250
"""Messages that are packed at once."""
_PIECE = 200_000
"""Bytes that are compressed at once."""
_VALUES = attrgetter(*(each.name for each in fields(Message)))


@dataclass(slots=True)
class Checkpoint:
    """A model at a place.

    All but the messages, which do not change any more, is copied at once; then it is packed piece
    by piece, so that keys are heard in between.
    """

    ahead: int
    """Bytes of the recording ahead of the place."""
    place: Place
    until: int
    """When its last message was heard, in milliseconds since the epoch."""
    looked: int
    """When it was last looked at what had not happened."""
    known_from: int
    _rest: bytes
    _messages: list[Message]
    """Those that are not packed yet, the oldest first."""
    _packed_rest: list[bytes] = field(default_factory=list)
    _packed: list[bytes] = field(default_factory=list)

    @property
    def packed(self) -> bool:
        """Whether nothing is left to be packed."""
        return not self._rest and not self._messages

    def pack(self) -> None:
        """Pack one more piece."""
        if self._rest:
            self._packed_rest.append(zlib.compress(self._rest[:_PIECE], 1))
            self._rest = self._rest[_PIECE:]
            return
        values = [_VALUES(message) for message in self._messages[:_SLICE]]
        self._packed.append(zlib.compress(pickle.dumps(values, pickle.HIGHEST_PROTOCOL), 1))
        del self._messages[:_SLICE]

    def model(self) -> StoreModel:
        """The model as it was."""
        rest = b"".join((*map(zlib.decompress, self._packed_rest), self._rest))
        model = pickle.loads(rest)  # noqa: S301 - of this process
        assert isinstance(model, StoreModel)
        packed = (pickle.loads(zlib.decompress(each)) for each in self._packed)  # noqa: S301
        messages = (Message(*values) for values in chain.from_iterable(packed))
        model.history.refill(chain(messages, self._messages))
        return model


class Checkpoints:
    """At most one for each part of a recording.

    Args:
        size: of the recording in bytes.
    """

    def __init__(self, size: int) -> None:
        self._apart = max(_APART, size // _MOST)
        self._kept: dict[int, Checkpoint] = {}
        self._new: Checkpoint | None = None
        """The one that is being packed."""

    def keep(self, place: int, make: Callable[[], Checkpoint]) -> None:
        """Make one, so many bytes from the beginning, if there is none for this part yet.

        Called again and again: each time there is a little work.
        """
        if self._new is not None:
            self._new.pack()
            self._new = None if self._new.packed else self._new
            return
        part = place // self._apart
        if part and part not in self._kept:
            self._kept[part] = self._new = make()

    def before(self, at: int) -> Checkpoint | None:
        """The last one at which nothing later than a time was known."""
        known = [each for each in self._kept.values() if max(each.until, each.looked) <= at]
        return max(known, key=lambda each: each.ahead, default=None)
