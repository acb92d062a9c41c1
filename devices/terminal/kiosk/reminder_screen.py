"""The reminder: it fills the screen, and rings, until somebody takes notice.

Everybody sees it. The pickup code is shown only while the customer whose it is stands there; else
the order is called by its number, and its customer has the code.
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
from devices.terminal.kiosk.controller import Attendant
from devices.terminal.kiosk.presses import Presses
from devices.terminal.kiosk.prose import Prose
from devices.terminal.kiosk.screen import GuardedScreen
from devices.terminal.kiosk.tap import Tap
from devices.terminal.kiosk.words import call_number

_RING = 5.0
"""Seconds between two bells."""


class ReminderScreen(GuardedScreen, ModalScreen[None]):
    """Shows the reminder that waits longest, and says that it is really there.

    Args:
        attendant: whose reminders they are.
        presses: tells which touches count.
        is_another: called when another reminder comes up in the place of one.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", show=False)]

    def __init__(
        self,
        attendant: Attendant,
        presses: Callable[[], Presses],
        is_another: Callable[[], None],
    ) -> None:
        super().__init__(presses)
        self._attendant = attendant
        self._is_another = is_another
        self._drawn: tuple[Remind, bool] | None = None
        self._leaves = False

    def compose(self) -> ComposeResult:
        """What to collect, where, and by which number or code."""
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
        """Ring, and ring again."""
        self.set_interval(_RING, self.app.bell)
        self.draw()

    def draw(self) -> None:
        """The reminder whose turn it is."""
        reminder, guest = self._attendant.reminding.current, self._attendant.guest
        if self._leaves:
            return
        if reminder is None:
            self._leaves = True
            self.dismiss()
            return
        waiting, say = len(self._attendant.reminding), self._attendant.say
        more = say("{count} more waiting", count=waiting - 1) if waiting > 1 else ""
        self.query_one("#more", Label).update(more)
        drawn = (reminder, reminder.order in guest.codes)
        if drawn != self._drawn:
            self._drawn = drawn
            self._show(*drawn)
            self.query_one("#seen" if drawn[1] or guest.is_nobody else "#other").focus()
            self._is_another()
            self.app.bell()
        self.call_after_refresh(self._attendant.reminding.lit, reminder.order)

    def _show(self, reminder: Remind, is_theirs: bool) -> None:
        say, code = self._attendant.say, self.query_one("#reminder-code", Digits)
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
                "{count} × {sku} could not be found; the money goes back.",
                count=line.quantity, sku=line.sku,
            )
            for line in reminder.missing
        ]  # fmt: skip
        if missing and not is_theirs:
            missing = [say("Some of it could not be found; its money goes back.")]
        self.query_one("#missing", Prose).show(visible("\n".join(missing)))
        self.query_one("#seen", Tap).label = say("I have seen it")
        other.label = say("Not mine: go on")

    async def action_leave(self) -> None:
        """Away from it: who it is for has seen it, another has nothing to do with it."""
        if self._drawn is not None:
            reminder, is_theirs = self._drawn
            if is_theirs or self._attendant.guest.is_nobody:
                await self._attendant.acknowledge(reminder.order)
            else:
                self._attendant.put_aside(reminder.order)

    async def on_button_pressed(self, event: Button.Pressed) -> None:
        """Somebody took notice of what is drawn, or says that it is not theirs."""
        event.stop()
        if self._drawn is None:
            return
        order = self._drawn[0].order
        if event.button.id == "seen":
            await self._attendant.acknowledge(order)
        else:
            self._attendant.put_aside(order)
