"""A button for fingers."""

from textual.widgets import Button


class Tap(Button):
    """Each of two quick taps counts; what must happen once sees to that itself."""

    def on_mount(self) -> None:
        """No time in which it is held down and hears nothing."""
        self.active_effect_duration = 0
