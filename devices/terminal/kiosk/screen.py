"""The base of the kiosk's screens: it ignores touches that were meant for other widgets."""

from collections.abc import Callable

from textual import events
from textual.screen import Screen

from devices.terminal.kiosk.presses import Presses


class GuardedScreen(Screen[None]):
    """A screen that ignores touches made just before its widgets changed.

    Args:
        presses: tells which touches count.
    """

    def __init__(self, presses: Callable[[], Presses]) -> None:
        super().__init__()
        self._presses = presses
        self._is_ignored = False

    def _forward_event(self, event: events.Event) -> None:
        """Filter mouse events before widgets get them."""
        if isinstance(event, events.MouseDown) and not event.is_forwarded:
            at = (round(event.screen_x), round(event.screen_y))
            self._is_ignored = not self._presses().counts(at, event.time)
        is_of_press = isinstance(event, events.MouseDown | events.MouseUp | events.Click)
        if not (is_of_press and self._is_ignored):
            super()._forward_event(event)
