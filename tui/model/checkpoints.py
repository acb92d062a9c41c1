"""What a model was at some places of a recording, so that going back need not begin anew."""

import gc
import pickle
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from tui.model.store import StoreModel
from tui.model.tape import Place

_APART = 16_000_000
"""Bytes of the recording between two of them at least."""
_MOST = 24


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model at a place."""

    ahead: int
    """Bytes of the recording ahead of the place."""
    place: Place
    until: int
    """When its last message was heard, in milliseconds since the epoch."""
    looked: int
    """When it was last looked at what had not happened."""
    known_from: int
    packed: bytes

    def model(self) -> StoreModel:
        """The model as it was."""
        model = pickle.loads(zlib.decompress(self.packed))  # noqa: S301 - of this process
        assert isinstance(model, StoreModel)
        return model


class Checkpoints:
    """At most one for each part of a recording.

    Args:
        size: of the recording in bytes.
    """

    def __init__(self, size: int) -> None:
        self._apart = max(_APART, size // _MOST)
        self._kept: dict[int, Checkpoint] = {}

    def keep(self, place: int, make: Callable[[], Checkpoint]) -> None:
        """Make one, so many bytes from the beginning, if there is none for this part yet."""
        part = place // self._apart
        if part and part not in self._kept:
            self._kept[part] = make()

    def before(self, at: int) -> Checkpoint | None:
        """The last one at which nothing later than a time was known."""
        known = [each for each in self._kept.values() if max(each.until, each.looked) <= at]
        return max(known, key=lambda each: each.ahead, default=None)


def pack(model: StoreModel) -> bytes:
    """A model as bytes."""
    collected = gc.isenabled()
    gc.disable()  # a third of the time would go into looking for garbage among what is kept
    try:
        plain = pickle.dumps(model, pickle.HIGHEST_PROTOCOL)
    finally:
        if collected:
            gc.enable()
    return zlib.compress(plain, 1)
