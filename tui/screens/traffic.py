"""The traffic screen."""

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.widget import Widget
from textual.widgets import Input

from bus.contract.errors import JournalError
from bus.history.filter import FilterError
from bus.history.message import Message
from bus.text.safe import decoded, visible
from bus.text.sentence import Sentence, marked
from tui.context import ConsoleContext
from tui.model.export import export
from tui.rendering.canvas import Line
from tui.rendering.detail import detail
from tui.rendering.traffic import TABLE, row
from tui.screens.base import ConsoleScreen
from tui.screens.prompt import Prompt
from tui.widgets.line_list import LineList, widest


class TrafficScreen(ConsoleScreen):
    """The messages: followed or paused, filtered, searched, and opened."""

    TAB = "traffic"
    HELP_TEXT: ClassVar[str] = marked(
        "A filter is made of words: from:terminal-7 op:purchase status:>=400 text:mug. Words are"
        " joined by and; -word turns one round; commas mean or; a value may end with *. What the"
        " contract does not have is asked about; op:=dance insists. f filters; F finds among what"
        " is shown, n and N the next and the one before; / searches the whole store. Words:"
        " from, to, node, op, kind (req, rep, state, event, foreign), order, id, topic, code,"
        " status, size, latency, repeats, text. Signs: → request, ← reply, ■ state, ! event,"
        " ? foreign, ✖ problem, ×3 heard three times."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", marked("Open"), show=False),
        Binding("space", "pause", marked("Pause")),
        Binding("f", "filter", marked("Filter")),
        Binding("F", "seek", marked("Find")),
        Binding("n", "find(1)", marked("Next"), show=False),
        Binding("N", "find(-1)", marked("Previous"), show=False),
        Binding("r", "other", marked("Reply")),
        Binding("c", "cause", marked("Cause")),
        Binding("d", "difference", marked("Diff")),
        Binding("y", "copy", marked("Copy")),
        Binding("E", "again", marked("Resend")),
        Binding("w", "export", marked("Write into a file")),
        Binding("escape", "close", marked("Close"), show=False),
    ]

    def __init__(self, context: ConsoleContext) -> None:
        super().__init__(context)
        self._opened: Message | None = None
        self._compare = False
        self._word = ""
        self._note: Sentence | None = None
        """What is wrong with the input, or was not found."""

    def body(self) -> Iterable[Widget]:
        """The list, the opened message, and the inputs."""
        yield LineList(cursor=False, id="heading")
        with Container(id="panes"):
            yield LineList(id="traffic")
            yield LineList(cursor=False, id="detail")
        yield LineList(cursor=False, id="note")
        yield Input(id="filter", compact=True, placeholder=self._("from:terminal-7 op:purchase"))
        yield Input(id="seek", compact=True, placeholder=self._("find among these messages"))

    def on_mount(self) -> None:
        """Focus the list."""
        self._lines("traffic").focus()

    def show(self) -> None:
        """Draw the list and the state of the view."""
        view = self.context.view
        lines = self._lines("traffic")
        canvas = self.context.canvas(lines.size.width, lines.size.height)
        self._lines("heading").show([TABLE.heading(canvas)])
        if lines.moved:  # a key is heard before its message is
            self._hold()
        if view.paused:
            lines.show(view, lambda message, _: row(message, canvas))
        else:
            lines.show(view, lambda message, _: row(message, canvas), follow=True)
        state, note = self._state(), self._lines("note")
        note.styles.height = len(state)
        note.show(state)

    def set_filter(self, words: str) -> None:
        """Show what passes a filter."""
        self.context.view.set_filter(words)
        self.context.view.pause(paused=False)
        self._lines("traffic").moved = False
        self.draw()

    def _state(self) -> list[Line]:
        view, history = self.context.view, self.context.model.history
        canvas = self.context.canvas(self.size.width, 1)
        if self._note is not None:
            return canvas.lines([("✖ ", "bad")], [(self._note.said(self.context.say), "bad")])
        of = self._("  of {count}  filter: ", count=len(history)) if view.filter else ""
        held = self._("paused, {count} more", count=view.missed)
        forgotten = self._("  {count} older ones forgotten", count=history.dropped)
        line = canvas.fitted(
            (0, self._("{count} messages", count=len(view)), ""),
            (2, of, "dim"),
            (1, view.filter, "key"),
            (0, f"  ‖ {held}" if view.paused else "", "warn"),
            (3, forgotten if history.dropped else "", "dim"),
        )
        return [line]

    def _lines(self, name: str) -> LineList:
        return self.query_one(f"#{name}", LineList)

    @property
    def chosen(self) -> Message | None:
        """The selected message."""
        item = self._lines("traffic").item
        return item if isinstance(item, Message) else None

    def go_to(self, message: Message | None, missing: Sentence) -> None:
        """Pause and select a message; clear the filter if it hides it."""
        view = self.context.view
        if message is None:
            self._note = missing
            self.draw()
            return
        self._hold()
        place = view.place(message.number)
        if place == len(view) or view[place] is not message:
            view.set_filter("")
            self.query_one("#filter", Input).value = ""
            place = view.place(message.number)
        self._note = None
        self._lines("traffic").show(view, place=place)
        self._look()
        self.draw()

    def action_pause(self) -> None:
        """Pause, or follow again."""
        self.context.view.pause(paused=not self.context.view.paused)
        self._lines("traffic").moved = False
        self.draw()

    def _hold(self) -> None:
        if not self.context.view.paused:
            self.context.view.pause(paused=True)

    @on(LineList.Moved, "#traffic")
    def hold(self) -> None:
        """Moving in the list pauses it."""
        self._hold()
        if self._opened is not None:
            self._look()

    @on(LineList.Chosen, "#traffic")
    def action_open(self) -> None:
        """Open the selected message."""
        self._hold()
        self._look()

    def _look(self) -> None:
        message = self.chosen
        self._opened = message
        pane = self._lines("detail")
        self.set_class(message is not None, "-opened")
        if message is None:
            return
        before = self.context.model.history.previous(message) if self._compare else None
        lines = detail(message, self.context.canvas(pane.size.width, pane.size.height), before)
        pane.show(lines, width=widest(lines))
        pane.scroll_to(0, 0, animate=False)

    def action_close(self) -> None:
        """Close the message, the inputs and the note."""
        for name in ("filter", "seek"):
            self.query_one(f"#{name}", Input).remove_class("-shown")
        if not self._lines("traffic").has_focus:
            self._lines("traffic").focus()
        self._opened, self._compare, self._note = None, False, None
        self.remove_class("-opened")
        self.draw()

    def action_filter(self) -> None:
        """Type a filter."""
        self._type("filter", self.context.view.filter)

    def action_seek(self) -> None:
        """Type a text to find."""
        self._type("seek", self._word)

    def _type(self, name: str, value: str) -> None:
        typed = self.query_one(f"#{name}", Input)
        typed.value = value
        typed.add_class("-shown")
        typed.focus()

    @on(Input.Submitted, "#filter")
    def filtered(self, event: Input.Submitted) -> None:
        """Apply the filter, or show what is wrong."""
        try:
            self.context.view.set_filter(event.value)
        except FilterError as error:
            self._note = error.sentence
            self.draw()
            return
        self.action_close()

    @on(Input.Submitted, "#seek")
    def sought(self, event: Input.Submitted) -> None:
        """Go to the first match."""
        self._word = event.value
        self.action_close()
        self.action_find(1)

    def action_find(self, step: int) -> None:
        """Go to the next or previous match."""
        if not self._word:
            return
        view = self.context.view
        self._hold()
        try:
            place = view.search(self._word, self._lines("traffic").place, back=step < 0)
        except FilterError as error:
            self._note = error.sentence
            self.draw()
            return
        found = None if place is None else view[place]
        self.go_to(found, Sentence("{word} is not in what is shown", word=self._word))

    def action_other(self) -> None:
        """Go from a reply to its request, or from a request to its reply."""
        message, history = self.chosen, self.context.model.history
        if message is None:
            return
        if message.kind == "rep":
            missing = Sentence("its request was not heard, or is forgotten")
            self.go_to(history.request_of(message), missing)
        else:
            self.go_to(history.reply_of(message), Sentence("no reply to it was heard"))

    def action_cause(self) -> None:
        """Go to the message that caused this one."""
        message = self.chosen
        if message is not None:
            missing = Sentence("it names no cause that is still kept")
            self.go_to(self.context.model.history.cause_of(message), missing)

    def action_difference(self) -> None:
        """Toggle the comparison with the previous message on the topic."""
        self._compare = not self._compare
        message = self.chosen
        if self._compare and message and self.context.model.history.previous(message) is None:
            self._compare = False
            self._note = Sentence("nothing was heard on this topic before")
        self._hold()
        self._look()
        self.draw()

    def action_copy(self) -> None:
        """Copy the payload to the clipboard, if the terminal supports that."""
        if self.chosen is not None:
            self.app.copy_to_clipboard(decoded(self.chosen.payload))
            self.notify(self._("copied"), markup=False)

    def action_export(self) -> None:
        """Write the filtered messages into a file."""
        words = self._(
            "Write these {count} messages into which new file? .csv makes a table, anything else a"
            " recording; it holds payment tokens and is readable by you only.",
            count=len(self.context.view),
        )
        self.app.push_screen(Prompt(self.context, words, self.context.file_name(), self._export))

    def _export(self, name: str) -> str:
        view = self.context.view
        try:
            count = export((view[place] for place in range(len(view))), Path(name).expanduser())
        except JournalError as error:
            return str(error)
        done = self._("{count} messages are in {file}", count=count, file=name)
        self.notify(visible(done), markup=False)
        return ""

    async def action_again(self) -> None:
        """Open a form to send the request again."""
        message = self.chosen
        if message is not None:
            self._hold()
            await self.app.run_action(f"send_again({message.number})")
