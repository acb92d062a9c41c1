"""A list in which one row is chosen, with arrow keys and Enter or by a tap."""

from rich.text import Text
from textual.widgets import OptionList
from textual.widgets.option_list import Option


class Choices(OptionList):
    """A list whose texts may change while the highlight stays."""

    def __init__(self, name: str) -> None:
        super().__init__(id=name)
        self._shown: list[tuple[str, str]] = []

    def show(self, rows: list[tuple[str, str]], chosen: str | None = None) -> None:
        """Show rows (id and text); highlight `chosen`, else the same row as before."""
        if rows == self._shown:
            return
        before = chosen or self.chosen
        same = [name for name, _ in rows] == [name for name, _ in self._shown]
        if same:
            for place, (row, old) in enumerate(zip(rows, self._shown, strict=True)):
                if row != old:
                    self.replace_option_prompt_at_index(place, Text(row[1], no_wrap=False))
        else:
            self.clear_options()
            self.add_options([Option(Text(text), id=name) for name, text in rows])
        self._shown = rows
        names = [name for name, _ in rows]
        if names:
            self.highlighted = names.index(before) if before in names else 0

    @property
    def chosen(self) -> str | None:
        """The id of the highlighted row."""
        if self.highlighted is None or self.highlighted >= len(self._shown):
            return None
        return self._shown[self.highlighted][0]
