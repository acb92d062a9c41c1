"""The kiosk's screens: no touch comes to what it was not meant for."""

from collections.abc import Callable

from textual import events
from textual.screen import Screen

from devices.terminal.kiosk.presses import Presses


class GuardedScreen(Screen[None]):
    """A screen that takes no touch that was meant for what was there before.

    Args:
        presses: tells which count.
    """

    def __init__(self, presses: Callable[[], Presses]) -> None:
        super().__init__()
        self._presses = presses
        self._is_ignored = False

    def _forward_event(self, event: events.Event) -> None:
        """Every event of the mouse comes through here before it meets a widget."""
        if isinstance(event, events.MouseDown) and not event.is_forwarded:
            at = (round(event.screen_x), round(event.screen_y))
            self._is_ignored = not self._presses().counts(at, event.time)
        is_of_press = isinstance(event, events.MouseDown | events.MouseUp | events.Click)
        if not (is_of_press and self._is_ignored):
            super()._forward_event(event)
