"""A dialog with a few options."""

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Label

from bus.text.safe import visible
from bus.text.sentence import marked
from tui.context import ConsoleContext
from tui.rendering.canvas import Line
from tui.widgets.bindings import translated
from tui.widgets.line_list import LineList


class Choice(ModalScreen[int | None]):
    """Lets the operator choose an option; the result is its index, or None.

    Args:
        context: the operator's.
        words: the question.
        options: at most nine.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(str(number), f"choose({number - 1})", show=False) for number in range(1, 10)),
        Binding("enter", "chosen", marked("Choose")),
        Binding("escape", "dismiss", marked("Close")),
    ]

    def __init__(self, context: ConsoleContext, words: str, options: Sequence[str]) -> None:
        super().__init__()
        self._words = words
        self._options = options
        self._bindings = translated(self._bindings, context.say)

    def compose(self) -> ComposeResult:
        """The question, and a line for each option."""
        with Vertical(id="choice"):
            yield Label(Text(visible(self._words)))
            yield LineList(id="options")

    def on_mount(self) -> None:
        """Show and focus the options."""
        lines: list[Line] = [
            [(f"{number} ", "key"), (option, "")] for number, option in enumerate(self._options, 1)
        ]
        options = self.query_one(LineList)
        options.show(lines)
        options.focus()

    def action_choose(self, place: int) -> None:
        """A number was pressed."""
        if place < len(self._options):
            self.dismiss(place)

    @on(LineList.Chosen)
    def action_chosen(self) -> None:
        """The line under the cursor was chosen."""
        self.dismiss(self.query_one(LineList).place)
