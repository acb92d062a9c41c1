"""Lines in a window of their own: a message in full, or the help."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from bus.text.sentence import marked
from tui.context import ConsoleContext
from tui.rendering.canvas import Line
from tui.widgets.bindings import translated
from tui.widgets.line_list import LineList, widest


class Sheet(ModalScreen[None]):
    """Lines over the screen, to be read and closed."""

    BLANK = True
    """Nothing shines through: the screen below would be drawn a second time."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter,question_mark", "dismiss", marked("Close")),
        Binding("slash", "app.search", marked("Search"), key_display="/"),
    ]

    def __init__(self, context: ConsoleContext, lines: list[Line]) -> None:
        super().__init__()
        self._lines = lines
        self._bindings = translated(self._bindings, context.say)

    def compose(self) -> ComposeResult:
        """The lines."""
        yield LineList(cursor=False, id="sheet")

    def on_mount(self) -> None:
        """Show them."""
        self.query_one(LineList).show(self._lines, width=widest(self._lines))
