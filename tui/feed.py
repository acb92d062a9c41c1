"""Receives all messages of a site for the console, and sends the operator's requests.

It has two connections. The one that only listens may be flooded, and may be the first that the
broker drops; requests and their answers have the other to themselves.
"""

import asyncio
import itertools
import re
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from pydantic import ValidationError

from bus.contract.catalog import SEARCH, Search
from bus.contract.channel import Operation, role_of
from bus.contract.envelope import Reading
from bus.contract.errors import BrokerError, LinkError, Problem
from bus.contract.every import ABOUT, PRESENCE
from bus.contract.outbound import MessageFactory
from bus.contract.refusals import UnknownOrder, UnknownPickupCode
from bus.contract.settlement import ORDER, ORDERS, OrderQuery, Orders, OrderState
from bus.contract.topics import Topics
from bus.contract.values import MAX_ENTRIES, Empty, Model
from bus.contract.warehouse import LOCATE, RETURNS, Locate
from bus.history.message import Message
from bus.link import Connector, Incoming, Link, Outgoing, Subscription
from bus.link.session import Session
from bus.runtime.caller import Caller
from bus.runtime.environment import Environment
from bus.runtime.outgoing import outgoing
from bus.runtime.settings import RuntimeSettings
from bus.text.sentence import Sentence
from tui.model.stock import STYLES
from tui.model.store import StoreModel
from tui.scheduler import FeedScheduler

PENDING = 10_000
"""The most messages that may wait for the model."""
_SLICE = 25
"""Messages taken into the model at once: less than 1 ms."""
_REST = 0.005
"""Seconds between two slices: a flooded connection takes half of the processor."""
_OPEN: tuple[OrderState, ...] = (
    "reserving", "charging", "settled", "short", "ready", "reminded", "cancelling", "expiring",
)  # fmt: skip
_LOOK_AGAIN = 2.0
"""Seconds after which the order or style on the screen is queried again."""
_ASK_AROUND = 10.0
"""Seconds after which nodes are asked what they have not done yet."""
_PRODUCTS = 100
"""The most products of one query (contract)."""
_ASKED = 50
"""The most nodes that are queried."""
_OWN_TIMEOUT = 5.0


_CODE = re.compile(r"[0-9]{6}")
_UNKNOWN = frozenset({UnknownOrder.code, UnknownPickupCode.code})


class _Noting:
    """A connector that notes why connecting failed, and sends a last message at the end."""

    def __init__(
        self, connector: Connector, note: Callable[[str], None], goodbye: Outgoing | None = None
    ) -> None:
        self._connector = connector
        self._note = note
        self._goodbye = goodbye
        self.description = connector.description

    @asynccontextmanager
    async def connect(self, client_id: str, will: Outgoing | None = None) -> AsyncIterator[Link]:
        """Connect with the wrapped connector."""
        try:
            async with self._connector.connect(client_id, will) as link:
                try:
                    yield link
                finally:
                    if self._goodbye is not None:
                        with suppress(LinkError):
                            link.send(self._goodbye)
        except BrokerError as error:
            self._note(str(error))
            raise


class Feed:
    """Feeds the model with messages, and sends requests, whose answers reach the model, too.

    Args:
        connector: to the broker.
        model: of the site.
        heard: called with the messages taken into the model, in slices.
        scheduler: divides the time between that and keys.
        name: such as `console-2`; the first free name if None.
        settings: of the connections.
        environment: makes the clock and the identifiers of each connection.
    """

    def __init__(
        self,
        connector: Connector,
        model: StoreModel,
        heard: Callable[[list[Message]], None],
        scheduler: FeedScheduler,
        name: str | None = None,
        settings: RuntimeSettings | None = None,
        environment: Callable[[], Environment] = Environment,
    ) -> None:
        self.model = model
        self.name = name or ""
        """The console's own; empty until it is known."""
        self.dropped = 0
        """Messages dropped because they came too fast."""
        self.trouble = ""
        """Why there is no connection; empty if not known."""
        self.order: str | None = None
        """The order on the screen."""
        self.style: str | None = None
        """The SKU of the style on the screen."""
        self.node: str | None = None
        """The node on the screen."""
        self.environment = environment()
        self._new_identity = environment
        self._connector = _Noting(connector, self._note)
        self._heard = heard
        self._scheduler = scheduler
        self._settings = settings or RuntimeSettings()
        self._pending: deque[tuple[int, Incoming]] = deque()
        self._waiting = asyncio.Event()
        self._looking = asyncio.Event()
        self._connections = asyncio.Event()
        self._session: Session | None = None
        self._hello: Outgoing | None = None
        self._caller: Caller | None = None

    @property
    def up(self) -> bool:
        """Whether there is a connection to the broker."""
        return self._session is not None and self._session.up.is_set()

    @property
    def says(self) -> Sentence | None:
        """What is wrong with the connection; None while it is up."""
        if self.up:
            return None
        return Sentence("no broker at {broker}: trying again", broker=self.broker)

    @property
    def broker(self) -> str:
        """The broker's address, without secrets."""
        return self._connector.description

    def look(
        self, *, order: str | None = None, style: str | None = None, node: str | None = None
    ) -> None:
        """Query an order, a style or a node again and again while it is on the screen."""
        if (order, style, node) != (self.order, self.style, self.node):
            self.order, self.style, self.node = order, style, node
            self._looking.set()

    async def find(self, text: str) -> list[str]:
        """Ask settlement for orders with this id or open pickup code.

        If there is none: for those of its latest orders with the text in their id or terminal.

        Raises:
            Problem: settlement refused, or did not answer.
        """
        queries: list[dict[str, str]] = [{"order": text}]
        if _CODE.fullmatch(text):
            queries.append({"code": text})
        for query in queries:
            try:
                found = await self.ask(ORDER, "settlement", OrderQuery.model_validate(query))
            except ValidationError:  # no order can be called so
                continue
            except Problem as problem:
                if problem.to_data().code not in _UNKNOWN:
                    raise
            else:
                return [found.order]
        listed = await self.ask(ORDERS, "settlement", Orders(limit=MAX_ENTRIES))
        wanted = text.casefold()
        return [
            each.order
            for each in listed.orders
            if wanted in each.order.casefold() or wanted in each.terminal.casefold()
        ]

    async def ask(self, operation: Operation[Any, Any], callee: str, data: Model) -> Any:
        """Send a request in the console's name.

        Raises:
            Problem: it was refused, or not answered.
        """
        if self._caller is None:
            raise BrokerError(self.trouble or "There is no connection to the broker yet.")
        return await self._caller.ask(operation, callee, data)

    async def run(self) -> None:
        """Receive and ask until cancelled; reconnect when a connection is lost."""
        if not self.name:
            self.name = await self._free_name()
        topics = self.model.topics
        messages = MessageFactory(topics, self.name, self.environment, "console")
        self._hello = outgoing(messages.presence("online"))
        gone = outgoing(messages.presence("offline"))
        self._session = Session(
            _Noting(self._connector, self._note, gone),
            f"{topics.site}-{self.name}-{self.environment.boot}",
            [Subscription(topics.everything(), 0)], self._receive, self._connected, gone,
            self._settings.reconnect_limit, self.environment.chance,
        )  # fmt: skip
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._session.run(), name="console/ear")
            tasks.create_task(self._take_in(), name="console/model")
            tasks.create_task(self._ask_on(topics), name="console/questions")

    def _note(self, trouble: str) -> None:
        self.trouble = trouble

    async def _free_name(self) -> str:
        """The first name, `console-1` and so on, that is not online.

        Retained messages arrive before the acknowledgement of a later subscription.
        """
        topics, delay = self.model.topics, 0.1
        while True:
            try:
                client = f"{topics.site}-console-{self.environment.boot}"
                async with self._connector.connect(client) as link:
                    await link.subscribe([Subscription(topics.state("+", PRESENCE.name), 0)])
                    await link.subscribe([Subscription(topics.state("console-0", "none"), 0)])
                    taken: set[str] = set()
                    with suppress(TimeoutError):
                        async with asyncio.timeout(0):
                            while True:
                                taken |= self._online(await link.receive())
            except (BrokerError, LinkError):
                await asyncio.sleep(self.environment.chance.uniform(0, delay))
                delay = min(delay * 2, self._settings.reconnect_limit)
                continue
            names = (f"console-{number}" for number in itertools.count(1))
            return next(name for name in names if name not in taken)

    def _online(self, messages: list[Incoming]) -> set[str]:
        """The nodes that are online according to their presence."""
        found = set()
        for message in messages:
            address = self.model.topics.parse(message.topic)
            with suppress(Problem):
                data = Reading(message.payload).envelope().data
                if address and isinstance(data, dict) and data.get("status") == "online":
                    found.add(address.node)
        return found

    def _connected(self) -> None:
        assert self._session is not None
        assert self._hello is not None
        self.trouble = ""
        self.model.miss()
        self._session.send(self._hello)
        self._connections.set()

    def _receive(self, messages: list[Incoming]) -> None:
        now = self.environment.steady()
        room = PENDING - len(self._pending)
        if len(messages) > room:
            self.dropped += len(messages) - room
            self.model.miss()
        self._pending.extend((now, message) for message in messages[:room])
        self._waiting.set()

    async def _take_in(self) -> None:
        """Take messages into the model, in slices between which keys are answered."""
        while True:
            await self._waiting.wait()
            self._scheduler.run(self._take_some)
            await self._scheduler.pause(_REST, urgent=len(self._pending) > PENDING // 4)

    def _take_some(self) -> bool:
        """Take in some messages of the same time; whether more wait."""
        at, first = self._pending.popleft()
        batch = [first]
        while self._pending and self._pending[0][0] == at and len(batch) < _SLICE:
            batch.append(self._pending.popleft()[1])
        if not self._pending:
            self._waiting.clear()
        self._heard(self.model.take(at, batch))
        return bool(self._pending)

    async def _ask_on(self, topics: Topics) -> None:
        """Send queries over a connection of their own."""
        assert self._session is not None
        while True:
            await self._session.up.wait()
            environment = self._new_identity()
            caller = Caller(self._connector, topics.site, self.name, self._settings, environment)
            with suppress(BrokerError):
                async with caller.connected(), asyncio.TaskGroup() as tasks:
                    self._caller = caller
                    tasks.create_task(self._ask_for_orders(), name="console/orders")
                    tasks.create_task(self._ask_around(), name="console/about")
                    tasks.create_task(self._ask_for_looked_at(), name="console/looked-at")
            await asyncio.sleep(self._settings.query_retry)

    async def _ask_for_orders(self) -> None:
        """After each connect, query the open orders and the products."""
        while True:
            await self._connections.wait()
            self._connections.clear()
            with suppress(Problem):
                await self._ask_for_products()
            for state in _OPEN:
                await self._ask_for(state)

    async def _ask_for_products(self) -> None:
        """Query all products, page by page, as many as the model keeps."""
        last = ""
        while len(self.model.stock) < STYLES:
            found = await self.ask(SEARCH, "catalog", Search(text="", limit=_PRODUCTS, after=last))
            if not found.products or found.products[-1].id <= last:
                break  # an older catalog answers the first ones again
            last = found.products[-1].id

    async def _ask_for(self, state: OrderState | None) -> None:
        with suppress(Problem):
            await self.ask(ORDERS, "settlement", Orders(state=state, limit=1000))

    async def _ask_around(self) -> None:
        """At intervals, query the nodes, the latest orders, and the shelves of a style."""
        while True:
            names = [
                node.name
                for node in self.model.nodes
                if node.status == "online" and role_of(node.name) in _ROLES
            ]
            for name in names[:_ASKED]:
                with suppress(Problem):
                    await self._quickly(ABOUT, name, Empty())
            await self._ask_for(None)
            unsure = self.model.stock.unsure()
            if unsure is not None:
                await self._ask_where(unsure.sku)
            await asyncio.sleep(_ASK_AROUND)

    async def _ask_where(self, sku: str) -> None:
        """Query the shelves of a style, and what is to be put back."""
        with suppress(Problem):
            await self._quickly(RETURNS, "warehouse", Empty())
            await self._quickly(LOCATE, "warehouse", Locate(sku=sku))

    async def _ask_for_looked_at(self) -> None:
        """Query what is on the screen, again and again while it may change."""
        while True:
            order, style = self.order, self.style
            self._looking.clear()
            tracked = self.model.orders.get(order) if order else None
            with suppress(Problem):
                if self.node:
                    await self._quickly(ABOUT, self.node, Empty())
                if order and not (tracked and tracked.final and tracked.told):
                    await self._quickly(ORDER, "settlement", OrderQuery(order=order))
            if style:
                await self._ask_where(style)
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_AGAIN):
                    await self._looking.wait()

    async def _quickly(self, operation: Operation[Any, Any], callee: str, data: Model) -> Any:
        assert self._caller is not None
        return await self._caller.ask(operation, callee, data, timeout=_OWN_TIMEOUT)


_ROLES = frozenset({"catalog", "settlement", "warehouse", "sorter"})
