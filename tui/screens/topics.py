"""The topics screen."""

from collections.abc import Iterable
from operator import attrgetter
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Input

from bus.text.sentence import marked
from tui.context import ConsoleContext
from tui.model.topics import Branch, SeenTopics, Topic, grown, rows
from tui.rendering.canvas import Line
from tui.rendering.topics import TABLE, row
from tui.screens.base import ConsoleScreen
from tui.widgets.line_list import LineList

_OPEN = 1
"""Levels that are open at first."""
_AGAIN = 1_000
"""The least milliseconds between two rebuilds of the tree for new topics."""


class TopicsScreen(ConsoleScreen):
    """The topic tree."""

    TAB = "topics"
    HELP_TEXT: ClassVar[str] = marked(
        "The topics that were heard on, as a tree: how many messages, how many a second, when the"
        " last came and what it says. ■ is retained: the broker gives it to whoever comes. Right"
        " and left open and close a branch, E and W all of them, Enter shows a value in full, and f"
        " shows only the topics with a text."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", marked("Open")),
        Binding("right,l", "fold(1)", marked("Open branch"), key_display="← →"),
        Binding("left,h", "fold(0)", show=False),
        Binding("E", "fold_all(1)", marked("Open all"), show=False),
        Binding("W", "fold_all(0)", marked("Close all"), show=False),
        Binding("f", "filter", marked("Filter")),
        Binding("escape", "close", marked("Close"), show=False),
    ]

    def __init__(self, context: ConsoleContext) -> None:
        super().__init__(context)
        self._turned: set[str] = set()
        """Branches that the operator has opened or closed."""
        self._all_open = False
        self._word = ""
        self._grown: tuple[object, str] | None = None
        """The topics and the filter from which the tree was built."""
        self._topics = self._grown_at = 0
        """The number of topics in the tree, and when it was built."""
        self._tree = Branch("", "")

    def body(self) -> Iterable[Widget]:
        """The tree, and the input of the filter."""
        yield LineList(cursor=False, id="heading")
        yield LineList(id="topics")
        yield LineList(cursor=False, id="note")
        yield Input(id="filter", compact=True, placeholder=self._("a part of a topic"))

    def on_mount(self) -> None:
        """Focus the tree."""
        self.query_one("#topics").focus()

    def show(self) -> None:
        """Draw the tree; the selected branch stays selected."""
        table, heard = self.query_one("#topics", LineList), self.context.model.heard
        canvas = self.context.canvas(table.size.width, table.size.height)
        self.query_one("#heading", LineList).show([TABLE.heading(canvas)])
        self._grow(heard, canvas.now)
        shown = rows(self._tree, self._is_open)
        table.show(
            shown,
            lambda branch, _: row(branch, canvas, is_open=self._is_open(branch)),
            place=table.stays(shown, attrgetter("path")),
        )
        self.query_one("#note", LineList).show([self._note(len(heard))])

    def _grow(self, heard: SeenTopics, now: int) -> None:
        """Rebuild the tree for new topics, but not for each one, since it takes a while."""
        wanted, is_old = (heard, self._word), abs(now - self._grown_at) >= _AGAIN
        if self._grown != wanted or (self._topics != len(heard) and is_old):
            self._grown, self._topics, self._grown_at = wanted, len(heard), now
            self._tree = grown(heard, self._passes)

    def _note(self, count: int) -> Line:
        canvas = self.context.canvas(self.size.width, 1)
        forgotten = self.context.model.heard.unnamed
        more = canvas._("  {count} messages on others are not shown", count=forgotten)
        return canvas.fitted(
            (0, canvas._("{count} topics", count=count), ""),
            (1, canvas._("  with {word}", word=self._word) if self._word else "", "key"),
            (2, more if forgotten else "", "warn"),
        )

    def _passes(self, topic: Topic) -> bool:
        return self._word.casefold() in topic.name.casefold()

    def _is_open(self, branch: Branch) -> bool:
        at_first = self._all_open or bool(self._word) or branch.depth < _OPEN
        return at_first != (branch.path in self._turned)

    @property
    def branch(self) -> Branch | None:
        """The selected branch."""
        item = self.query_one("#topics", LineList).item
        return item if isinstance(item, Branch) else None

    def choose(self, topic: str) -> None:
        """Select a topic, with its parents open."""
        self._filter(topic)
        self.draw()
        table = self.query_one("#topics", LineList)
        for place, branch in enumerate(table.items):  # type: ignore[arg-type, var-annotated]
            if branch.path == topic:
                table.show(table.items, place=place)
                table.moved = True

    def action_fold(self, opens: int) -> None:
        """Open or close the selected branch; from a closed one, go to its parent."""
        branch, table = self.branch, self.query_one("#topics", LineList)
        if branch is None:
            return
        if branch.inner and self._is_open(branch) != bool(opens):
            self._turned ^= {branch.path}
        elif not opens:
            shown = rows(self._tree, self._is_open)
            above = [each for each in shown[: table.place] if each.depth < branch.depth]
            if above:
                table.show(shown, place=shown.index(above[-1]))
        table.moved = True
        self.draw()

    def action_fold_all(self, opens: int) -> None:
        """Open or close all branches."""
        self._all_open, self._turned = bool(opens), set()
        self.query_one("#topics", LineList).moved = True
        self.draw()

    @on(LineList.Chosen, "#topics")
    def action_open(self) -> None:
        """Show the value of a topic, or open or close a branch."""
        branch = self.branch
        if branch is not None and branch.topic is not None:
            self.show_topic(branch.topic)
        elif branch is not None:
            self.action_fold(int(not self._is_open(branch)))

    def action_filter(self) -> None:
        """Type a filter."""
        typed = self.query_one("#filter", Input)
        typed.value = self._word
        typed.add_class("-shown")
        typed.focus()

    @on(Input.Changed, "#filter")
    def typed(self, event: Input.Changed) -> None:
        """Filter as it is typed."""
        if event.input.has_focus:
            self._filter(event.value)
            self.draw()

    @on(Input.Submitted, "#filter")
    def filtered(self) -> None:
        """Go back to the tree."""
        self.query_one("#filter", Input).remove_class("-shown")
        self.query_one("#topics").focus()

    def _filter(self, word: str) -> None:
        if word.strip() != self._word:
            self._word, self._turned = word.strip(), set()

    def action_close(self) -> None:
        """Close the input, or clear the filter."""
        if self.query_one("#filter", Input).has_class("-shown"):
            self.filtered()
            return
        self._filter("")
        self.draw()
