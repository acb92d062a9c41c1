"""What the screens share: the model, what of it is looked at, and the way to the store."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from bus.text.texts import Texts
from tui.alarm_file import AlarmFile
from tui.feed import Feed
from tui.model.player import Player
from tui.model.store import StoreModel
from tui.model.view import View
from tui.recorder import Taping
from tui.rendering.canvas import Paper
from tui.scheduler import Pace
from tui.senders import Senders

_SENDING = frozenset({"act", "again", "do", "inject", "send_again"})
"""What makes no sense on a recording: nobody is there who could be asked."""
_CHANGING = frozenset({"act", "again", "do", "inject"})
"""What opens a form that can change the store."""
_PLAYING = frozenset({"play", "speed", "minute", "edge", "time"})
"""What makes sense on a recording only."""


@dataclass(slots=True)
class Desk:
    """An operator's desk."""

    model: StoreModel
    view: View
    """The traffic that is looked at."""
    say: Texts
    clock: Callable[[], int]
    """Milliseconds since the epoch."""
    feed: Feed | None = None
    """None where nothing is heard, and nothing can be asked."""
    player: Player | None = None
    """Of the recording that is looked at, if it is one."""
    taping: Taping | None = None
    """What can be recorded; None where nothing is heard."""
    kept: AlarmFile | None = None
    """Where its alarms are kept; None where they are not."""
    senders: Senders | None = None
    """Whom the broker names as senders; None where it cannot be asked."""
    pace: Pace = field(default_factory=Pace)
    """Of what is heard, beside the keys."""

    def offers(self, action: str) -> bool:
        """Whether an action makes sense here."""
        name = _name(action)
        if self.player is not None:
            return name not in _SENDING and name != "record"
        return name not in _PLAYING and (name != "record" or self.taping is not None)

    @staticmethod
    def changes(action: str) -> bool:
        """Whether an action opens a form that can change the store."""
        return _name(action) in _CHANGING

    def file_name(self, ending: str = "jsonl") -> str:
        """A proposal for a new file."""
        now = datetime.fromtimestamp(self.clock() // 1000)  # noqa: DTZ006 - the operator's own
        return f"{self.model.topics.site}-{now:%Y%m%d-%H%M%S}.{ending}"

    def paper(self, width: int, height: int) -> Paper:
        """Something to draw on."""
        return Paper(width, height, self.say, self.clock())

    @property
    def up(self) -> bool:
        """Whether the store is heard."""
        return self.feed is None or self.feed.up


def _name(action: str) -> str:
    """Of an action as a key has it: `app.act('cancel')` is `act`."""
    return action.partition("(")[0].rpartition(".")[2]
