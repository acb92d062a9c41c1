"""What every screen of the console has: the line of tabs, the keys, and a redraw at its time."""

from collections.abc import Iterable
from contextlib import suppress
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.css.query import NoMatches
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Footer

from tui.desk import Desk
from tui.model.sentence import marked
from tui.picture.paper import Line
from tui.widgets.bindings import translated
from tui.widgets.top import Top

TABS = {
    "store": marked("Store"),
    "traffic": marked("Traffic"),
    "orders": marked("Orders"),
    "stock": marked("Stock"),
    "alarms": marked("Alarms"),
}


class ConsoleScreen(Screen[None]):
    """A screen that is drawn anew from the model at a steady rate, and never per message."""

    TAB: ClassVar[str]
    """The tab that is marked."""
    HELP_TEXT: ClassVar[str] = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark", "app.explain", marked("Help"), key_display="?"),
    ]

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self._bindings = translated(self._bindings, desk.say)

    def _(self, text: str, **values: object) -> str:
        """A text in the operator's language."""
        return self.desk.say(text, **values)

    def compose(self) -> ComposeResult:
        """Tabs above, keys below."""
        yield Top()
        yield from self.body()
        yield Footer(show_command_palette=False, compact=True)

    def body(self) -> Iterable[Widget]:
        """What stands between tabs and keys."""
        raise NotImplementedError

    def on_screen_resume(self) -> None:
        """Draw what has changed while another screen was looked at."""
        self.call_after_refresh(self.draw)

    def on_resize(self) -> None:
        """Draw to the new size."""
        self.call_after_refresh(self.draw)

    def draw(self) -> None:
        """Draw the whole screen from the model; nothing while it is made or taken down."""
        with suppress(NoMatches):
            unseen = self.desk.model.alarms.unseen()
            badges = {"alarms": f" ▲{unseen}"} if unseen else {}
            tabs = [
                (name, f"{place + 1} {self._(title)}{badges.get(name, '')}")
                for place, (name, title) in enumerate(TABS.items())
            ]
            self.query_one(Top).show(tabs, self.TAB, self._status())
            self.show()

    def show(self) -> None:
        """Draw what stands between tabs and keys."""
        raise NotImplementedError

    def preset(self) -> dict[str, object]:
        """What is looked at, to begin a form with."""
        return {}

    def _status(self) -> Line:
        model, feed = self.desk.model, self.desk.feed
        rate = self._("{count}/s", count=model.rate.last(self.desk.clock()))
        if feed is None:
            return [(rate, ""), (model.topics.site, "dim")]
        if not feed.up:
            trouble = self._("no broker at {broker}: trying again", broker=feed.broker)
            return [("✖ " + trouble, "bad")]
        line: Line = [(rate, ""), (model.topics.site, "dim"), (feed.name, "dim")]
        if feed.dropped:
            line.insert(0, ("▲ " + self._("{count} not shown", count=feed.dropped), "warn"))
        return line
