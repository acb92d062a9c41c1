"""The reminder: it fills the screen, and rings, until somebody takes notice."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Center, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Digits, Label

from bus.contract.terminal import Remind
from bus.safe import visible
from bus.texts import Texts
from devices.terminal.kiosk.attendant import Attendant
from devices.terminal.kiosk.tap import Tap

_RING = 5.0
"""Seconds between two bells."""


class ReminderScreen(ModalScreen[None]):
    """Shows the reminder that waits longest, and says that it is really there.

    Args:
        attendant: whose reminders they are.
        say: the texts in the customer's language.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "acknowledge", show=False)]

    def __init__(self, attendant: Attendant, say: Texts) -> None:
        super().__init__()
        self._attendant = attendant
        self.say = say
        self._drawn: Remind | None = None
        self._leaves = False

    def compose(self) -> ComposeResult:
        """What to collect, where, and the code."""
        with Vertical(id="reminder"):
            yield Label(self.say("★ Your parcel is ready ★"), id="ready")
            yield Label("", id="point", markup=False)
            yield Digits("", id="reminder-code")
            yield Label("", id="missing", markup=False)
            with Center():
                yield Tap(self.say("I have seen it"), id="seen", classes="-main")
            yield Label("", id="more", markup=False)

    def on_mount(self) -> None:
        """Ring, and ring again."""
        self.query_one("#seen").focus()
        self.set_interval(_RING, self.app.bell)
        self.draw()

    def draw(self) -> None:
        """The reminder whose turn it is."""
        reminder = self._attendant.reminding.current
        if self._leaves:
            return
        if reminder is None:
            self._leaves = True
            self.dismiss()
            return
        waiting = len(self._attendant.reminding)
        more = self.say("{count} more waiting", count=waiting - 1) if waiting > 1 else ""
        self.query_one("#more", Label).update(more)
        if reminder != self._drawn:
            self._drawn = reminder
            self.query_one("#point", Label).update(
                visible(
                    self.say(
                        "Order {order}: collect at {point} with the code {code}",
                        order=reminder.order, point=reminder.pickup_point_name,
                        code=reminder.pickup_code,
                    )
                )
            )  # fmt: skip
            self.query_one("#reminder-code", Digits).update(reminder.pickup_code)
            missing = [
                self.say(
                    "{count} × {sku} could not be found; the money goes back.",
                    count=line.quantity, sku=line.sku,
                )
                for line in reminder.missing
            ]  # fmt: skip
            self.query_one("#missing", Label).update(visible("\n".join(missing)))
            self.app.bell()
        self.call_after_refresh(self._attendant.reminding.lit, reminder.order)

    async def action_acknowledge(self) -> None:
        """Somebody took notice of what is drawn."""
        if self._drawn is not None:
            await self._attendant.acknowledge(self._drawn.order)

    async def on_button_pressed(self, event: Button.Pressed) -> None:
        """The same by touch."""
        event.stop()
        await self.action_acknowledge()
