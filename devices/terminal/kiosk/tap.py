"""A button for fingers."""

from typing import Any

from textual.content import Content, ContentText
from textual.widgets import Button


class Tap(Button):
    """A button for which each of two quick taps counts.

    Args:
        label: its text, which is never taken as markup.
        options: as for `Button`.
    """

    def __init__(self, label: str, **options: Any) -> None:
        super().__init__(Content(label), **options)

    def on_mount(self) -> None:
        """Do not ignore taps while the button is drawn as pressed."""
        self.active_effect_duration = 0

    def validate_label(self, label: ContentText) -> Content:
        """A later label is not taken as markup either."""
        return Content(label) if isinstance(label, str) else super().validate_label(label)
