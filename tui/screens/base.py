"""The base of the console's screens: tabs, keys, and redrawing at a steady rate."""

from collections.abc import Iterable
from contextlib import suppress
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.css.query import NoMatches
from textual.message import Message
from textual.screen import Screen
from textual.widget import Widget

from bus.history.message import read
from bus.link import Incoming
from bus.text.sentence import marked
from tui.context import ConsoleContext
from tui.model.player import Player
from tui.model.target import Target
from tui.model.topics import Topic
from tui.model.when import WhenError, when
from tui.rendering.canvas import Line
from tui.rendering.detail import detail
from tui.rendering.replay import strip
from tui.screens.prompt import Prompt
from tui.screens.sheet import Sheet
from tui.widgets.bindings import translated
from tui.widgets.key_bar import KeyBar
from tui.widgets.line_list import LineList
from tui.widgets.top import Top

TABS = {
    "store": marked("Store"),
    "traffic": marked("Traffic"),
    "orders": marked("Orders"),
    "stock": marked("Stock"),
    "alarms": marked("Alarms"),
    "topics": marked("Topics"),
}


class ConsoleScreen(Screen[None]):
    """A screen that is drawn from the model at a steady rate, never per message."""

    TAB: ClassVar[str]
    """The tab that is highlighted."""
    BLANK = True
    """The screen is covered by widgets, so its background need not be rendered."""
    HELP_TEXT: ClassVar[str] = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "app.search", marked("Search"), key_display="/"),
        Binding("question_mark", "app.explain", marked("Help"), key_display="?"),
        Binding("P", "play", marked("Play or pause")),
        Binding("greater_than_sign", "speed(1)", marked("Speed"), key_display="< >"),
        Binding("less_than_sign", "speed(-1)", show=False),
        Binding("right_square_bracket", "minute(1)", marked("Minute"), key_display="[ ]"),
        Binding("left_square_bracket", "minute(-1)", show=False),
        Binding("g", "time", marked("Go to")),
        Binding(
            "right_curly_bracket", "edge(1)", marked("To the end"), show=False, key_display="}"
        ),
        Binding(
            "left_curly_bracket", "edge(0)", marked("To the beginning"), show=False, key_display="{"
        ),
    ]

    class Opened(Message):
        """A target is to be opened."""

        def __init__(self, target: Target) -> None:
            super().__init__()
            self.target = target

    class Filtered(Message):
        """The traffic is to be shown through a filter."""

        def __init__(self, words: str) -> None:
            super().__init__()
            self.words = words

    def __init__(self, context: ConsoleContext) -> None:
        super().__init__()
        self.context = context
        self._bindings = translated(self._bindings, context.say)

    def _(self, text: str, **values: object) -> str:
        """A text in the operator's language."""
        return self.context.say(text, **values)

    def compose(self) -> ComposeResult:
        """Tabs above, keys below."""
        yield Top()
        if self.context.player is not None:
            yield LineList(cursor=False, id="replay")
        yield from self.body()
        yield KeyBar()

    def body(self) -> Iterable[Widget]:
        """The widgets between tabs and keys."""
        raise NotImplementedError

    def on_screen_resume(self) -> None:
        """Draw the screen before it is shown again."""
        self.draw()

    def on_resize(self) -> None:
        """Draw for the new size."""
        self.call_after_refresh(self.draw)

    def draw(self) -> None:
        """Draw the screen from the model; do nothing while it is being composed or removed."""
        with suppress(NoMatches):
            unseen = self.context.model.alarms.unseen()
            badges = {"alarms": f" ▲{unseen}"} if unseen else {}
            tabs = [
                (name, f"{place + 1} {self._(title)}{badges.get(name, '')}")
                for place, (name, title) in enumerate(TABS.items())
            ]
            self.query_one(Top).show(tabs, self.TAB, self._status())
            if self.context.player is not None:
                canvas = self.context.canvas(self.size.width, 1)
                self.query_one("#replay", LineList).show([strip(self.context.player, canvas)])
            self.show()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 - as in DOMNode
        """Whether an action is available."""
        return self.context.offers(action)

    def action_play(self) -> None:
        """Play or pause the recording."""
        self._player.play()
        self.draw()

    def action_speed(self, steps: int) -> None:
        """Change the speed."""
        self._player.faster(steps)
        self.draw()

    def action_minute(self, steps: int) -> None:
        """Go to the next or the last minute."""
        self._player.minute(steps)

    def action_edge(self, end: int) -> None:
        """Go to the beginning or the end."""
        archive = self._player.archive
        self._player.seek(archive.end if end else archive.start)

    def action_time(self) -> None:
        """Go to a time that the operator types."""
        words = self._("Go to which time? Such as 14:02, 14:02:30, 2026-11-22 14:02, +90s or -5m")
        self.app.push_screen(Prompt(self.context, words, "", self._go_to))

    def _go_to(self, text: str) -> str:
        player = self._player
        try:
            player.seek(when(text, player.position, player.archive.start, player.archive.end))
        except WhenError as error:
            return error.sentence.said(self.context.say)
        return ""

    @property
    def _player(self) -> Player:
        assert self.context.player is not None
        return self.context.player

    def show(self) -> None:
        """Draw the widgets between tabs and keys."""
        raise NotImplementedError

    def preset(self) -> dict[str, object]:
        """The selection, to fill in a form with."""
        return {}

    def open(self, target: Target) -> None:
        """Open a target."""
        self.post_message(self.Opened(target))

    def show_topic(self, topic: Topic) -> None:
        """Show the last value of a topic in full."""
        canvas = self.context.canvas(self.size.width - 8, self.size.height - 4)
        message = self.context.model.history.get(topic.number)
        if message is None and topic.value is not None:
            kept = Incoming(topic.name, topic.value, topic.is_retained)
            message = read(self.context.model.topics, topic.number, topic.at, kept)
        forgotten: list[Line] = [[(canvas._("this value is forgotten"), "dim")]]
        lines = forgotten if message is None else detail(message, canvas)
        self.app.push_screen(Sheet(self.context, lines))

    def show_message(self, number: int) -> None:
        """Show a message in full, if it is still kept."""
        message = self.context.model.history.get(number)
        canvas = self.context.canvas(self.size.width - 8, self.size.height - 4)
        forgotten: list[Line] = [[(canvas._("this message is forgotten"), "dim")]]
        lines = forgotten if message is None else detail(message, canvas)
        self.app.push_screen(Sheet(self.context, lines))

    def _status(self) -> Line:
        model, feed = self.context.model, self.context.feed
        rate = self._("{count}/s", count=model.rate.last(self.context.clock()))
        if feed is None:
            return [(rate, ""), (model.topics.site, "dim")]
        if feed.says is not None:
            return [("✖ " + feed.says.said(self.context.say), "bad")]
        line: Line = [(rate, ""), (model.topics.site, "dim"), (feed.name, "dim")]
        if feed.dropped:
            line.insert(0, ("▲ " + self._("{count} not shown", count=feed.dropped), "warn"))
        if self.context.kept is not None and self.context.kept.trouble:
            line.insert(0, ("▲ " + self._("alarms are not kept"), "warn"))
        recorder = self.context.recorder
        if recorder is not None and recorder.path is not None:
            line.insert(0, ("● " + self._("recorded: {count}", count=recorder.messages), "bad"))
        elif recorder is not None and recorder.trouble:
            line.insert(0, ("✖ " + self._("nothing is recorded any more"), "bad"))
        return line
