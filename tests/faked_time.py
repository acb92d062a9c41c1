"""Processes whose wall clock is wrong, or is set while they run."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from needs import find_faketime, require

_SET_CLOCK = Path(__file__).parent / "set_clock"


@contextmanager
def host_with_clock(wrong: int) -> Iterator[None]:
    """Start processes within the block on a host whose clock is so many seconds ahead.

    libfaketime does that, for whatever in the process asks for the time of day.
    """
    require("faketime")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LD_PRELOAD", str(find_faketime()))
        patch.setenv("FAKETIME", f"{wrong:+d}")
        patch.setenv("DONT_FAKE_MONOTONIC", "1")
        patch.setenv("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        yield


class WallClock:
    """The wall clock of the Python processes that are started while it is in force.

    Their monotonic clocks are the real ones, as on a host whose time of day somebody sets.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self.set(0)

    def set(self, seconds: int) -> None:
        """Set it so many seconds ahead of the true time."""
        other = self._file.with_suffix(".new")
        other.write_text(f"{seconds}", encoding="ascii")
        other.rename(self._file)

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Start processes under this clock within the block."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PYTHONPATH", str(_SET_CLOCK))
            patch.setenv("STOREBUS_TEST_CLOCK", str(self._file))
            yield
