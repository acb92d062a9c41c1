"""The line below every screen: what the keys do there.

Textual's own footer makes a widget for each key anew whenever another list has the keys, which is
most of the time that going to another screen takes.
"""

from typing import NamedTuple

from rich.style import Style
from rich.text import Text
from textual import events
from textual.widget import Widget

from bus.safe import width


class Key(NamedTuple):
    """A key that is offered."""

    key: str
    shown: str
    """As it is written."""
    description: str


class Keys(Widget):
    """Each key with what it does; a click is as good as a press."""

    DEFAULT_CSS = """
    Keys { height: 1; background: $footer-background; color: $footer-foreground; }
    Keys .keys--key { color: $footer-key-foreground; text-style: bold; }
    """
    COMPONENT_CLASSES = {"keys--key"}  # noqa: RUF012 - as in Widget

    def on_mount(self) -> None:
        """Other keys may be offered when the focus goes elsewhere."""
        self.screen.bindings_updated_signal.subscribe(self, lambda _: self.refresh())

    def _offered(self) -> list[Key]:
        """One for each action, as far as it makes sense here."""
        offered = {
            binding.action: Key(binding.key, self.app.get_key_display(binding), binding.description)
            for _, binding, enabled, _ in reversed(self.screen.active_bindings.values())
            if binding.show and enabled
        }
        return list(reversed(offered.values()))

    def render(self) -> Text:
        """The line, cut where the terminal ends."""
        line = Text(no_wrap=True, overflow="crop", end="")
        style: Style = self.get_component_rich_style("keys--key", partial=True)
        for key in self._offered():
            line.append(f" {key.shown} ", style)
            line.append(key.description)
        return line

    def on_click(self, event: events.Click) -> None:
        """Whatever is clicked is pressed."""
        right = 0
        for key in self._offered():
            right += width(f" {key.shown} {key.description}")
            if event.x < right:
                self.app.simulate_key(key.key)
                return
