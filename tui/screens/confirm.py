"""A dialog that asks for confirmation."""

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Label

from bus.text.safe import visible
from bus.text.sentence import marked
from tui.context import ConsoleContext
from tui.widgets.bindings import translated


class Confirm(ModalScreen[bool]):
    """Asks yes or no; no is the default.

    Args:
        context: of the console.
        warning: what will happen.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", marked("Yes")),
        Binding("n,escape", "answer(False)", marked("No")),
    ]

    def __init__(self, context: ConsoleContext, warning: str) -> None:
        super().__init__()
        self.context = context
        self._warning = warning
        self._bindings = translated(self._bindings, context.say)

    def compose(self) -> ComposeResult:
        """The warning, and two buttons."""
        feed = self.context.feed
        name = self.context.say("In the name of {name}.", name=feed.name if feed else "?")
        with Vertical(id="confirm"):
            yield Label(Text(visible(f"{self._warning} {name}")), id="warning")
            with Horizontal():
                yield Button(self.context.say("y Yes"), id="yes", variant="error", compact=True)
                yield Button(self.context.say("n No"), id="no", compact=True)

    def on_mount(self) -> None:
        """Focus the button for no."""
        self.query_one("#no").focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """A button was pressed."""
        self.dismiss(event.button.id == "yes")

    def action_answer(self, answer: bool) -> None:
        """A key was pressed."""
        self.dismiss(answer)
