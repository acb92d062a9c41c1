"""On-screen keys for customers without a keyboard: digits, or letters too."""

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Grid
from textual.widgets import Button, Input

from devices.terminal.kiosk.tap import Tap


class Keypad(Grid):
    """On-screen digits that type into a field.

    Args:
        field: selects the field on the same page.
        enter: the text on the last key.
        entered: called by the last key.
    """

    KEYS: ClassVar[str] = "123456789⌫0"

    def __init__(self, field: str, enter: str, entered: Callable[[], None]) -> None:
        super().__init__()
        self._field = field
        self._enter = enter
        self._entered = entered

    def compose(self) -> ComposeResult:
        """The keys; none takes the focus, since a keyboard does the same."""
        for key in (*self.KEYS, self._enter):
            button = Tap(key, name=key)
            button.can_focus = False
            yield button

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """A key was tapped."""
        event.stop()
        self.tapped(event.button.name or "")

    def tapped(self, name: str) -> None:
        """Do what a key does."""
        field = self.screen.query_one(self._field, Input)
        if name == self._enter:
            self._entered()
        elif name == "⌫":
            field.action_delete_left()
        else:
            field.insert_text_at_cursor(self.typed(name))

    def typed(self, key: str) -> str:
        """The character that a key types."""
        return key


class Keyboard(Keypad):
    """On-screen letters, digits, and the punctuation of URLs and card tokens."""

    KEYS = "1234567890-⌫qwertyuiop_/asdfghjkl:.@⇧zxcvbnm,+␣"
    _is_shifted = False

    def tapped(self, name: str) -> None:
        """Shift stays on until it is tapped again: card tokens are case-sensitive."""
        if name == "⇧":
            self.shift(not self._is_shifted)
        else:
            super().tapped(name)

    def shift(self, to: bool) -> None:
        """Switch to capitals or to small letters."""
        self._is_shifted = to
        for key in self.query(Tap):
            key.set_class(to and key.name == "⇧", "-main")
            if key.name != self._enter and key.name:
                key.label = self.typed(key.name) if key.name.isalpha() else key.name

    def typed(self, key: str) -> str:
        """The character that a key types, in the present case."""
        if key == "␣":
            return " "
        return key.upper() if self._is_shifted else key
