"""A diagram whose hotspots can be selected with arrow keys or clicks, and opened."""

from collections.abc import Callable
from typing import Any, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from tui.model.target import Target
from tui.rendering.diagram import Diagram
from tui.widgets.line_list import LineList


class DiagramView(LineList):
    """Shows a diagram with one hotspot selected, also when the diagram changes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "beside(-1, 0)", show=False),
        Binding("right,l", "beside(1, 0)", show=False),
        Binding("up,k", "beside(0, -1)", show=False),
        Binding("down,j", "beside(0, 1)", show=False),
    ]

    class Opened(Message):
        """A hotspot is to be opened."""

        def __init__(self, target: Target) -> None:
            super().__init__()
            self.target = target

    def __init__(self, **options: Any) -> None:
        super().__init__(cursor=False, **options)
        self.chosen: Target | None = None
        """The target of the selected hotspot; None until one is selected."""
        self._diagram = Diagram([], [])
        self._draw: Callable[[Target | None], Diagram] = lambda _: self._diagram

    def draw_with(self, draw: Callable[[Target | None], Diagram]) -> None:
        """Show a diagram, made by a function of the selected target."""
        self._draw = draw
        self._diagram = draw(self.chosen)
        self.show(self._diagram.lines)

    def action_beside(self, right: int, down: int) -> None:
        """Select the next hotspot in a direction."""
        hotspot = self._diagram.hotspot(self.chosen)
        if hotspot is None or self.chosen is None:
            first = self._diagram.hotspot(None)
            self._choose_target(first.target if first else None)
            return
        self._choose_target(self._diagram.beside(hotspot, right, down).target)

    def on_click(self, event: events.Click) -> None:
        """Select a hotspot by a click; open it by a double click."""
        hotspot = self._diagram.at(event.x + self.scroll_offset.x, event.y + self.scroll_offset.y)
        if hotspot is None:
            return
        self._choose_target(hotspot.target)
        if event.chain > 1:
            self.post_message(self.Opened(hotspot.target))

    def _choose_target(self, target: Target | None) -> None:
        self.chosen = target
        self.draw_with(self._draw)
        hotspot = self._diagram.hotspot(target)
        if hotspot is not None:
            top, height = self.scroll_offset.y, max(1, self.size.height)
            if hotspot.top < top:
                self.scroll_to(y=hotspot.top, animate=False, immediate=True)
            elif hotspot.top + hotspot.lines > top + height:
                self.scroll_to(
                    y=hotspot.top + hotspot.lines - height, animate=False, immediate=True
                )
