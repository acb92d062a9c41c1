"""What an operator should look at, and what was."""

from collections.abc import Iterable
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget

from bus.sentence import marked
from tui.model.alarms import Alarm
from tui.model.target import Target
from tui.picture.alarms import lines, row, whole
from tui.screens.base import ConsoleScreen
from tui.widgets.lines import Lines


class AlarmsScreen(ConsoleScreen):
    """Alarms that hold, and those that held."""

    TAB = "alarms"
    HELP_TEXT: ClassVar[str] = marked(
        "▲ holds and nobody has seen it, ✔ was acknowledged, ○ is over. A kind that is muted rings"
        " no bell and is not counted above. What is dismissed is not shown before it happens again."
        " Enter shows the order, the node, the style or the message that it is about."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "acknowledge", marked("Acknowledge")),
        Binding("A", "acknowledge_all", marked("All")),
        Binding("d", "put_away", marked("Dismiss")),
        Binding("D", "put_seen_away", marked("Dismiss all acknowledged"), show=False),
        Binding("m", "mute", marked("Mute this kind")),
        Binding("enter", "open", marked("Open")),
        Binding("R", "app.act('resolve')", marked("Refund was refused")),
    ]

    def body(self) -> Iterable[Widget]:
        """A list, and all that the chosen one says."""
        yield Lines(id="alarms")
        yield Lines(cursor=False, id="whole")

    def on_mount(self) -> None:
        """The list has the keys."""
        self.query_one("#alarms", Lines).focus()

    def show(self) -> None:
        """Draw the list."""
        table, alarms = self.query_one("#alarms", Lines), self.desk.model.alarms
        paper = self.desk.paper(table.size.width, table.size.height)
        items = lines(alarms, paper)
        table.show(
            items,
            lambda item, _: row(item, alarms, paper) if isinstance(item, Alarm) else item,
            place=table.stays(items, id),
        )
        sheet = self.query_one("#whole", Lines)
        sheet.show(whole(self.alarm, self.desk.paper(sheet.size.width, sheet.size.height)))

    @on(Lines.Moved, "#alarms")
    def look_at_another(self) -> None:
        """Another is looked at."""
        self.draw()

    @property
    def alarm(self) -> Alarm | None:
        """The alarm that is looked at."""
        item = self.query_one("#alarms", Lines).item
        return item if isinstance(item, Alarm) else None

    def preset(self) -> dict[str, object]:
        """The order that the alarm is about."""
        alarm = self.alarm
        return {"order": alarm.subject} if alarm and alarm.kind == "refund-refused" else {}

    def action_acknowledge(self) -> None:
        """It has been seen."""
        if self.alarm is not None:
            self.desk.model.alarms.acknowledge(self.alarm)
            self.draw()

    def action_acknowledge_all(self) -> None:
        """All have been seen."""
        self.desk.model.alarms.acknowledge()
        self.draw()

    def action_put_away(self) -> None:
        """It is put away."""
        if self.alarm is not None:
            self.desk.model.alarms.dismiss(self.alarm)
            self.draw()

    def action_put_seen_away(self) -> None:
        """All that have been seen are put away."""
        self.desk.model.alarms.dismiss()
        self.draw()

    @on(Lines.Chosen, "#alarms")
    def action_open(self) -> None:
        """Show what it is about, or the message that raised it."""
        if self.alarm is not None:
            self.open(Target("alarm", f"{self.alarm.kind} {self.alarm.subject}"))

    def action_mute(self) -> None:
        """No bell for its kind, or again."""
        if self.alarm is not None:
            self.desk.model.alarms.mute(self.alarm.kind)
            self.draw()
