"""Text that fits itself into the room that it is given: sentences that are wrapped, and rows."""

from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.text import Text
from textual.widgets import Label

from bus.text.wrap import wrapped


@dataclass(frozen=True, slots=True)
class Paragraphs:
    """Sentences, broken into lines as readers of their script expect; made safe already."""

    text: str
    is_centred: bool = False

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> RenderResult:
        for paragraph in self.text.split("\n"):
            for line in wrapped(paragraph, options.max_width):
                yield Text(line, no_wrap=True, justify="center" if self.is_centred else "left")

    def __rich_measure__(self, _: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(1, options.max_width)


class Prose(Label):
    """A label of sentences."""

    def __init__(self, text: str, name: str, *, is_centred: bool = False) -> None:
        super().__init__(Paragraphs(text, is_centred), id=name)
        self._is_centred = is_centred

    def show(self, text: str) -> None:
        """Say something else; the text is made safe already."""
        self.update(Paragraphs(text, self._is_centred))
