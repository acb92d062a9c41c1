"""Plays a recording into a model: its clock, its speed, and its position.

It knows no real time; the caller says how much has passed. The model at a time does not depend on
the way there, since it is checked at fixed intervals of the recording's time.
"""

from collections.abc import Callable, Iterator

from bus.contract.errors import JournalError
from bus.history.archive import Archive, Position
from bus.history.message import Message
from bus.history.recording import Connected, Recorded
from tui.model.checkpoints import Checkpoint, Checkpoints, checkpoint
from tui.model.store import StoreModel

SPEEDS = (1, 2, 5, 10, 20, 50, 100)
MINUTE = 60_000
_TICK = 5_000
"""Milliseconds of the recording between two checks for what is overdue."""
_SILENCE = 600_000
"""Milliseconds without a message after which checks make no difference."""
_AGAIN = 2_000
"""Milliseconds after the start of a minute in which "back" goes to the minute before."""
_FAR = 256_000_000
"""The distance in bytes from which on `seek` skips instead of playing."""
_AHEAD = 64_000_000
"""Bytes before the target of a skip that are played, to know what was going on."""


class Player:
    """Plays a recording.

    Args:
        tape: the recording.
        empty: makes an empty model.
        playing: whether to play at once.
    """

    def __init__(
        self, archive: Archive, empty: Callable[[], StoreModel], *, playing: bool = True
    ) -> None:
        self.archive = archive
        self.playing = playing
        self.trouble = ""
        """Why nothing more can be read."""
        self._empty = empty
        self._speed_index = 0
        self._position = float(archive.start)
        self._due = self._until = self._looked = self.known_from = archive.start
        self._next: Recorded | Connected | None = None
        self._checkpoints = Checkpoints(archive.size)
        self.model = empty()
        self._begin(Position(0, 0))

    @property
    def position(self) -> int:
        """The time of the playback, in milliseconds since the epoch."""
        return int(self._position)

    @property
    def at(self) -> int:
        """The time of the model, which may be behind the position."""
        return self._until if self.behind else self.position

    @property
    def speed(self) -> int:
        """The speed, as a multiple of real time."""
        return SPEEDS[self._speed_index]

    @property
    def behind(self) -> bool:
        """Whether messages up to the position are yet to be taken into the model."""
        return self._next is not None and self._due <= self._position

    @property
    def skipped(self) -> bool:
        """Whether the beginning of the recording was skipped."""
        return self.known_from > self.archive.start

    def play(self) -> None:
        """Play or pause; play from the beginning if it has ended."""
        if not self.playing and self.position >= self.archive.end:
            self.seek(self.archive.start)
        self.playing = not self.playing

    def faster(self, steps: int) -> None:
        """Change the speed by some steps."""
        self._speed_index = max(0, min(len(SPEEDS) - 1, self._speed_index + steps))

    def seek(self, to: int) -> None:
        """Go to a time; going back restores a checkpoint, or starts over."""
        to = max(self.archive.start, min(to, self.archive.end))
        archive, known = self.archive, self._checkpoints.before(to)
        mine = archive.bytes_to(self._next_position) if to >= self.at else 0
        nearest = max(mine, known.ahead if known else 0)
        if archive.bytes_to(archive.before(to)) - nearest > _FAR:
            self._begin(archive.before(to, _AHEAD))
        elif known is not None and known.ahead > mine:
            self._restore(known)
        elif to < self.at:
            self._begin(Position(0, 0))
        self._position = float(to)
        if not self.behind:
            self._look(to)

    def minute(self, steps: int) -> None:
        """Go to the start of the next minute, or back to the start of this or the last one."""
        if steps > 0:
            self.seek((self.position // MINUTE + 1) * MINUTE)
        else:
            self.seek((self.position - _AGAIN * self.speed) // MINUTE * MINUTE)

    def pass_(self, milliseconds: float) -> None:
        """Some real time has passed; the playback waits while the model is behind."""
        if not self.playing or self.behind:
            return
        self._position = min(self._position + milliseconds * self.speed, float(self.archive.end))
        self.playing = self.position < self.archive.end
        if not self.behind:
            self._look(self.position)

    def take(self, most: int) -> list[Message]:
        """Take at most so many due entries into the model; or pack a piece of a checkpoint."""
        heard: list[Message] = []
        if self._checkpoints.pack():
            return heard
        for _ in range(most):
            if not self.behind:
                break
            entry = self._next
            self._look(self._due)
            if isinstance(entry, Recorded):
                heard += self.model.take(entry.at, [entry.message])
            self._until = self._due
            self._read()
        self._checkpoints.keep(
            self.archive.bytes_to(self._next_position), self.model, self._checkpoint
        )
        if not self.behind:
            self._look(self.position)
        return heard

    def _look(self, now: int) -> None:
        """Check for what is overdue, at fixed times, so that the way here makes no difference."""
        due = self._looked + _TICK
        while due <= now:
            if due - self._until > _SILENCE:
                due = now // _TICK * _TICK
            self.model.tick(due)
            self._looked, due = due, due + _TICK
        self.model.now = now

    def _begin(self, place: Position) -> None:
        """Start over from a position with an empty model."""
        self._model(self._empty())
        self._from(place, 0)
        self.known_from = self._due
        self._until, self._looked = self._due, self._due // _TICK * _TICK

    def _restore(self, known: Checkpoint) -> None:
        self._model(known.model())
        self._from(known.position, known.until)
        self.known_from = known.known_from
        self._looked = known.looked

    def _model(self, model: StoreModel) -> None:
        """Replace the model, but keep what the operator has silenced."""
        model.alarms.silences = self.model.alarms.silences
        self.model = model

    def _from(self, place: Position, until: int) -> None:
        self._after = place
        self._until = until
        self._next, self._due = None, self.archive.start
        self._entries: Iterator[tuple[Position, Recorded | Connected]] = self.archive.entries(place)
        self.trouble = ""
        self._read()

    def _read(self) -> None:
        """Read the next entry; if the recorder's clock went back, time stands still."""
        self._next_position = self._after
        try:
            self._after, self._next = next(self._entries)
            self._due = max(self._until, self._next.at)
        except StopIteration:
            self._next = None
        except JournalError as error:
            self._next, self.trouble, self.playing = None, str(error), False

    def _checkpoint(self) -> Checkpoint:
        ahead = self.archive.bytes_to(self._next_position)
        return checkpoint(
            self.model, ahead, self._next_position, self._until, self._looked, self.known_from
        )
