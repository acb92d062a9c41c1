"""The kiosk: a page at a time, a scanner that types, and a customer who may walk away."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, ClassVar

from textual import events, on
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.css.query import NoMatches
from textual.widgets import Button, Input, Label

from bus.contract.errors import StorebusError
from bus.text.safe import visible
from bus.text.texts import Texts
from devices.terminal.code import pickup_code
from devices.terminal.kiosk.controller import Attendant
from devices.terminal.kiosk.customer_session import Guest, Page
from devices.terminal.kiosk.pages.base import KioskPage
from devices.terminal.kiosk.pages.stack import PageStack
from devices.terminal.kiosk.presses import Presses
from devices.terminal.kiosk.refusals import OFFLINE
from devices.terminal.kiosk.reminder_screen import ReminderScreen
from devices.terminal.kiosk.screen import GuardedScreen
from devices.terminal.kiosk.settings import KioskSettings
from devices.terminal.kiosk.wedge import Wedge

DARK, LIGHT = "textual-dark", "textual-light"
_TICK = 0.5
"""Seconds between two looks at who is idle and how long a lock lasts."""


class Kiosk(App[None]):
    """The kiosk's screen.

    Args:
        attendant: serves its customers; it is run here.
        settings: how customers are treated.
        clock: seconds, to tell who is idle.
        live: whether to be on the bus; without it, only what is in the models is shown.
    """

    CSS_PATH = "kiosk.tcss"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", show=False),
        Binding("left", "app.focus_previous", show=False),
        Binding("right", "app.focus_next", show=False),
        Binding("up", "app.focus_previous", show=False),
        Binding("down", "app.focus_next", show=False),
        Binding("f2", "light", show=False),
    ]

    def __init__(
        self,
        attendant: Attendant,
        settings: KioskSettings | None = None,
        clock: Callable[[], float] = time.monotonic,
        *,
        live: bool = True,
    ) -> None:
        super().__init__()
        self.attendant = attendant
        self.settings = settings or KioskSettings()
        self.wedge = Wedge(self.settings.scanner_gap)
        self.presses = Presses(self.settings.settle)
        self.theme = DARK
        self._clock = clock
        self._live = live
        self._touched = clock()
        self._shown: tuple[Guest, Page, str, Any] | None = None
        self._redrawing = False
        self._undo: Callable[[], None] = lambda: None
        self._serving: asyncio.Task[None] | None = None

    @property
    def guest(self) -> Guest:
        """The customer."""
        return self.attendant.guest

    @property
    def say(self) -> Texts:
        """The texts in the customer's language."""
        return self.attendant.say

    def get_default_screen(self) -> GuardedScreen:
        """The one with the pages."""
        return GuardedScreen(lambda: self.presses)

    def compose(self) -> ComposeResult:
        """The line above, the page, and what the customer is told."""
        yield Label("", id="status", markup=False)
        yield PageStack(self.attendant, self.settings)
        yield Label("", id="note", markup=False)

    async def on_mount(self) -> None:
        """Begin at the start, on the bus."""
        self.attendant.changed = self.changed
        self.set_interval(_TICK, self._tick)
        if self._live:
            self._serving = asyncio.create_task(self.attendant.run(), name="kiosk/attendant")
            self._serving.add_done_callback(self._ended)
        await self.redraw()

    def _ended(self, task: "asyncio.Task[None]") -> None:
        """Without its terminal a kiosk is nothing: the command says why."""
        if not task.cancelled() and isinstance(error := task.exception(), Exception):
            self.failure = error if isinstance(error, StorebusError) else None
            if self.failure is None:
                self._handle_exception(error)
            else:
                self.exit()

    failure: StorebusError | None = None
    """Why it ended by itself."""

    async def on_unmount(self) -> None:
        """Say goodbye."""
        if self._serving is not None and not self._serving.done():
            self.attendant.stop()
            self._serving.cancel()
            with suppress(asyncio.CancelledError, StorebusError):
                await self._serving

    # -- drawing ------------------------------------------------------------------------------

    def changed(self) -> None:
        """Something is new: draw once, however much it is."""
        if not self._redrawing and self.is_running:
            self._redrawing = True
            self.call_later(self._draw_changes)

    async def _draw_changes(self) -> None:
        self._redrawing = False
        await self.redraw()

    async def redraw(self) -> None:
        """Show the page that the customer is at, as it is now."""
        guest = self.guest
        key = (guest, guest.page, guest.language, guest.product.id if guest.product else None)
        try:
            if self._shown is None or not _same(self._shown, key):
                self._shown = key
                with self.batch_update():
                    page = await self._stack.turn_to(guest.page)
                    self._draw(page)
                self.screen_stack[0].set_focus(None)
                self.under_the_finger_is_another()
            else:
                page = self.page
                self._draw(page)
            self._keep_focus(page)
        except NoMatches:
            return  # it is being taken down
        self._remind()

    @property
    def page(self) -> KioskPage:
        """The page that is shown, or will be.

        Raises:
            NoMatches: there is none any more.
        """
        return self._stack.front

    @property
    def _stack(self) -> PageStack:
        return self.screen_stack[0].query_one(PageStack)

    def _keep_focus(self, page: KioskPage) -> None:
        """There is always something that Enter is for, also when a button was taken away."""
        if self.screen_stack[0].focused is None and not self.guest.is_busy:
            wanted = [*page.query(page.FIRST), *page.query(Button)]
            self.screen_stack[0].set_focus(next((each for each in wanted if each.focusable), None))

    def _draw(self, page: KioskPage) -> None:
        page.draw()
        base, say, note = self.screen_stack[0], self.say, self.guest.note
        connected = self.attendant.connected
        status = f"Storebus · {self.attendant.name}"
        label = base.query_one("#status", Label)
        label.update(status if connected else "✖ " + OFFLINE.said(say))
        label.set_class(not connected, "-offline")
        text = "▶ " + note.said(say) if note is not None else ""
        left = self._idle_in()
        if left is not None and left <= _WARNED:
            text = "▶ " + say("Still there? Back to the start in {count} s.", count=round(left))
        base.query_one("#note", Label).update(visible(text))

    def _remind(self) -> None:
        if isinstance(self.screen, ReminderScreen):
            self.screen.draw()
        elif self.attendant.reminding.current is not None:
            reminder = ReminderScreen(
                self.attendant, lambda: self.presses, self.under_the_finger_is_another
            )
            self.push_screen(reminder, lambda _: self._reminded())

    def _reminded(self) -> None:
        self.under_the_finger_is_another()
        self.changed()

    def under_the_finger_is_another(self) -> None:
        """What was pressed just now was not meant for what is shown from now on."""
        self.presses.changed(time.monotonic())  # as the times of events are

    # -- time ---------------------------------------------------------------------------------

    def _idle_in(self) -> float | None:
        """Seconds until the customer is forgotten; None while there is nobody to forget."""
        guest = self.guest
        is_fresh = guest.is_nobody and guest.language == self.attendant.language
        if guest.is_busy or (is_fresh and not self._typed()):
            return None
        return self.settings.idle - (self._clock() - self._touched)

    def _typed(self) -> bool:
        return any(field.value for field in self.page.query(Input))

    async def _tick(self) -> None:
        if self.guest.is_busy:
            self._touched = self._clock()  # the time of who waits for us does not run
        left = self._idle_in()
        is_alone = self._clock() - self._touched >= self.settings.idle
        if left is not None and left <= 0:
            self.attendant.leave()
        elif (
            (is_alone and self.attendant.reminding.take_up())
            or (left is not None and left <= _WARNED)
            or self.attendant.lock is not None
        ):
            self.changed()

    def on_resize(self) -> None:
        """Rows and lists fit the screen that there is."""
        self.changed()

    async def on_event(self, event: events.Event) -> None:
        """See every key before a field does, for a scanner's belong to nobody else."""
        if isinstance(event, (events.Key, events.MouseDown, events.Paste)):
            self._touched = self._clock()
        if isinstance(event, events.Key) and not event.is_forwarded:  # else it is on its way back
            self._remember(event)
            code = self.wedge.key(event.key, event.character, event.time)
            if code is not None:
                self._scanned(code)
                return
            if event.key in _DECIDES and not self.presses.counts(event.key, event.time):
                return
        await super().on_event(event)

    def _remember(self, event: events.Key) -> None:
        if self.wedge.is_new(event.time):
            with suppress(NoMatches):
                self._undo = self.page.keep()

    def _scanned(self, code: str) -> None:
        self._undo()
        is_free = not isinstance(self.screen, ReminderScreen) and self.guest.page != "receipt"
        if is_free or pickup_code(code) is not None:  # who collects takes nobody's place
            self.run_worker(self.attendant.scan(code), name="scan")

    # -- the customer -------------------------------------------------------------------------

    @on(KioskPage.Go)
    async def go(self, event: KioskPage.Go) -> None:
        """To another page."""
        guest = self.guest
        if guest.is_busy and guest.page == "pay":
            return
        guest.note = guest.note if event.page == guest.page else None
        guest.page = event.page
        await self.redraw()

    @on(KioskPage.Moved)
    def moved(self) -> None:
        """A second tap is not for what came up in the place of the first."""
        self.under_the_finger_is_another()

    @on(KioskPage.Leave)
    def leave(self) -> None:
        """The customer is done."""
        self.attendant.leave()

    async def action_back(self) -> None:
        """Where the customer came from."""
        with suppress(NoMatches):
            page = self.page
            if self.guest.page == "start":
                self.guest.found, self.guest.note = [], None
                page.query_one("#code", Input).clear()
                self.changed()
            elif not self.guest.is_busy:
                page.press_back()

    def action_light(self) -> None:
        """From dark to light, or back."""
        self.theme = LIGHT if self.theme == DARK else DARK

    @on(Button.Pressed)
    def button_of_nobody(self, event: Button.Pressed) -> None:
        """Pages hear their own buttons."""
        event.stop()


_DECIDES = frozenset({"enter", "escape"})
"""Keys that press something, or lead away."""
_WARNED = 10.0
"""Seconds before a customer is forgotten in which it is said."""


def _same(one: tuple[Guest, Page, str, object], other: tuple[Guest, Page, str, object]) -> bool:
    return one[0] is other[0] and one[1:] == other[1:]
