"""What the screens share: the model, what of it is looked at, and the way to the store."""

from collections.abc import Callable
from dataclasses import dataclass

from bus.texts import Texts
from tui.feed import Feed
from tui.model.store import StoreModel
from tui.model.view import View
from tui.picture.paper import Paper


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

    def paper(self, width: int, height: int) -> Paper:
        """Something to draw on."""
        return Paper(width, height, self.say, self.clock())

    @property
    def up(self) -> bool:
        """Whether the store is heard."""
        return self.feed is None or self.feed.up
