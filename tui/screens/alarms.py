"""The alarms screen."""

from collections.abc import Iterable
from typing import Any, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget

from bus.text.sentence import marked
from tui.commands import command_for
from tui.context import ConsoleContext
from tui.model.alarms import KINDS, SEVERITIES, ConsoleAlarm, Severity
from tui.model.dependencies import needs
from tui.model.groups import Group
from tui.model.remedy import Remedy, advice, remedy
from tui.model.target import Target
from tui.rendering.alarms import ORDER, WaitingOrder, heading, lines, row, shown, whole
from tui.screens.base import ConsoleScreen
from tui.screens.choice import Choice
from tui.screens.request import RequestScreen
from tui.widgets.line_list import LineList

_MINUTE = 60_000
_TIMES = (
    (15 * _MINUTE, marked("for 15 minutes")),
    (60 * _MINUTE, marked("for an hour")),
    (None, marked("until it is over")),
)
"""The durations of a silence, in milliseconds."""
_SORTS = tuple(ORDER)
_FILTERS: tuple[Severity | None, ...] = (None, *SEVERITIES)
_TALLEST = 12
"""The most lines of the selected alarm."""


class AlarmsScreen(ConsoleScreen):
    """Active alarms, grouped by cause, and the history."""

    TAB = "alarms"
    HELP_TEXT: ClassVar[str] = marked(
        "▲ holds and nobody has seen it, ✔ was acknowledged, ○ is over, ? held when the console"
        " ended and is not confirmed yet. !! is critical: nothing is sold or delivered; ! is a"
        " warning; · is good to know. What follows from one cause is one alarm: Enter lists the"
        " orders that wait for it (+2: two other alarms, too), and shows the order, the node, the"
        " style or the message that an alarm is about. X does what the line says, as far as it can"
        " be done from here; you are asked first. What is silent rings no bell and is not counted"
        " above. What is dismissed is not shown before it happens again. All of it is kept when"
        " the console ends."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("X", "do", marked("Do it")),
        Binding("a", "acknowledge", marked("Acknowledge")),
        Binding("z", "silence", marked("Silence")),
        Binding("d", "put_away", marked("Dismiss")),
        Binding("enter", "open", marked("Open")),
        Binding("n", "next", marked("Next new one")),
        Binding("s", "sort", marked("Sort")),
        Binding("f", "severity", marked("Severity")),
        Binding("A", "acknowledge_all", marked("All")),
        Binding("D", "put_seen_away", marked("Dismiss all acknowledged"), show=False),
    ]

    def __init__(self, context: ConsoleContext) -> None:
        super().__init__(context)
        self._sort = self._only = 0
        self._opened: set[tuple[str, str]] = set()
        """The groups whose effects are listed."""

    def body(self) -> Iterable[Widget]:
        """Heading, list, and the selected alarm in full."""
        yield LineList(cursor=False, id="heading")
        yield LineList(id="alarms")
        yield LineList(cursor=False, id="whole")

    def on_mount(self) -> None:
        """Focus the list."""
        self.query_one("#alarms", LineList).focus()

    def show(self) -> None:
        """Draw heading, list and selected alarm."""
        table, model = self.query_one("#alarms", LineList), self.context.model
        canvas = self.context.canvas(table.size.width, table.size.height)
        sort, only = _SORTS[self._sort], _FILTERS[self._only]
        items = lines(model.alarms, canvas, sort, only, self._opened)
        table.show(items, lambda item, _: row(item, model, canvas), place=table.stays(items, _name))
        if self.is_current:
            self._look(table)
        new = sum(group.head.open and not group.head.looked for group in model.alarms.groups())
        top = self.query_one("#heading", LineList)
        said = heading(model.alarms, canvas, sort, only, new)
        top.styles.height = len(said)
        top.show(said)
        self._show_whole()

    def _look(self, table: LineList) -> None:
        """Mark visible alarms as seen."""
        top = int(table.scroll_offset.y)
        for place in range(top, min(top + table.size.height, len(table.items))):
            item = table.items[place]
            if isinstance(item, Group):
                item.head.looked = True

    def _show_whole(self) -> None:
        sheet, model = self.query_one("#whole", LineList), self.context.model
        alarm, item = self.alarm, self._item
        told = item.text if isinstance(item, Group) else alarm.said if alarm else None
        todo = advice(alarm, model) if alarm else None
        canvas = self.context.canvas(sheet.size.width, sheet.size.height)
        found = whole(alarm, told, todo, self.remedy, model.alarms, canvas)
        tall = max(8, min(_TALLEST, len(found) + 1))
        if sheet.styles.height is None or sheet.styles.height.value != tall:
            sheet.styles.height = tall
        sheet.show(found)

    @on(LineList.Moved, "#alarms")
    def look_at_another(self) -> None:
        """Another row is selected."""
        self.draw()

    @property
    def _item(self) -> Any:
        return self.query_one("#alarms", LineList).item

    @property
    def alarm(self) -> ConsoleAlarm | None:
        """The selected alarm; for a waiting order, the alarm it would have by itself."""
        item = self._item
        if isinstance(item, Group):
            return item.head
        if isinstance(item, WaitingOrder):
            return self._of_order(item.order)
        return item if isinstance(item, ConsoleAlarm) else None

    def _of_order(self, order: str) -> ConsoleAlarm | None:
        model = self.context.model
        tracked = model.orders.get(order)
        reason = model.diagnose(tracked) if tracked is not None else None
        if tracked is None or reason is None:
            return None
        return ConsoleAlarm("stuck", order, reason.reason, reason.since, model.now,
                     needs=needs(reason, tracked))  # fmt: skip

    @property
    def remedy(self) -> Remedy | None:
        """The request that helps, if there is one."""
        alarm = self.alarm
        if alarm is None or alarm.ended is not None or not self.context.offers("act"):
            return None
        return remedy(alarm, self.context.model)

    def _alarms(self) -> list[ConsoleAlarm]:
        """The alarms that a key acts on: a whole group, or one of its effects."""
        item = self._item
        if isinstance(item, Group):
            return item.alarms
        return [item] if isinstance(item, ConsoleAlarm) and item.ended is None else []

    def action_do(self) -> None:
        """Open the form of the request that helps."""
        found = self.remedy
        wanted = command_for(found.callee, found.operation, found.data) if found else None
        if wanted is None:
            self.notify(self._("this is done on the spot, not from here"), markup=False)
            return
        self.app.push_screen(RequestScreen(self.context, wanted))

    def action_acknowledge(self) -> None:
        """Acknowledge the selected group or alarm."""
        if chosen := self._alarms():
            self.context.model.alarms.acknowledge(*chosen)
            self.draw()

    def action_acknowledge_all(self) -> None:
        """Acknowledge all alarms."""
        self.context.model.alarms.acknowledge()
        self.draw()

    def action_put_away(self) -> None:
        """Dismiss the selected group or alarm."""
        if chosen := self._alarms():
            self.context.model.alarms.dismiss(*chosen)
            self.draw()

    def action_put_seen_away(self) -> None:
        """Dismiss all acknowledged alarms."""
        self.context.model.alarms.dismiss()
        self.draw()

    @on(LineList.Chosen, "#alarms")
    def action_open(self) -> None:
        """List the effects of a group; or open what an alarm is about."""
        item, alarm = self._item, self.alarm
        if isinstance(item, Group) and (item.effects or item.orders):
            self._opened ^= {item.head.key}
            self.draw()
        elif isinstance(item, WaitingOrder):
            self.open(Target("order", item.order))
        elif alarm is not None:
            self.open(Target("alarm", f"{alarm.kind} {alarm.subject}"))

    def action_silence(self) -> None:
        """Silence the alarm or its kind, or end the silence."""
        chosen = self._alarms()
        if not chosen:
            return
        alarm, alarms = chosen[0], self.context.model.alarms
        kind = self._(KINDS[alarm.kind])
        options = [self._("This alarm {time}", time=self._(words)) for _, words in _TIMES]
        options += [
            self._('All of the kind "{kind}" {time}', kind=kind, time=self._(words))
            for _, words in _TIMES
        ]
        silent = alarms.silences.of(alarm)
        if silent is not None:
            options.append(self._("Let it ring again"))

        def begin(place: int | None) -> None:
            if place is None:
                return
            if silent is not None and place == len(options) - 1:
                alarms.speak(*silent)
            else:
                length = _TIMES[place % len(_TIMES)][0]
                until = None if length is None else self.context.clock() + length
                alarms.silence(alarm.kind, alarm.subject if place < len(_TIMES) else None, until)
            self.draw()

        words = self._("Ring no bell, and do not count it above:")
        self.app.push_screen(Choice(self.context, words, options), begin)

    def action_next(self) -> None:
        """Select the next new alarm, whatever the filter."""
        alarms = self.context.model.alarms
        new = [each for each in alarms.groups() if each.head.open and not each.head.looked]
        if not new:
            self.notify(self._("nothing is new"), markup=False)
            return
        if not set(map(id, new)) & set(map(id, shown(alarms, "newest", _FILTERS[self._only]))):
            self._only = 0
            self.draw()
        table = self.query_one("#alarms", LineList)
        wanted = {id(each.head) for each in new}
        for place in range(len(table.items)):
            item = table.items[place]
            if isinstance(item, Group) and id(item.head) in wanted:
                table.action_move(place - table.place)
                return

    def action_sort(self) -> None:
        """Switch to the next sort order."""
        self._sort = (self._sort + 1) % len(_SORTS)
        self.draw()

    def action_severity(self) -> None:
        """Switch to the next severity filter."""
        self._only = (self._only + 1) % len(_FILTERS)
        self.draw()


def _name(item: object) -> object:
    """The identity of a row, which survives a redraw."""
    if isinstance(item, Group):
        return id(item.head)
    return item if isinstance(item, WaitingOrder) else id(item)
