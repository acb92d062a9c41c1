"""The line below every screen with its keys.

Textual's own footer remounts a widget for each key at every change of focus, which takes most of
the time of switching to another screen.
"""

from typing import NamedTuple

from rich.style import Style
from rich.text import Text
from textual import events
from textual.widget import Widget

from bus.text.safe import width
from tui import theme
from tui.context import ConsoleContext


class Key(NamedTuple):
    """A key of the line."""

    key: str
    shown: str
    """As it is displayed."""
    description: str
    changes: bool
    """Whether it opens a form that can change the store."""


class KeyBar(Widget):
    """The available keys; they can be clicked."""

    DEFAULT_CSS = """
    KeyBar { height: 1; background: $footer-background; color: $footer-foreground; }
    KeyBar .keys--key { color: $footer-key-foreground; text-style: bold; }
    """
    COMPONENT_CLASSES = {"keys--key"}  # noqa: RUF012 - as in Widget

    def on_mount(self) -> None:
        """Redraw when the available keys change."""
        self.screen.bindings_updated_signal.subscribe(self, lambda _: self.refresh())

    def _offered(self) -> list[Key]:
        """The keys, one for each available action."""
        offered = {
            binding.action: Key(
                binding.key,
                self.app.get_key_display(binding)
                + ("!" if ConsoleContext.changes(binding.action) else ""),
                binding.description,
                ConsoleContext.changes(binding.action),
            )
            for _, binding, enabled, _ in reversed(self.screen.active_bindings.values())
            if binding.show and enabled
        }
        return self._that_fit(list(reversed(offered.values())))

    def _that_fit(self, keys: list[Key]) -> list[Key]:
        """The keys that there is room for; search and help are always among them."""
        kept = [key for key in keys if key.key in _ALWAYS]
        room = self.size.width - sum(map(_breadth, kept))
        for key in keys:
            if key not in kept:
                room -= _breadth(key)
                if room < 0:
                    break
                kept.append(key)
        return sorted(kept, key=keys.index)

    def render(self) -> Text:
        """Render the line."""
        line = Text(no_wrap=True, overflow="crop", end="")
        style: Style = self.get_component_rich_style("keys--key", partial=True)
        warning = theme.style("warn", dark=theme.is_dark(self.app.theme))
        for key in self._offered():
            line.append(f" {key.shown} ", style + warning if key.changes else style)
            line.append(key.description)
        return line

    def on_click(self, event: events.Click) -> None:
        """Press the key that was clicked."""
        right = 0
        for key in self._offered():
            right += _breadth(key)
            if event.x < right:
                self.app.simulate_key(key.key)
                return


_ALWAYS = frozenset({"slash", "question_mark"})


def _breadth(key: Key) -> int:
    """The width of a key in cells."""
    return width(f" {key.shown} {key.description}")
