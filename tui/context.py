"""What the screens share: the model, the view of the traffic, and the connection to the store."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from bus.text.texts import Texts
from tui.alarm_file import AlarmFile
from tui.feed import Feed
from tui.model.player import Player
from tui.model.store import StoreModel
from tui.model.view import View
from tui.recorder import ConsoleRecorder
from tui.rendering.canvas import Canvas
from tui.scheduler import FeedScheduler
from tui.senders import Senders

_SENDING = frozenset({"act", "again", "do", "inject", "send_again"})
"""Actions that are not available for a recording: there is no store to ask."""
_CHANGING = frozenset({"act", "again", "do", "inject"})
"""Actions that open a form that can change the store."""
_PLAYING = frozenset({"play", "speed", "minute", "edge", "time"})
"""Actions that are available for a recording only."""


@dataclass(slots=True)
class ConsoleContext:
    """What all screens of a console share."""

    model: StoreModel
    view: View
    """The filtered traffic."""
    say: Texts
    clock: Callable[[], int]
    """Milliseconds since the epoch."""
    feed: Feed | None = None
    """None if there is no connection to a store."""
    player: Player | None = None
    """None if this is not a recording."""
    recorder: ConsoleRecorder | None = None
    """Records the traffic; None if there is no connection to a store."""
    kept: AlarmFile | None = None
    """The file with the alarms; None if they are not kept."""
    senders: Senders | None = None
    """Asks the broker for senders; None if it cannot be asked."""
    scheduler: FeedScheduler = field(default_factory=FeedScheduler)
    """Divides the time between feed and keys."""

    def offers(self, action: str) -> bool:
        """Whether an action is available."""
        name = _name(action)
        if self.player is not None:
            return name not in _SENDING and name != "record"
        return name not in _PLAYING and (name != "record" or self.recorder is not None)

    @staticmethod
    def changes(action: str) -> bool:
        """Whether an action opens a form that can change the store."""
        return _name(action) in _CHANGING

    def file_name(self, ending: str = "jsonl") -> str:
        """A name for a new file."""
        now = datetime.fromtimestamp(self.clock() // 1000)  # noqa: DTZ006 - the operator's own
        return f"{self.model.topics.site}-{now:%Y%m%d-%H%M%S}.{ending}"

    def canvas(self, width: int, height: int) -> Canvas:
        """A canvas of a size, for the present time."""
        return Canvas(width, height, self.say, self.clock())

    @property
    def up(self) -> bool:
        """Whether there is a connection to the store."""
        return self.feed is None or self.feed.up


def _name(action: str) -> str:
    """The name of an action: `act` for `app.act('cancel')`."""
    return action.partition("(")[0].rpartition(".")[2]
