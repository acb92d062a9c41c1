"""The help of the screens, and the command palette."""

from collections.abc import Iterable
from typing import Any

from textual.app import App, SystemCommand
from textual.binding import Binding
from textual.command import CommandPalette
from textual.dom import DOMNode
from textual.screen import Screen

from bus.text.safe import fit
from bus.text.wrap import wrapped
from tui.context import ConsoleContext
from tui.rendering.canvas import Line
from tui.screens.base import TABS, ConsoleScreen
from tui.screens.sheet import Sheet


class HelpActions(App[None]):
    """The part of the app that explains its keys and finds its actions by name."""

    context: ConsoleContext

    def _(self, text: str, **values: object) -> str:
        """A text in the operator's language."""
        return self.context.say(text, **values)

    def action_explain(self) -> None:
        """Show the help of the screen: its signs and keys."""
        screen = self.screen
        if not isinstance(screen, ConsoleScreen):
            return
        words = wrapped(self._(screen.HELP_TEXT), max(20, self.size.width * 9 // 10 - 6))
        lines: list[Line] = [[(line, "")] for line in words]
        lines.append([])
        lines += [
            [(fit(self._shown_key(binding), 10), "key"), (self._(binding.description), "")]
            for _, binding in self._keys(screen)
        ]
        lines.append([(fit("^p", 10), "key"), (self._("Everything that can be done, by name"), "")])
        if self.context.offers("act"):
            marks = self._(
                "A key with ! opens a form that can change the store; nothing is sent before you"
                " have said yes."
            )
            room = max(20, self.size.width * 9 // 10 - 6)
            lines += [[], *([(line, "warn")] for line in wrapped(marks, room))]
        self.push_screen(Sheet(self.context, lines))

    def _shown_key(self, binding: Binding) -> str:
        return self.get_key_display(binding) + ("!" if self.context.changes(binding.action) else "")

    def action_command_palette(self) -> None:
        """Open the command palette."""
        if not isinstance(self.screen, CommandPalette):
            hint = self._("what is to be done")
            self.push_screen(CommandPalette(id="--command-palette", placeholder=hint))

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """The entries of the command palette: tabs, and the keys of the screen and the app."""
        for place, (name, title) in enumerate(TABS.items()):
            yield SystemCommand(
                self._(title),
                self._("key {key}", key=place + 1),
                lambda name=name: self.run_action(f"tab('{name}')"),
            )
        for node, binding in self._keys(screen):
            if not binding.action.startswith("tab("):
                yield SystemCommand(
                    self._(binding.description),
                    self._("key {key}", key=self.get_key_display(binding)),
                    lambda action=binding.action, node=node: self.run_action(action, node),
                )

    def _keys(self, screen: Screen[Any]) -> list[tuple[DOMNode, Binding]]:
        """The described keys of a screen and of the app, each with its node."""
        return [
            (node, each)
            for node in (screen, self)
            for part in type(node).__mro__
            if part.__module__.startswith("tui.")
            for each in vars(part).get("BINDINGS", ())
            if isinstance(each, Binding) and each.description and self.context.offers(each.action)
        ]
