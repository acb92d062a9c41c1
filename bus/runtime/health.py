"""Whether a node can write: only a transaction that is carried out proves it.

A transaction that fails has an end, and whoever waits for it is told. One that never ends keeps
everybody waiting: after the bound the node says so and ends, to be started again.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bus.contract.errors import StandstillError
from bus.contract.every import Writer

_LOOKS = 8
"""How many times the watch looks within the bound."""


class Health:
    """Looks after the transactions of one node.

    Args:
        node: its name.
        probe: queues a transaction of its own, for nothing but to see how it ends.
        may_act: whether the node may carry out anything now; else it has a reason to wait.
        patience: seconds that whoever asks waits at the most.
        bound: seconds for which a transaction may stand still.
    """

    def __init__(
        self,
        node: str,
        probe: Callable[[], None],
        may_act: Callable[[], bool],
        patience: float,
        bound: float,
    ) -> None:
        self._node = node
        self._probe = probe
        self._may_act = may_act
        self._patience = patience
        self._bound = bound
        self._probing: asyncio.Event | None = None
        self._ended = 0
        """How many transactions have ended, well or not."""
        self._looks: dict[object, int] = {}
        """What has begun and not ended, and how often the watch has seen it since."""
        self.writer: Writer = "works"
        """Whether transactions are carried out, as far as is known."""

    # -- told by the node ---------------------------------------------------------------------

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """To be entered for each transaction."""
        this = object()
        self.begun(this)
        try:
            yield
        finally:
            self.ended(this)
            self._ended += 1

    def begun(self, what: object) -> None:
        """Something has begun that must end before long."""
        self._looks.setdefault(what, 0)

    def ended(self, what: object) -> None:
        """Something that had begun has ended."""
        self._looks.pop(what, None)

    def probed(self, *, failed: bool) -> None:
        """The probe has ended."""
        self.writer = "fails" if failed else "works"
        if self._probing is not None:
            self._probing.set()
            self._probing = None

    # -- asked --------------------------------------------------------------------------------

    async def look(self) -> None:
        """Carry out a transaction, and return when `writer` is known; several askers share one."""
        if self._probing is None:
            self._probing = asyncio.Event()
            self._probe()
        probing, ended = self._probing, self._ended
        try:
            async with asyncio.timeout(self._patience):
                await probing.wait()
        except TimeoutError:  # others may have ended before it
            self.writer = "works" if self._ended > ended else "stands-still"

    async def watch(self) -> None:
        """Look whether anything stands still, until cancelled.

        Counts its own looks, which a host that stood still has not taken either.

        Raises:
            StandstillError: something has, for longer than the bound.
        """
        while True:
            await asyncio.sleep(self._bound / _LOOKS)
            if not self._may_act():
                self._looks = dict.fromkeys(self._looks, 0)
                continue
            self._looks = {what: looks + 1 for what, looks in self._looks.items()}
            if max(self._looks.values(), default=0) > _LOOKS:
                raise StandstillError(
                    f"{self._node} has stood still for {self._bound:g} s: a transaction does not"
                    " come to its end. It ends, to be started again. Look at its disk and its log."
                )
