"""A dialog that asks for a line of text: a file, or a time."""

from collections.abc import Callable
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Label

from bus.text.safe import visible
from bus.text.sentence import marked
from tui.context import ConsoleContext
from tui.widgets.bindings import translated


class Prompt(ModalScreen[None]):
    """Asks until the answer is accepted or the dialog is closed.

    Args:
        context: the operator's.
        words: the question, and what will happen.
        value: the proposed answer.
        answer: takes the answer; returns what is wrong with it, or an empty text.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", marked("Close")),
    ]

    def __init__(
        self, context: ConsoleContext, words: str, value: str, answer: Callable[[str], str]
    ) -> None:
        super().__init__()
        self._words = words
        self._value = value
        self._answer = answer
        self._bindings = translated(self._bindings, context.say)

    def compose(self) -> ComposeResult:
        """Question, input, and error."""
        with Vertical(id="question"):
            yield Label(Text(visible(self._words)), id="words")
            yield Input(self._value, id="answer", compact=True)
            yield Label("", id="wrong")

    def on_mount(self) -> None:
        """Focus the input."""
        self.query_one(Input).focus()

    @on(Input.Submitted)
    def answered(self, event: Input.Submitted) -> None:
        """Take the answer, or show what is wrong."""
        event.stop()
        wrong = self._answer(event.value.strip())
        if wrong:
            self.query_one("#wrong", Label).update(Text(visible(f"✖ {wrong}")))
        else:
            self.dismiss()
