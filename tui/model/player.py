"""A recording that is played into a model: its clock, its speed, and where it is.

It knows no real time: whoever plays says how much of it has passed. What the model is at a time
does not depend on the way there: it is looked at each few seconds of the recording's own time.
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
"""Milliseconds of the recording between two looks at what has not happened."""
_SILENCE = 600_000
"""Milliseconds without a message after which nothing new becomes of that."""
_AGAIN = 2_000
"""Milliseconds after a minute's begin in which "back" means the minute before."""
_FAR = 256_000_000
"""Bytes that are skipped rather than played when a time is gone to."""
_AHEAD = 64_000_000
"""Bytes ahead of that time that are played, to know what was going on."""


class Player:
    """Plays a recording.

    Args:
        tape: the recording.
        empty: makes a model that has heard nothing.
        playing: whether it begins to play at once.
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
        """The time that is played or gone to, in milliseconds since the epoch."""
        return int(self._position)

    @property
    def at(self) -> int:
        """How far the model has come."""
        return self._until if self.behind else self.position

    @property
    def speed(self) -> int:
        """How many times as fast as it happened."""
        return SPEEDS[self._speed_index]

    @property
    def behind(self) -> bool:
        """Whether there are messages up to the position that the model has not heard yet."""
        return self._next is not None and self._due <= self._position

    @property
    def skipped(self) -> bool:
        """Whether the model does not know of what was said at the beginning."""
        return self.known_from > self.archive.start

    def play(self) -> None:
        """Play, or pause; from the beginning if it has ended."""
        if not self.playing and self.position >= self.archive.end:
            self.seek(self.archive.start)
        self.playing = not self.playing

    def faster(self, steps: int) -> None:
        """Go through the speeds."""
        self._speed_index = max(0, min(len(SPEEDS) - 1, self._speed_index + steps))

    def seek(self, to: int) -> None:
        """Go to a time; to one that has passed with a model that is built anew."""
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
        """Go to the begin of the next minute of the day, or of this or the last one."""
        if steps > 0:
            self.seek((self.position // MINUTE + 1) * MINUTE)
        else:
            self.seek((self.position - _AGAIN * self.speed) // MINUTE * MINUTE)

    def pass_(self, milliseconds: float) -> None:
        """So much real time has passed; the recording waits for a model that is behind."""
        if not self.playing or self.behind:
            return
        self._position = min(self._position + milliseconds * self.speed, float(self.archive.end))
        self.playing = self.position < self.archive.end
        if not self.behind:
            self._look(self.position)

    def take(self, most: int) -> list[Message]:
        """Let the model hear what is due, at most so many entries; or pack a checkpoint."""
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
        """Look at what has not happened, at the times at which that is done on any way here."""
        due = self._looked + _TICK
        while due <= now:
            if due - self._until > _SILENCE:
                due = now // _TICK * _TICK
            self.model.tick(due)
            self._looked, due = due, due + _TICK
        self.model.now = now

    def _begin(self, place: Position) -> None:
        """Hear nothing but what is said from a place on."""
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
        """Another model; what the operator has silenced stays so."""
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
        """The next entry; where the recorder's clock went back, time stands still."""
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
