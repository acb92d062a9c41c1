"""The console: its screens, its clock, and the feed behind them."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

from textual import events, on
from textual.app import App, ScreenStackError, SystemCommand
from textual.binding import Binding, BindingType
from textual.command import CommandPalette
from textual.dom import DOMNode
from textual.screen import Screen

from bus.contract.errors import JournalError
from bus.history.message import Message, body
from bus.link import Connector
from bus.text.safe import fit, visible
from bus.text.sentence import marked
from bus.text.texts import ENGLISH, Texts
from bus.text.wrap import wrapped
from tui import theme
from tui.alarm_file import AlarmFile
from tui.commands import errand, price_change
from tui.context import Desk
from tui.feed import Feed
from tui.model.export import save_picture
from tui.model.player import Player
from tui.model.store import StoreModel
from tui.model.target import Opens, Target
from tui.model.view import View
from tui.playback import play
from tui.recorder import Taping
from tui.rendering.canvas import Line
from tui.screens.alarms import AlarmsScreen
from tui.screens.base import TABS, ConsoleScreen
from tui.screens.node import NodeScreen, NodesScreen
from tui.screens.order import OrderScreen
from tui.screens.orders import OrdersScreen
from tui.screens.prompt import Question
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
"""Seconds between two looks at what has not happened; also between two bells at least."""
_TOLD = 20.0
"""Seconds for which it is shown that a file cannot be used."""
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

_OPENED: dict[Opens, Callable[[Desk, str], ConsoleScreen]] = {
    "order": OrderScreen,
    "node": NodeScreen,
    "group": NodesScreen,
    "style": StyleScreen,
}
"""The screen that shows one of them."""


class Console(App[None]):
    """The operators' console.

    Args:
        model: of the site.
        clock: milliseconds since the epoch.
        language: of the texts, such as `zh`.
        connector: to the broker; None where nothing is to be heard but what is in the model.
        name: such as `console-2`; the first that is free if None.
        player: of the recording that is looked at; its model and its clock are the console's.
        kept: where the alarms are kept from one start to the next.
        senders: of the broker, where it runs on this computer.
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
        self.desk = Desk(model, View(model.history), say, clock)
        self.desk.view.set_filter("")
        self.desk.player, self.desk.kept, self.desk.senders = player, kept, senders
        if connector is not None:
            self.desk.feed = Feed(connector, model, self._heard, self.desk.pace, name)
            self.desk.taping = Taping(connector, model.topics)
        self.title = "Storebus"
        self.theme = theme.DARK
        self._bindings = translated(self._bindings, say)
        self._running_feed: asyncio.Task[None] | None = None
        self._rung = 0
        self._keeping: asyncio.Task[None] | None = None

    def _(self, text: str, **values: object) -> str:
        """A text in the operator's language."""
        return self.desk.say(text, **values)

    def _heard(self, messages: list[Message]) -> None:
        desk = self.desk
        if desk.player is not None and desk.model is not desk.player.model:
            desk.model = desk.player.model
            desk.view.turn_to(desk.model.history)
        elif messages:
            desk.view.take(messages)

    async def on_mount(self) -> None:
        """Begin with the first screen, and to hear."""
        self._recall()
        for name, screen in _SCREENS.items():
            self.add_mode(name, self._maker(screen))
        for name in reversed(_SCREENS):  # each is made now, so that its key is answered at once
            await self.switch_mode(name)
        if self.desk.feed is not None:
            self.set_interval(_TICK, self.tick)
            feeding = self.desk.feed.run()
        elif self.desk.player is not None:
            feeding = play(self.desk.player, self._heard, self.desk.pace)
        else:
            return
        self.set_interval(_REDRAW, self.redraw)
        self._running_feed = asyncio.create_task(feeding, name="console/feed")
        self._running_feed.add_done_callback(self._feed_ended)

    def _recall(self) -> None:
        """What an earlier console knew; a file that cannot be used is said, and is no obstacle."""
        kept = self.desk.kept
        if kept is None:
            return
        trouble = ""
        try:
            kept.load(self.desk.model.alarms)
        except JournalError as error:
            trouble = str(error)
        if trouble := trouble or kept.trouble:
            self.notify(visible(trouble), severity="warning", timeout=_TOLD, markup=False)

    def _maker(self, screen: type[ConsoleScreen]) -> Callable[[], ConsoleScreen]:
        return lambda: screen(self.desk)

    def _feed_ended(self, task: "asyncio.Task[None]") -> None:
        """A feed that ends by itself is a defect, and must not look like a quiet store."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self._handle_exception(error if isinstance(error, Exception) else Exception(error))

    async def on_unmount(self) -> None:
        """Say goodbye."""
        if self._running_feed is not None:
            self._running_feed.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await self._running_feed
        if self.desk.taping is not None:
            with suppress(JournalError):
                await self.desk.taping.stop()
        if self.desk.senders is not None:
            await self.desk.senders.close()
        if self.desk.kept is not None:
            await self.desk.kept.close(self.desk.model.alarms)

    async def on_event(self, event: events.Event) -> None:
        """Keys, clicks and the wheel are answered before more is heard."""
        if isinstance(event, events.InputEvent) and not isinstance(event, events.MouseMove):
            self.desk.pace.key()
        await super().on_event(event)

    def delay_update(self, delay: float = 0.0) -> None:
        """Textual hides a screen that is being made; here all are, and nothing need be hidden."""

    def redraw(self) -> None:
        """Draw the screen that is looked at; at the end there is none."""
        with suppress(ScreenStackError):
            if isinstance(self.screen, ConsoleScreen):
                self.screen.draw()

    def tick(self) -> None:
        """Look at what has not happened, and ring for what is new; find what came meanwhile."""
        model, feed, now = self.desk.model, self.desk.feed, self.desk.clock()
        if feed is not None:
            model.reach(feed.broker, now, up=feed.up)
        model.tick(now)
        with suppress(ScreenStackError):
            if isinstance(self.screen, SearchScreen):
                self.screen.draw()
        if self.desk.kept is not None and (self._keeping is None or self._keeping.done()):
            saving = self.desk.kept.save(model.alarms)
            self._keeping = asyncio.create_task(saving, name="console/alarms")
        if self.desk.senders is not None:
            self.desk.senders.look(model.alarms, now)
        if model.alarms.bell != self._rung:
            self._rung = model.alarms.bell
            self.bell()

    async def action_tab(self, name: str) -> None:
        """Look at another screen."""
        if name in _SCREENS and not self.screen.is_modal:
            await self.switch_mode(name)

    @on(Top.Wanted)
    async def tab_wanted(self, event: Top.Wanted) -> None:
        """A tab was clicked."""
        await self.action_tab(event.tab)

    @on(ConsoleScreen.Opened)
    async def opened(self, event: ConsoleScreen.Opened) -> None:
        """Something is to be opened."""
        await self.open(event.target)

    @on(ConsoleScreen.Filtered)
    async def filtered(self, event: ConsoleScreen.Filtered) -> None:
        """The traffic is to be looked at through a filter."""
        await self.switch_mode("traffic")
        if isinstance(self.screen, TrafficScreen):
            self.screen.set_filter(event.words)

    async def open(self, target: Target) -> None:
        """Show what something on a screen stands for."""
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
            await self.push_screen(_OPENED[kind](self.desk, name))

    async def _open_alarm(self, name: str) -> None:
        """What it is about, if that is an order, a node or a style; else its message."""
        kind, _, subject = name.partition(" ")
        model = self.desk.model
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
        """Look for an order, a node, a style, an alarm or a topic."""
        if isinstance(self.screen, Sheet):
            await self.pop_screen()
        if not self.screen.is_modal:
            self.push_screen(SearchScreen(self.desk), self._found)

    async def _found(self, target: Target | None) -> None:
        if target is not None:
            await self.open(target)

    def action_picture(self) -> None:
        """Save what is on the screen as a picture, in a file that is asked for."""
        if self.screen.is_modal and not isinstance(self.screen, Sheet):
            return
        drawn = self.export_screenshot(title=f"{self.title}: {self.desk.model.topics.site}")
        words = self._(
            "Save this screen as a picture (SVG) in which new file? It may show pickup codes, and"
            " is readable by you only."
        )

        def save(name: str) -> str:
            try:
                path = save_picture(drawn, Path(name).expanduser())
            except JournalError as error:
                return str(error)
            self.notify(visible(self._("the picture is in {file}", file=path)), markup=False)
            return ""

        self.push_screen(Question(self.desk, words, self.desk.file_name("svg"), save))

    def action_light(self) -> None:
        """From dark to light, or back."""
        self.theme = theme.LIGHT if theme.is_dark(self.theme) else theme.DARK
        self.redraw()

    def action_act(self, name: str) -> None:
        """Have something done, beginning with what is looked at."""
        preset = self.screen.preset() if isinstance(self.screen, ConsoleScreen) else {}
        wanted = price_change(preset) if name == "price" else errand(_CALLEES[name], name, preset)
        self.push_screen(RequestScreen(self.desk, wanted))

    def action_inject(self) -> None:
        """Send any request of the contract."""
        if not self.screen.is_modal:
            self.push_screen(RequestScreen(self.desk))

    def action_send_again(self, number: int) -> None:
        """Send a request like one that was heard, with changes."""
        message = self.desk.model.history.get(number)
        wanted = None
        if message is not None and message.kind == "req":
            wanted = errand(message.receiver, message.name, body(message))
        if wanted is None:
            self.notify(self._("only a request of the contract can be sent again"), markup=False)
            return
        self.push_screen(RequestScreen(self.desk, wanted))

    async def action_record(self) -> None:
        """Record from now on, into a file that is asked for; or no more."""
        taping = self.desk.taping
        if taping is None or self.screen.is_modal:
            return
        if taping.path is None:
            words = self._(
                "Record every message from now on into which file? It is continued if it is there,"
                " holds payment tokens, and is readable by you only."
            )
            self.push_screen(Question(self.desk, words, self.desk.file_name(), self._record))
            return
        file = taping.path
        try:
            await taping.stop()
            self.redraw()
        except JournalError as error:
            self.notify(visible(str(error)), severity="error", markup=False)
            return
        done = self._("{count} messages are in {file}", count=taping.messages, file=file)
        self.notify(visible(done), markup=False)

    def _record(self, name: str) -> str:
        assert self.desk.taping is not None
        try:
            self.desk.taping.start(Path(name).expanduser())
        except JournalError as error:
            return str(error)
        return ""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 - as in DOMNode
        """Whether an action makes sense on what is looked at."""
        return self.desk.offers(action)

    def action_explain(self) -> None:
        """The keys and signs of the screen that is looked at."""
        screen = self.screen
        if not isinstance(screen, ConsoleScreen):
            return
        words = wrapped(self._(screen.HELP_TEXT), max(20, self.size.width * 9 // 10 - 6))
        lines: list[Line] = [[(line, "")] for line in words]
        lines.append([])
        lines += [
            [(fit(self._shown_key(binding), 10), "key"), (self._(binding.description), "")]
            for _, binding in self._keys(screen)
        ]
        lines.append([(fit("^p", 10), "key"), (self._("Everything that can be done, by name"), "")])
        if self.desk.offers("act"):
            marks = self._(
                "A key with ! opens a form that can change the store; nothing is sent before you"
                " have said yes."
            )
            room = max(20, self.size.width * 9 // 10 - 6)
            lines += [[], *([(line, "warn")] for line in wrapped(marks, room))]
        self.push_screen(Sheet(self.desk, lines))

    def _shown_key(self, binding: Binding) -> str:
        return self.get_key_display(binding) + ("!" if self.desk.changes(binding.action) else "")

    def action_command_palette(self) -> None:
        """Everything that can be done, by name."""
        if not isinstance(self.screen, CommandPalette):
            hint = self._("what is to be done")
            self.push_screen(CommandPalette(id="--command-palette", placeholder=hint))

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """The command palette: every screen, every action, every key of the screen."""
        for place, (name, title) in enumerate(TABS.items()):
            yield SystemCommand(
                self._(title),
                self._("key {key}", key=place + 1),
                lambda name=name: self.run_action(f"tab('{name}')"),
            )
        for node, binding in self._keys(screen):
            if not binding.action.startswith("tab("):
                yield SystemCommand(
                    self._(binding.description),
                    self._("key {key}", key=self.get_key_display(binding)),
                    lambda action=binding.action, node=node: self.run_action(action, node),
                )

    def _keys(self, screen: Screen[Any]) -> list[tuple[DOMNode, Binding]]:
        """The keys of a screen and of the console that have a description, and whose they are."""
        return [
            (node, each)
            for node in (screen, self)
            for part in type(node).__mro__
            if part.__module__.startswith("tui.")
            for each in vars(part).get("BINDINGS", ())
            if isinstance(each, Binding) and each.description and self.desk.offers(each.action)
        ]
