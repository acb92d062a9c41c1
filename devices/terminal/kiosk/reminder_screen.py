"""The reminder: it fills the screen and rings the terminal's bell until it is acknowledged.

Everybody can see it. The pickup code is shown only during the session in which the order was
bought; otherwise the order is called by its number, and its customer has the code.
"""

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Digits, Label

from bus.contract.terminal import Remind
from bus.text.safe import visible
from devices.terminal.kiosk.controller import KioskController
from devices.terminal.kiosk.presses import Presses
from devices.terminal.kiosk.prose import Prose
from devices.terminal.kiosk.screen import GuardedScreen
from devices.terminal.kiosk.tap import Tap
from devices.terminal.kiosk.words import call_number

_RING = 5.0
"""Seconds between two rings of the terminal's bell."""


class ReminderScreen(GuardedScreen, ModalScreen[None]):
    """Shows the reminder that has waited longest, and reports it as displayed.

    Args:
        controller: has the reminders.
        presses: tells which presses count.
        widgets_changed: called when one reminder replaces another.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", show=False)]

    def __init__(
        self,
        controller: KioskController,
        presses: Callable[[], Presses],
        widgets_changed: Callable[[], None],
    ) -> None:
        super().__init__(presses)
        self._controller = controller
        self._widgets_changed = widgets_changed
        self._drawn: tuple[Remind, bool] | None = None
        self._leaves = False

    def compose(self) -> ComposeResult:
        """Order, pickup point, number or code, missing goods, answers."""
        with Vertical(id="reminder"):
            yield Label("", id="ready", markup=False)
            yield Prose("", "point", is_centred=True)
            yield Digits("", id="reminder-code")
            yield Label("", id="number", markup=False)
            yield Prose("", "missing", is_centred=True)
            with Horizontal(id="answers"):
                yield Tap("", id="seen", classes="-main")
                yield Tap("", id="other")
            yield Label("", id="more", markup=False)

    def on_mount(self) -> None:
        """Begin to ring."""
        self.set_interval(_RING, self.app.bell)
        self.draw()

    def draw(self) -> None:
        """Show the current reminder; close if there is none."""
        reminder, session = self._controller.reminders.current, self._controller.session
        if self._leaves:
            return
        if reminder is None:
            self._leaves = True
            self.dismiss()
            return
        waiting, say = len(self._controller.reminders), self._controller.say
        more = say("{count} more waiting", count=waiting - 1) if waiting > 1 else ""
        self.query_one("#more", Label).update(more)
        drawn = (reminder, reminder.order in session.codes)
        if drawn != self._drawn:
            self._drawn = drawn
            self._show(*drawn)
            self.query_one("#seen" if drawn[1] or session.is_nobody else "#other").focus()
            self._widgets_changed()
            self.app.bell()
        self.call_after_refresh(self._controller.reminders.displayed, reminder.order)

    def _show(self, reminder: Remind, is_theirs: bool) -> None:
        say, code = self._controller.say, self.query_one("#reminder-code", Digits)
        number, other = self.query_one("#number", Label), self.query_one("#other", Tap)
        if is_theirs:
            ready = say("★ Your parcel is ready ★")
            where = say(
                "Order {order}: collect at {point} with the code {code}",
                order=reminder.order, point=reminder.pickup_point_name, code=reminder.pickup_code,
            )  # fmt: skip
        else:
            ready = say("★ A parcel is ready ★")
            where = say(
                "Order {order}: collect at {point} with the code that you were given when you"
                " paid. Lost it? Ask the staff.",
                order=reminder.order, point=reminder.pickup_point_name,
            )  # fmt: skip
        self.query_one("#ready", Label).update(ready)
        self.query_one("#point", Prose).show(visible(where))
        code.update(reminder.pickup_code if is_theirs else "")
        number.update(say("Number {number}", number=call_number(reminder.order)))
        code.display, number.display, other.display = is_theirs, not is_theirs, not is_theirs
        missing = [
            say(
                "{count} × {sku} could not be found; you get your money back.",
                count=line.quantity, sku=line.sku,
            )
            for line in reminder.missing
        ]  # fmt: skip
        if missing and not is_theirs:
            missing = [say("Some of it could not be found; you get your money back for that.")]
        self.query_one("#missing", Prose).show(visible("\n".join(missing)))
        self.query_one("#seen", Tap).label = say("I have seen it")
        other.label = say("Not mine: continue")

    async def action_leave(self) -> None:
        """Escape: acknowledge it if it may be the customer's own, else postpone it."""
        if self._drawn is not None:
            reminder, is_theirs = self._drawn
            if is_theirs or self._controller.session.is_nobody:
                await self._controller.acknowledge(reminder.order)
            else:
                self._controller.postpone(reminder.order)

    async def on_button_pressed(self, event: Button.Pressed) -> None:
        """Acknowledge the reminder, or postpone it if it is another customer's."""
        event.stop()
        if self._drawn is None:
            return
        order = self._drawn[0].order
        if event.button.id == "seen":
            await self._controller.acknowledge(order)
        else:
            self._controller.postpone(order)
