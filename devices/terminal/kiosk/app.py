"""The kiosk app: shows a page at a time, takes scans, and forgets customers who walk away."""

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
from devices.terminal.kiosk.controller import KioskController
from devices.terminal.kiosk.customer_session import CustomerSession, Page
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
"""Seconds between two checks of idle time and of the lock on pickup codes."""


class Kiosk(App[None]):
    """The kiosk on a terminal.

    Args:
        controller: does what customers ask for; it is run here.
        settings: times and samples.
        clock: in seconds, to measure idle time.
        live: whether to connect to the store; if not, the models are shown as they are.
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
        controller: KioskController,
        settings: KioskSettings | None = None,
        clock: Callable[[], float] = time.monotonic,
        *,
        live: bool = True,
    ) -> None:
        super().__init__()
        self.controller = controller
        self.settings = settings or KioskSettings()
        self.wedge = Wedge(self.settings.scanner_gap)
        self.presses = Presses(self.settings.settle)
        self.theme = DARK
        self._clock = clock
        self._live = live
        self._touched = clock()
        self._shown: tuple[CustomerSession, Page, str, Any] | None = None
        self._redrawing = False
        self._undo: Callable[[], None] = lambda: None
        self._serving: asyncio.Task[None] | None = None

    @property
    def session(self) -> CustomerSession:
        """The customer."""
        return self.controller.session

    @property
    def say(self) -> Texts:
        """The texts in the customer's language."""
        return self.controller.say

    def get_default_screen(self) -> GuardedScreen:
        """The screen with the pages."""
        return GuardedScreen(lambda: self.presses)

    def compose(self) -> ComposeResult:
        """Status line, page, and note to the customer."""
        yield Label("", id="status", markup=False)
        yield PageStack(self.controller, self.settings)
        yield Label("", id="note", markup=False)

    async def on_mount(self) -> None:
        """Show the start page and connect to the store."""
        self.controller.changed = self.changed
        self.set_interval(_TICK, self._tick)
        if self._live:
            self._serving = asyncio.create_task(self.controller.run(), name="kiosk/controller")
            self._serving.add_done_callback(self._ended)
        await self.redraw()

    def _ended(self, task: "asyncio.Task[None]") -> None:
        """A kiosk ends with its terminal; the command says why."""
        if not task.cancelled() and isinstance(error := task.exception(), Exception):
            self.failure = error if isinstance(error, StorebusError) else None
            if self.failure is None:
                self._handle_exception(error)
            else:
                self.exit()

    failure: StorebusError | None = None
    """The error that ended it."""

    async def on_unmount(self) -> None:
        """Stop the terminal."""
        if self._serving is not None and not self._serving.done():
            self.controller.stop()
            self._serving.cancel()
            with suppress(asyncio.CancelledError, StorebusError):
                await self._serving

    # -- drawing ------------------------------------------------------------------------------

    def changed(self) -> None:
        """Redraw soon, once for all changes until then."""
        if not self._redrawing and self.is_running:
            self._redrawing = True
            self.call_later(self._draw_changes)

    async def _draw_changes(self) -> None:
        self._redrawing = False
        await self.redraw()

    async def redraw(self) -> None:
        """Draw the page of the session as it is now."""
        session = self.session
        key = (
            session,
            session.page,
            session.language,
            session.product.id if session.product else None,
        )
        try:
            if self._shown is None or not _same(self._shown, key):
                self._shown = key
                with self.batch_update():
                    page = await self._stack.turn_to(session.page)
                    self._draw(page)
                self.screen_stack[0].set_focus(None)
                self.widgets_changed()
            else:
                page = self.page
                self._draw(page)
            self._keep_focus(page)
        except NoMatches:
            return  # it is being taken down
        self._remind()

    @property
    def page(self) -> KioskPage:
        """The page in front.

        Raises:
            NoMatches: the app is being closed.
        """
        return self._stack.front

    @property
    def _stack(self) -> PageStack:
        return self.screen_stack[0].query_one(PageStack)

    def _keep_focus(self, page: KioskPage) -> None:
        """Move the focus to another widget if the one that had it is gone."""
        if self.screen_stack[0].focused is None and not self.session.is_busy:
            wanted = [*page.query(page.FIRST), *page.query(Button)]
            self.screen_stack[0].set_focus(next((each for each in wanted if each.focusable), None))

    def _draw(self, page: KioskPage) -> None:
        page.draw()
        base, say, note = self.screen_stack[0], self.say, self.session.note
        connected = self.controller.connected
        status = f"Storebus · {self.controller.name}"
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
        elif self.controller.reminders.current is not None:
            reminder = ReminderScreen(self.controller, lambda: self.presses, self.widgets_changed)
            self.push_screen(reminder, lambda _: self._reminded())

    def _reminded(self) -> None:
        self.widgets_changed()
        self.changed()

    def widgets_changed(self) -> None:
        """The widgets have changed: presses of just now were meant for the old ones."""
        self.presses.changed(time.monotonic())  # as the times of events are

    # -- time ---------------------------------------------------------------------------------

    def _idle_in(self) -> float | None:
        """Seconds until the session ends; None if nobody uses the kiosk, or the store is asked."""
        session = self.session
        is_fresh = session.is_nobody and session.language == self.controller.language
        if session.is_busy or (is_fresh and not self._typed()):
            return None
        return self.settings.idle - (self._clock() - self._touched)

    def _typed(self) -> bool:
        return any(field.value for field in self.page.query(Input))

    async def _tick(self) -> None:
        if self.session.is_busy:
            self._touched = self._clock()  # waiting for the store is not idle time
        left = self._idle_in()
        is_alone = self._clock() - self._touched >= self.settings.idle
        if left is not None and left <= 0:
            self.controller.leave()
        elif (
            (is_alone and self.controller.reminders.resume())
            or (left is not None and left <= _WARNED)
            or self.controller.lock is not None
        ):
            self.changed()

    def on_resize(self) -> None:
        """Fit rows and lists to the new size."""
        self.changed()

    async def on_event(self, event: events.Event) -> None:
        """Look at every key before widgets do: keys of a scanner are not for them."""
        if isinstance(event, (events.Key, events.MouseDown, events.Paste)):
            self._touched = self._clock()
        if isinstance(event, events.Key) and not event.is_forwarded:  # else it was seen before
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
        is_free = not isinstance(self.screen, ReminderScreen) and self.session.page != "receipt"
        if is_free or pickup_code(code) is not None:  # collecting a parcel disturbs nobody
            self.run_worker(self.controller.scan(code), name="scan")

    # -- the customer -------------------------------------------------------------------------

    @on(KioskPage.Go)
    async def go(self, event: KioskPage.Go) -> None:
        """Go to another page."""
        session = self.session
        if session.is_busy and session.page == "pay":
            return
        session.note = session.note if event.page == session.page else None
        session.page = event.page
        await self.redraw()

    @on(KioskPage.Moved)
    def moved(self) -> None:
        """The widgets under the finger have changed."""
        self.widgets_changed()

    @on(KioskPage.Leave)
    def leave(self) -> None:
        """End the session."""
        self.controller.leave()

    async def action_back(self) -> None:
        """Go back; on the start page, clear it."""
        with suppress(NoMatches):
            page = self.page
            if self.session.page == "start":
                self.session.found, self.session.note = [], None
                page.query_one("#code", Input).clear()
                self.changed()
            elif not self.session.is_busy:
                page.press_back()

    def action_light(self) -> None:
        """Switch between the dark and the light theme."""
        self.theme = LIGHT if self.theme == DARK else DARK

    @on(Button.Pressed)
    def button_of_nobody(self, event: Button.Pressed) -> None:
        """Buttons are handled by their pages."""
        event.stop()


_DECIDES = frozenset({"enter", "escape"})
"""Keys that press a button or leave the page."""
_WARNED = 10.0
"""Seconds before the session ends during which the customer is warned."""


def _same(
    one: tuple[CustomerSession, Page, str, object], other: tuple[CustomerSession, Page, str, object]
) -> bool:
    return one[0] is other[0] and one[1:] == other[1:]
