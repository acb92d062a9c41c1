"""Lines in a window of their own: a message in full, or the help."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from bus.sentence import marked
from tui.desk import Desk
from tui.picture.paper import Line
from tui.widgets.bindings import translated
from tui.widgets.lines import Lines, widest


class Sheet(ModalScreen[None]):
    """Lines over the screen, to be read and closed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter,question_mark", "dismiss", marked("Close")),
    ]

    def __init__(self, desk: Desk, lines: list[Line]) -> None:
        super().__init__()
        self._lines = lines
        self._bindings = translated(self._bindings, desk.say)

    def compose(self) -> ComposeResult:
        """The lines."""
        yield Lines(cursor=False, id="sheet")

    def on_mount(self) -> None:
        """Show them."""
        self.call_after_refresh(self._show)

    def on_resize(self) -> None:
        """Show them in the new size."""
        self.call_after_refresh(self._show)

    def _show(self) -> None:
        self.query_one(Lines).show(self._lines, width=widest(self._lines))
