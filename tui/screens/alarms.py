"""What an operator should look at, and what was."""

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget

from tui.model.alarms import Alarm
from tui.model.sentence import marked
from tui.picture.alarms import lines, row
from tui.screens.base import ConsoleScreen
from tui.widgets.lines import Lines


class AlarmsScreen(ConsoleScreen):
    """Alarms that hold, and those that held."""

    TAB = "alarms"
    HELP_TEXT: ClassVar[str] = marked(
        "▲ holds and nobody has seen it, ✔ was acknowledged, ○ is over. A kind that is muted rings"
        " no bell and is not counted above."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "acknowledge", marked("Acknowledge")),
        Binding("A", "acknowledge_all", marked("All")),
        Binding("m", "mute", marked("Mute this kind")),
    ]

    def body(self) -> Iterable[Widget]:
        """A list."""
        yield Lines(id="alarms")

    def on_mount(self) -> None:
        """The list has the keys."""
        self.query_one("#alarms", Lines).focus()

    def show(self) -> None:
        """Draw the list."""
        table, alarms = self.query_one("#alarms", Lines), self.desk.model.alarms
        paper = self.desk.paper(table.size.width, table.size.height)
        table.show(
            lines(alarms, paper),
            lambda item, _: row(item, alarms, paper) if isinstance(item, Alarm) else item,
        )

    @property
    def alarm(self) -> Alarm | None:
        """The alarm that is looked at."""
        item = self.query_one("#alarms", Lines).item
        return item if isinstance(item, Alarm) else None

    def action_acknowledge(self) -> None:
        """It has been seen."""
        if self.alarm is not None:
            self.desk.model.alarms.acknowledge(self.alarm)
            self.draw()

    def action_acknowledge_all(self) -> None:
        """All have been seen."""
        self.desk.model.alarms.acknowledge()
        self.draw()

    def action_mute(self) -> None:
        """No bell for its kind, or again."""
        if self.alarm is not None:
            self.desk.model.alarms.mute(self.alarm.kind)
            self.draw()
