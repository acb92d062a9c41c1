"""A button for fingers."""

from typing import Any

from textual.content import Content, ContentText
from textual.widgets import Button


class Tap(Button):
    """Each of two quick taps counts; what must happen once sees to that itself.

    Args:
        label: what stands on it: a text as it is, never markup.
        options: as of a button.
    """

    def __init__(self, label: str, **options: Any) -> None:
        super().__init__(Content(label), **options)

    def on_mount(self) -> None:
        """No time in which it is held down and hears nothing."""
        self.active_effect_duration = 0

    def validate_label(self, label: ContentText) -> Content:
        """The same where the label is another later."""
        return Content(label) if isinstance(label, str) else super().validate_label(label)
