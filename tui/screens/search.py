"""Looks for an order, a node, a style, an alarm or a topic, from any screen."""

from collections.abc import Iterable
from contextlib import suppress
from operator import attrgetter
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.css.query import NoMatches
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Input

from bus.contract.errors import Problem, StorebusError
from bus.text.safe import visible
from bus.text.sentence import marked
from tui.context import ConsoleContext
from tui.model.search import SearchHit, search
from tui.model.target import Target
from tui.rendering.canvas import Line
from tui.rendering.search import TABLE, row
from tui.widgets.bindings import translated
from tui.widgets.key_bar import KeyBar
from tui.widgets.line_list import LineList


class SearchScreen(ModalScreen[Target | None]):
    """What is found is shown as it is typed; Enter opens it.

    An order that was never heard of here is asked of settlement.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", marked("Open")),
        Binding("up", "move(-1)", show=False, priority=True),
        Binding("down", "move(1)", show=False, priority=True),
        Binding("pageup", "page(-1)", show=False, priority=True),
        Binding("pagedown", "page(1)", show=False, priority=True),
        Binding("ctrl+s", "ask", marked("Ask settlement"), priority=True),
        Binding("escape", "dismiss", marked("Close")),
    ]

    def __init__(self, context: ConsoleContext) -> None:
        super().__init__()
        self.context = context
        self._said: Line = []
        """What came of asking settlement."""
        self._bindings = translated(self._bindings, context.say)

    def _(self, text: str, **values: object) -> str:
        return self.context.say(text, **values)

    def compose(self) -> ComposeResult:
        """What is typed, and what is found."""
        with Vertical(id="finder"):
            yield from self._body()
            yield KeyBar()

    def _body(self) -> Iterable[Widget]:
        hint = self._("order, pickup code, terminal, account, node, style, alarm or topic")
        yield Input(id="wanted", compact=True, placeholder=hint)
        yield LineList(cursor=False, id="heading")
        yield LineList(id="found")
        yield LineList(cursor=False, id="note")

    def on_mount(self) -> None:
        """What is typed is looked for."""
        self.query_one(Input).focus()
        self.call_after_refresh(self.draw)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 - as in DOMNode
        """Nobody can be asked where nothing is heard."""
        return action != "ask" or self.context.feed is not None

    @property
    def wanted(self) -> str:
        """What is looked for."""
        return self.query_one(Input).value.strip()

    def draw(self) -> None:
        """Show what is found by now; the chosen one stays so. Nothing while it is made."""
        with suppress(NoMatches):
            self._draw()

    def _draw(self) -> None:
        table = self.query_one("#found", LineList)
        canvas = self.context.canvas(table.size.width, table.size.height)
        found = search(self.context.model, self.wanted)
        self.query_one("#heading", LineList).show([TABLE.heading(canvas)] if found else [[]])
        table.show(
            found,
            lambda each, _: row(each, self.context.model, canvas),
            place=table.stays(found, attrgetter("target")) or (table.place if table.moved else 0),
        )
        note = self.query_one("#note", LineList)
        lines = canvas.lines([], self._note(len(found)))
        note.styles.height = len(lines)
        note.show(lines)

    def _note(self, count: int) -> Line:
        if self._said:
            return self._said
        if not self.wanted:
            return [(self._("Type a part of it: matches are shown at once."), "dim")]
        if count:
            return [(self._("{count} found", count=count), "dim")]
        none = self._("Nothing that was heard here contains {wanted}.", wanted=self.wanted)
        if self.context.feed is None:
            return [(none, "warn")]
        ask = self._("Enter asks settlement whether it knows such an order.")
        return [(f"{none} ", "warn"), (ask, "key")]

    @on(Input.Changed)
    def changed(self) -> None:
        """Something else is looked for."""
        self._said = []
        self.query_one("#found", LineList).moved = False
        self.draw()

    @on(Input.Submitted)
    @on(LineList.Chosen)
    def action_open(self) -> None:
        """Open what is chosen; ask settlement where nothing is found."""
        item = self.query_one("#found", LineList).item
        if isinstance(item, SearchHit):
            self.dismiss(item.target)
        elif self.wanted and self.context.feed is not None:
            self.action_ask()

    @work(exclusive=True)
    async def action_ask(self) -> None:
        """Ask settlement for an order that was never heard of here."""
        wanted, feed = self.wanted, self.context.feed
        if feed is None or not wanted:
            return
        self._tell("… " + self._("settlement is asked"), "dim")
        try:
            found = await feed.find(wanted)
        except Problem as problem:
            data = problem.to_data()
            self._tell(f"✖ {data.status} {data.code}: {data.detail}", "bad")
            return
        except StorebusError as error:
            self._tell(f"✖ {error}", "bad")
            return
        if wanted != self.wanted:
            return
        if len(found) == 1:
            self.dismiss(Target("order", found[0]))
        elif found:
            self._tell(self._("settlement knows {count} orders with it", count=len(found)), "good")
        else:
            self._tell(
                "✖ " + self._(
                    "There is no such order: settlement knows none with the id or the open pickup"
                    " code {wanted}, and none of its last 1,000 orders has it in its id or"
                    " terminal.",
                    wanted=wanted,
                ),
                "bad",
            )  # fmt: skip

    def _tell(self, words: str, style: str) -> None:
        self._said = [(visible(words), style)]
        self.draw()

    def action_move(self, step: int) -> None:
        """Choose another."""
        self.query_one("#found", LineList).action_move(step)

    def action_page(self, step: int) -> None:
        """Go on by what fits."""
        self.query_one("#found", LineList).action_page(step)
