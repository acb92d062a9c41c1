"""Clocks that a test sets: the wall clock of a host, how long it is up, and which start of it."""

from bus.runtime.environment import Environment

NOON = 1_767_268_800_000
"""2026-01-01T12:00:00Z in milliseconds."""
DAY = 86_400_000


class Host:
    """A computer; processes on it come and go."""

    def __init__(self) -> None:
        self.wall, self.up, self.start = NOON, 1_000_000, "start-1"

    def pass_(self, milliseconds: int) -> None:
        """Let time pass."""
        self.wall += milliseconds
        self.up += milliseconds

    def set_clock(self, milliseconds: int) -> None:
        """Set the wall clock forward, or back."""
        self.wall += milliseconds

    def reboot(self, away: int, wrong: int = 0) -> None:
        """Switch it off for a while; its wall clock may come back wrong."""
        self.wall += away + wrong
        self.up, self.start = 5_000, self.start + "+"

    def process(self) -> Environment:
        """The identity of a process that starts now."""
        return _On(self)


class _On(Environment):
    def __init__(self, host: Host) -> None:
        super().__init__()
        self._on = host

    def now(self) -> int:
        return self._on.wall

    def elapsed(self) -> float:
        return self._on.up / 1000

    def host(self) -> str:
        return self._on.start
