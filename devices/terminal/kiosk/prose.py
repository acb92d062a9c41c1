"""Labels whose sentences are wrapped to the width of the screen."""

from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.text import Text
from textual.widgets import Label

from bus.text.wrap import wrapped


@dataclass(frozen=True, slots=True)
class Paragraphs:
    """Text wrapped by the rules of its script; it must be made safe before."""

    text: str
    is_centred: bool = False

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> RenderResult:
        for paragraph in self.text.split("\n"):
            for line in wrapped(paragraph, options.max_width):
                yield Text(line, no_wrap=True, justify="center" if self.is_centred else "left")

    def __rich_measure__(self, _: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(1, options.max_width)


class Prose(Label):
    """A label with wrapped sentences."""

    def __init__(self, text: str, name: str, *, is_centred: bool = False) -> None:
        super().__init__(Paragraphs(text, is_centred), id=name)
        self._is_centred = is_centred

    def show(self, text: str) -> None:
        """Show another text; it must be made safe before."""
        self.update(Paragraphs(text, self._is_centred))
