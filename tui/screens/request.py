"""The form of a request: filled in, confirmed, sent, and answered."""

import json
from collections.abc import Iterable
from typing import Any, ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.suggester import SuggestFromList
from textual.widget import Widget
from textual.widgets import Input, Label

from bus.contract.errors import BrokenReply, Problem, StorebusError
from bus.runtime.admission import validate
from bus.text.safe import visible
from bus.text.sentence import marked
from tui.commands import Command, choices, command_for
from tui.context import ConsoleContext
from tui.model.form import Field, FormError, fields, read, written
from tui.model.tree import tree
from tui.rendering.canvas import Canvas, Line
from tui.rendering.detail import leaf_line
from tui.screens.confirm import Confirm
from tui.widgets.bindings import translated
from tui.widgets.key_bar import KeyBar
from tui.widgets.line_list import LineList


class RequestScreen(ModalScreen[None]):
    """The form of a command; without one, an operation is chosen first.

    Args:
        context: the operator's.
        wanted: the command; None to choose one.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "send", marked("Send"), priority=True),
        Binding("escape", "dismiss", marked("Close")),
    ]

    def __init__(self, context: ConsoleContext, wanted: Command | None = None) -> None:
        super().__init__()
        self.context = context
        self._command = wanted
        self._fields: list[Field] = []
        self._answer: list[Line] | None = None
        self._bindings = translated(self._bindings, context.say)

    def _(self, text: str, **values: object) -> str:
        return self.context.say(text, **values)

    def compose(self) -> ComposeResult:
        """Title or operation, fields, and preview or answer."""
        with Vertical(id="form"):
            if self._command is None:
                known = SuggestFromList(choices(self.context.model.nodes))
                hint = self._("node and operation, such as: settlement cancel")
                yield Input(id="operation", compact=True, suggester=known, placeholder=hint)
            else:
                yield Label(Text(visible(self._command.title.said(self.context.say))), id="title")
            with VerticalScroll(id="fields", can_focus=False):
                if self._command is not None:
                    yield from self._rows(self._command)
            yield LineList(cursor=False, id="preview")
            yield KeyBar()

    def _rows(self, wanted: Command) -> Iterable[Widget]:
        self._fields = fields(wanted.model)
        texts = written(self._fields, wanted.preset)
        if not self._fields:
            yield Label(self._("this has nothing to fill in"))
        for place, field in enumerate(self._fields):
            sign = "*" if field.required else " "
            yield Label(Text(f"{sign} {field.path}"), id=f"label-{place}")
            yield Input(
                texts.get(field.path, ""), id=f"field-{place}", compact=True,
                placeholder=self._hint(field),
                suggester=SuggestFromList(field.choices) if field.choices else None,
                type="integer" if field.sort == "integer" else "text",
            )  # fmt: skip

    def _hint(self, field: Field) -> str:
        hints = {"text": self._("text"), "integer": self._("whole number"), "json": "JSON",
                 "boolean": "true, false"}  # fmt: skip
        return ", ".join(filter(None, (", ".join(field.choices) or hints[field.sort], field.hint)))

    def on_mount(self) -> None:
        """Focus the first empty field."""
        inputs = list(self.query(Input))
        first = next((each for each in inputs if not each.value), inputs[0] if inputs else None)
        if first is not None:
            first.focus()
        self.call_after_refresh(self._preview)

    @on(Input.Submitted, "#operation")
    async def chosen(self, event: Input.Submitted) -> None:
        """An operation was chosen: show its fields."""
        callee, _, name = event.value.strip().partition(" ")
        wanted = command_for(callee, name.strip())
        rows = self.query_one("#fields")
        await rows.remove_children()
        self._command, self._answer = wanted, None
        if wanted is None:
            self._say([[("✖ " + self._("the contract has no such operation"), "bad")]])
            return
        await rows.mount_all(self._rows(wanted))
        first = next(iter(rows.query(Input)), None)
        if first is not None:
            first.focus()
        self._preview()

    @on(Input.Submitted)
    def next(self, event: Input.Submitted) -> None:
        """Enter goes on to the next field."""
        if event.input.id != "operation":
            self.focus_next()

    @on(Input.Changed)
    def changed(self, event: Input.Changed) -> None:
        """Update the preview."""
        if event.input.id != "operation":
            self._answer = None
            self._preview()

    def _data(self) -> dict[str, Any]:
        return read(
            self._fields,
            {
                field.path: self.query_one(f"#field-{place}", Input).value
                for place, field in enumerate(self._fields)
            },
        )

    def _preview(self) -> None:
        if self._command is None or self._answer is not None:
            return
        try:
            text = json.dumps(self._data(), ensure_ascii=False, indent=2)
        except FormError as error:
            self._mark(error.path, error.sentence.said(self.context.say))
            return
        self._mark(None, "")
        self._say([[(line, "")] for line in text.splitlines()])

    def _say(self, lines: list[Line]) -> None:
        preview = self.query_one("#preview", LineList)
        canvas = self.context.canvas(preview.size.width, preview.size.height)
        preview.show([part for line in lines for part in _broken(line, canvas)])

    def _mark(self, path: str | None, trouble: str) -> None:
        """Mark the field with an error, also if the error is within it."""
        for place, field in enumerate(self._fields):
            label = self.query_one(f"#label-{place}", Label)
            wrong = path is not None and (
                path == field.path or path.startswith((f"{field.path}.", f"{field.path}["))
            )
            sign = "✖" if wrong else "*" if field.required else " "
            label.update(Text(f"{sign} {field.path}" + (f"  {visible(trouble)}" if wrong else "")))
            label.set_class(wrong, "-wrong")

    @work(exclusive=True)
    async def action_send(self) -> None:
        """Validate, ask for confirmation, send, and show the answer."""
        wanted, feed = self._command, self.context.feed
        if wanted is None:
            return
        try:
            data = self._data()
            model = validate(wanted.model, data)
        except FormError as error:
            self._mark(error.path, error.sentence.said(self.context.say))
            return
        except Problem as problem:
            self._refused(problem)
            return
        warning = wanted.warning(data).said(self.context.say)
        if feed is None:
            self._answered([[("✖ " + self._("there is no store to ask"), "bad")]])
            return
        if not await self.app.push_screen_wait(Confirm(self.context, warning)):
            return
        self._answered([[("… " + self._("sent, waiting for the answer"), "warn")]])
        try:
            reply = await wanted.send(feed, model)
        except BrokenReply as broken:
            self._answered([[("✖ " + str(broken), "bad")]])
        except Problem as problem:
            self._refused(problem)
        except StorebusError as error:
            self._answered([[("✖ " + str(error), "bad")]])
        else:
            self._mark(None, "")
            done = "✔ " + self._("done")
            self._answered([[(done, "good")], *map(leaf_line, tree(reply.model_dump()))])

    def _refused(self, problem: Problem) -> None:
        data = problem.to_data()
        more = data.model_extra or {}
        self._mark(str(more["field"]) if "field" in more else None, data.detail)
        title = f"✖ {data.status} {data.code}: {data.detail}"
        self._answered([[(title, "bad")], *map(leaf_line, tree(more))])

    def _answered(self, lines: list[Line]) -> None:
        self._answer = lines
        self._say(lines)


def _broken(line: Line, canvas: Canvas) -> list[Line]:
    """Wrap a line, keeping its indentation."""
    text = "".join(part for part, _ in line)
    indent = len(text) - len(text.lstrip())
    if not indent or not line[0][0][:indent].isspace():
        return canvas.lines([], line)
    first, style = line[0]
    return canvas.lines([(first[:indent], style)], [(first[indent:], style), *line[1:]])
