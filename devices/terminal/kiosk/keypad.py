"""Digits to tap, for who has no keyboard."""

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Grid
from textual.widgets import Button, Input

from devices.terminal.kiosk.tap import Tap

_KEYS = "123456789⌫0"


class Keypad(Grid):
    """Types into a field.

    Args:
        field: selects the field on the same page.
        enter: the text on the last key.
        entered: called by the last key.
    """

    def __init__(self, field: str, enter: str, entered: Callable[[], None]) -> None:
        super().__init__()
        self._field = field
        self._enter = enter
        self._entered = entered

    def compose(self) -> ComposeResult:
        """Twelve keys; those of the keyboard do the same, so that none of them takes the focus."""
        for key in (*_KEYS, self._enter):
            button = Tap(key, name=key)
            button.can_focus = False
            yield button

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """A key was tapped."""
        event.stop()
        field = self.screen.query_one(self._field, Input)
        name = event.button.name or ""
        if name == self._enter:
            self._entered()
        elif name == "⌫":
            field.action_delete_left()
        else:
            field.insert_text_at_cursor(name)
