"""The console's app: its screens, its timers, and the feed behind them."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import ClassVar

from textual import events, on
from textual.app import ScreenStackError
from textual.binding import Binding, BindingType

from bus.contract.errors import JournalError
from bus.history.message import Message, body
from bus.link import Connector
from bus.text.safe import visible
from bus.text.sentence import marked
from bus.text.texts import ENGLISH, Texts
from tui import theme
from tui.alarm_file import AlarmFile
from tui.commands import command_for, price_change
from tui.context import ConsoleContext
from tui.feed import Feed
from tui.file_actions import FileActions
from tui.help_actions import HelpActions
from tui.model.player import Player
from tui.model.store import StoreModel
from tui.model.target import Opens, Target
from tui.model.view import View
from tui.playback import play
from tui.recorder import ConsoleRecorder
from tui.screens.alarms import AlarmsScreen
from tui.screens.base import TABS, ConsoleScreen
from tui.screens.node import NodeScreen, NodesScreen
from tui.screens.order import OrderScreen
from tui.screens.orders import OrdersScreen
from tui.screens.request import RequestScreen
from tui.screens.search import SearchScreen
from tui.screens.sheet import Sheet
from tui.screens.stock import StockScreen
from tui.screens.store import StoreScreen
from tui.screens.style import StyleScreen
from tui.screens.topics import TopicsScreen
from tui.screens.traffic import TrafficScreen
from tui.senders import Senders
from tui.widgets.bindings import translated
from tui.widgets.top import Top

_REDRAW = 0.2
"""Seconds between two redraws, however many messages there are."""
_TICK = 1.0
"""Seconds between two checks for what is overdue; also the least time between two bells."""
_TOLD = 20.0
"""Seconds for which a message about the alarm file is shown."""
_CALLEES = {
    "cancel": "settlement",
    "collect": "settlement",
    "resolve": "settlement",
    "reassign": "warehouse",
    "resume": "warehouse",
    "receive": "warehouse",
    "count": "warehouse",
    "retire": "catalog",
    "reinstate": "catalog",
}
_SCREENS: dict[str, type[ConsoleScreen]] = {
    "store": StoreScreen,
    "traffic": TrafficScreen,
    "orders": OrdersScreen,
    "stock": StockScreen,
    "alarms": AlarmsScreen,
    "topics": TopicsScreen,
}

_OPENED: dict[Opens, Callable[[ConsoleContext, str], ConsoleScreen]] = {
    "order": OrderScreen,
    "node": NodeScreen,
    "group": NodesScreen,
    "style": StyleScreen,
}
"""By kind of target, the screen that shows it."""


class Console(HelpActions, FileActions):
    """The operators' console.

    Args:
        model: of the site.
        clock: milliseconds since the epoch.
        language: of the texts, such as `zh`.
        connector: to the broker; None to show the model as it is.
        name: such as `console-2`; the first free name if None.
        player: of a recording, if the console shows one; the model and clock are its own.
        kept: the file in which the alarms are kept between starts.
        senders: asks the broker for senders, if it runs on this computer.
    """

    CSS_PATH = "console.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (140, "-wide")]  # noqa: RUF012 - as in App
    VERTICAL_BREAKPOINTS = [(0, "-low"), (45, "-tall")]  # noqa: RUF012 - as in App
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(str(place + 1), f"tab('{name}')", title, show=False)
            for place, (name, title) in enumerate(TABS.items())
        ),
        Binding("t", "light", marked("Light or dark")),
        Binding("I", "inject", marked("Send a request")),
        Binding("ctrl+r", "record", marked("Record, or stop recording")),
        Binding("ctrl+e", "picture", marked("Save a picture of the screen")),
        Binding("q", "quit", marked("Quit")),
    ]

    def __init__(
        self,
        model: StoreModel,
        clock: Callable[[], int],
        language: str = ENGLISH,
        connector: Connector | None = None,
        name: str | None = None,
        player: Player | None = None,
        kept: AlarmFile | None = None,
        senders: Senders | None = None,
    ) -> None:
        super().__init__()
        say = Texts("tui", language)
        self.context = ConsoleContext(model, View(model.history), say, clock)
        self.context.view.set_filter("")
        self.context.player, self.context.kept, self.context.senders = player, kept, senders
        if connector is not None:
            self.context.feed = Feed(connector, model, self._heard, self.context.scheduler, name)
            self.context.recorder = ConsoleRecorder(connector, model.topics)
        self.title = "Storebus"
        self.theme = theme.DARK
        self._bindings = translated(self._bindings, say)
        self._running_feed: asyncio.Task[None] | None = None
        self._rung = 0
        self._keeping: asyncio.Task[None] | None = None

    def _heard(self, messages: list[Message]) -> None:
        context = self.context
        if context.player is not None and context.model is not context.player.model:
            context.model = context.player.model
            context.view.turn_to(context.model.history)
        elif messages:
            context.view.take(messages)

    async def on_mount(self) -> None:
        """Make the screens, and start the feed or the player."""
        self._recall()
        for name, screen in _SCREENS.items():
            self.add_mode(name, self._maker(screen))
        for name in reversed(_SCREENS):  # each is made now, so that its key is answered at once
            await self.switch_mode(name)
        if self.context.feed is not None:
            self.set_interval(_TICK, self.tick)
            feeding = self.context.feed.run()
        elif self.context.player is not None:
            feeding = play(self.context.player, self._heard, self.context.scheduler)
        else:
            return
        self.set_interval(_REDRAW, self.redraw)
        self._running_feed = asyncio.create_task(feeding, name="console/feed")
        self._running_feed.add_done_callback(self._feed_ended)

    def _recall(self) -> None:
        """Restore the alarms of an earlier console; a notification says if that fails."""
        kept = self.context.kept
        if kept is None:
            return
        trouble = ""
        try:
            kept.load(self.context.model.alarms)
        except JournalError as error:
            trouble = str(error)
        if trouble := trouble or kept.trouble:
            self.notify(visible(trouble), severity="warning", timeout=_TOLD, markup=False)

    def _maker(self, screen: type[ConsoleScreen]) -> Callable[[], ConsoleScreen]:
        return lambda: screen(self.context)

    def _feed_ended(self, task: "asyncio.Task[None]") -> None:
        """A feed that ends by itself is a defect: fail, rather than look like a quiet store."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self._handle_exception(error if isinstance(error, Exception) else Exception(error))

    async def on_unmount(self) -> None:
        """Stop the feed and the recorder, and save the alarms."""
        if self._running_feed is not None:
            self._running_feed.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await self._running_feed
        if self.context.recorder is not None:
            with suppress(JournalError):
                await self.context.recorder.stop()
        if self.context.senders is not None:
            await self.context.senders.close()
        if self.context.kept is not None:
            await self.context.kept.close(self.context.model.alarms)

    async def on_event(self, event: events.Event) -> None:
        """Keys, clicks and the wheel are handled before more messages."""
        if isinstance(event, events.InputEvent) and not isinstance(event, events.MouseMove):
            self.context.scheduler.key_pressed()
        await super().on_event(event)

    def delay_update(self, delay: float = 0.0) -> None:
        """Do not hide a screen while it is made, as Textual does: all are made at the start."""

    def redraw(self) -> None:
        """Draw the current screen, if there is one."""
        with suppress(ScreenStackError):
            if isinstance(self.screen, ConsoleScreen):
                self.screen.draw()

    def tick(self) -> None:
        """Check for what is overdue, ring for new alarms, and save them."""
        model, feed, now = self.context.model, self.context.feed, self.context.clock()
        if feed is not None:
            model.reach(feed.broker, now, up=feed.up)
        model.tick(now)
        with suppress(ScreenStackError):
            if isinstance(self.screen, SearchScreen):
                self.screen.draw()
        if self.context.kept is not None and (self._keeping is None or self._keeping.done()):
            saving = self.context.kept.save(model.alarms)
            self._keeping = asyncio.create_task(saving, name="console/alarms")
        if self.context.senders is not None:
            self.context.senders.look(model.alarms, now)
        if model.alarms.bell != self._rung:
            self._rung = model.alarms.bell
            self.bell()

    async def action_tab(self, name: str) -> None:
        """Switch to another tab."""
        if name in _SCREENS and not self.screen.is_modal:
            await self.switch_mode(name)

    @on(Top.Wanted)
    async def tab_wanted(self, event: Top.Wanted) -> None:
        """A tab was clicked."""
        await self.action_tab(event.tab)

    @on(ConsoleScreen.Opened)
    async def opened(self, event: ConsoleScreen.Opened) -> None:
        """Open the target of a line."""
        await self.open(event.target)

    @on(ConsoleScreen.Filtered)
    async def filtered(self, event: ConsoleScreen.Filtered) -> None:
        """Show the traffic through a filter."""
        await self.switch_mode("traffic")
        if isinstance(self.screen, TrafficScreen):
            self.screen.set_filter(event.words)

    async def open(self, target: Target) -> None:
        """Open a target."""
        kind, name = target
        if kind == "alarm":
            await self._open_alarm(name)
        elif kind == "message" and isinstance(self.screen, ConsoleScreen):
            self.screen.show_message(int(name))
        elif kind in ("broker", "topic"):
            await self.switch_mode("topics")
            if name and isinstance(self.screen, TopicsScreen):
                self.screen.choose(name)
        elif kind in _OPENED:
            await self.push_screen(_OPENED[kind](self.context, name))

    async def _open_alarm(self, name: str) -> None:
        """Open the order, node or style that an alarm is about; else its message."""
        kind, _, subject = name.partition(" ")
        model = self.context.model
        known: dict[Opens, object] = {
            "order": model.orders.get(subject),
            "node": model.nodes.get(subject),
            "style": model.stock.get(subject),
        }
        about = next((opens for opens, what in known.items() if what is not None), None)
        if about is not None:
            await self.open(Target(about, subject))
            return
        every = (*model.alarms.current(), *model.alarms.history())
        alarm = next((each for each in every if (each.kind, each.subject) == (kind, subject)), None)
        if alarm is not None and alarm.message is not None:
            await self.open(Target("message", str(alarm.message)))
        else:
            await self.action_tab("alarms")

    async def action_search(self) -> None:
        """Search for an order, a node, a style, an alarm or a topic."""
        if isinstance(self.screen, Sheet):
            await self.pop_screen()
        if not self.screen.is_modal:
            self.push_screen(SearchScreen(self.context), self._found)

    async def _found(self, target: Target | None) -> None:
        if target is not None:
            await self.open(target)

    def action_light(self) -> None:
        """Switch between the dark and the light theme."""
        self.theme = theme.LIGHT if theme.is_dark(self.theme) else theme.DARK
        self.redraw()

    def action_act(self, name: str) -> None:
        """Open the form of a command, filled in from what is selected."""
        preset = self.screen.preset() if isinstance(self.screen, ConsoleScreen) else {}
        wanted = (
            price_change(preset) if name == "price" else command_for(_CALLEES[name], name, preset)
        )
        self.push_screen(RequestScreen(self.context, wanted))

    def action_inject(self) -> None:
        """Open a form for any request of the contract."""
        if not self.screen.is_modal:
            self.push_screen(RequestScreen(self.context))

    def action_send_again(self, number: int) -> None:
        """Open a form with a request that was recorded in the traffic, to send it again."""
        message = self.context.model.history.get(number)
        wanted = None
        if message is not None and message.kind == "req":
            wanted = command_for(message.receiver, message.name, body(message))
        if wanted is None:
            self.notify(self._("only a request of the contract can be sent again"), markup=False)
            return
        self.push_screen(RequestScreen(self.context, wanted))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 - as in DOMNode
        """Whether an action is available."""
        return self.context.offers(action)
