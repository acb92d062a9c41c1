"""The line above every screen: the tabs, and the state of the connection."""

from typing import Any

from rich.text import Text
from textual import events
from textual.message import Message
from textual.widget import Widget

from bus.text.safe import fit, visible, width
from tui import theme
from tui.rendering.canvas import Line


class Top(Widget):
    """Tabs with their keys, and a status on the right."""

    DEFAULT_CSS = "Top { height: 1; background: $panel; }"

    class Wanted(Message):
        """A tab was clicked."""

        def __init__(self, tab: str) -> None:
            super().__init__()
            self.tab = tab

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._tabs: list[tuple[str, str]] = []
        self._current = ""
        self._status: Line = []

    def show(self, tabs: list[tuple[str, str]], current: str, status: Line) -> None:
        """Show tabs (name and title), the current one, and the status."""
        self._tabs, self._current, self._status = tabs, current, status
        self.refresh()

    def render(self) -> Text:
        """Render the line."""
        dark = theme.is_dark(self.app.theme)
        line = Text(no_wrap=True, end="")
        for name, title in self._shown():
            line.append(
                f" {title} ", theme.style("mark" if name == self._current else "", dark=dark)
            )
        room = self.size.width - line.cell_len
        status = " ".join(visible(text) for text, _ in self._status)
        if width(status) > room:
            line.append(fit(status, room), theme.style(self._status[0][1], dark=dark))
            return line
        line.append(" " * (room - width(status)))
        for place, (text, style) in enumerate(self._status):
            line.append((" " if place else "") + visible(text), theme.style(style, dark=dark))
        return line

    def _shown(self) -> list[tuple[str, str]]:
        """The tabs; without titles if the beginning of the status does not fit beside them."""
        taken = sum(width(title) + 2 for _, title in self._tabs)
        first = width(visible(self._status[0][0])) if self._status else 0
        if taken + first < self.size.width:
            return self._tabs
        return [
            (name, title if name == self._current else _without_word(title))
            for name, title in self._tabs
        ]

    def on_click(self, event: events.Click) -> None:
        """Switch to the tab that was clicked."""
        right = 0
        for name, title in self._shown():
            right += width(title) + 2
            if event.x < right:
                self.post_message(self.Wanted(name))
                return


def _without_word(title: str) -> str:
    """Of `5 AlarmList ▲12` what counts: `5 ▲12`."""
    key, *words = title.split()
    return " ".join([key, *(word for word in words if word.startswith("▲"))])
