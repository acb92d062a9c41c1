"""The console's model of a store, fed with messages and with the time."""

from collections import Counter
from collections.abc import Sequence

from bus.contract.channel import ROLES, role_of
from bus.contract.topics import Topics
from bus.history.message import Message, body, read
from bus.link import Incoming
from bus.runtime import peers
from bus.text.duration import elapsed
from bus.text.sentence import Sentence
from tui.model.alarm_list import AlarmList
from tui.model.alarms import Kind
from tui.model.checks import (
    check_clocks,
    check_deadlines,
    check_nodes,
    check_repeats,
    check_stock,
)
from tui.model.clocks import Clocks
from tui.model.dead_letters import dead_letter
from tui.model.deadlines import Deadlines, Late
from tui.model.dependencies import needs
from tui.model.diagnosis import WaitReason, diagnose
from tui.model.floor_plan import FloorPlan
from tui.model.history import MessageHistory
from tui.model.node_alarms import node_alarms
from tui.model.nodes import KnownNodes
from tui.model.orders import TrackedOrders
from tui.model.rates import Rate
from tui.model.repeats import Repeats
from tui.model.stock import StockView
from tui.model.topics import SeenTopics
from tui.model.tracked_order import TrackedOrder

_STUCK = 60_000
"""Milliseconds after which an order that is held up counts as stuck."""
_MOMENT = 300_000
"""Milliseconds after which an alarm raised by a single message ends."""
_AWAY = 5_000
"""Milliseconds without a broker after which there is an alarm."""
_SOURCE = 100
"""The most characters of a message's source that are shown."""


class StoreModel:
    """A store as seen from the bus.

    Args:
        topics: of its site.
        history: keeps the messages; with the default limits if None.
    """

    def __init__(self, topics: Topics, history: MessageHistory | None = None) -> None:
        self.topics = topics
        self.history = history if history is not None else MessageHistory()
        self.nodes = KnownNodes()
        self.orders = TrackedOrders()
        self.stock = StockView()
        self.floor_plan = FloorPlan()
        self._deadlines = Deadlines()
        self._clocks = Clocks()
        self.alarms = AlarmList()
        self.rate = Rate()
        self.bought = Rate()
        """The rate of purchases that were answered with a receipt."""
        self.heard = SeenTopics()
        self.now = 0
        """The time of the last message or tick, in milliseconds since the epoch."""
        self._repeats = Repeats()
        self._deaf_since: int | None = None
        """Since when there is no connection to the broker."""
        self._owed: dict[str, Counter[str]] = {}
        """By node, the nodes whose answers its orders wait for, and how often."""

    def take(self, at: int, messages: Sequence[Incoming]) -> list[Message]:
        """Take messages received at a time; returns them as they were read."""
        taken = []
        self.now = max(self.now, at)
        for incoming in messages:
            message = read(self.topics, self.history.heard + 1, at, incoming)
            self.history.add(message)
            self._hear(message)
            message.document = None
            taken.append(message)
        return taken

    def tick(self, now: int) -> None:
        """Check for what is overdue."""
        self.now = now
        if all(self.nodes.status(role) == "online" for role in ROLES):
            self.alarms.hear(now)
        check_nodes(self.nodes, self._owed, self.alarms, now)
        self._check_orders(now)
        check_stock(self.stock, self.alarms, now)
        check_clocks(self._clocks, self.nodes, self.alarms, now)
        check_deadlines(self._deadlines, self.alarms, now)
        check_repeats(self.rate, self._repeats, self.alarms, now)
        self.alarms.tick(now, _MOMENT)

    def reach(self, broker: str, now: int, *, up: bool) -> None:
        """Whether there is a broker; without one, no answer counts as late."""
        if up:
            self._deaf_since = None
            self.alarms.end("no-broker", broker, now)
            return
        self._deadlines.clear()
        self._deaf_since = self._deaf_since or now
        if now - self._deaf_since >= _AWAY:
            text = Sentence("there is no broker at {broker}", broker=broker)
            self.alarms.raise_("no-broker", broker, text, now)

    def miss(self) -> None:
        """Messages were missed: answers that seem to be late may have been among them."""
        self._deadlines.clear()

    def diagnose(self, tracked: TrackedOrder) -> WaitReason | None:
        """What an order waits for."""
        return diagnose(tracked, self.nodes, self.now)

    def _hear(self, message: Message) -> None:
        self.rate.add(message.at)
        if message.repeats:
            self._repeats.hear(message)
        if message.name == "purchase" and _is_receipt(message):
            self.bought.add(message.at)
        self.heard.hear(message)
        self.nodes.hear(message)
        self.orders.hear(message)
        self.stock.hear(message)
        self.floor_plan.hear(message)
        self._clocks.hear(message)
        self._alarm(message, self._deadlines.hear(message))

    def _alarm(self, message: Message, late: Late | None) -> None:
        """Raise the alarms of a single message."""
        number, topic = message.number, message.topic
        if message.kind == "foreign":
            text = Sentence("a message on {topic}", topic=topic[:200])
            text = _with_source(text, message)
            self.alarms.raise_("foreign", "topics", text, message.at, number, topic=topic)
        elif message.flaw is not None and not (message.kind == "state" and not message.payload):
            text = Sentence("under the name {node} came {name}: {flaw}", node=message.sender,
                            name=message.name, flaw=Sentence(message.flaw))  # fmt: skip
            text = _with_source(text, message)
            self.alarms.raise_("malformed", message.sender, text, message.at, number, topic=topic)
        elif message.kind == "rep" and message.code == "expired":
            self._came_too_late(message, late)
        elif late is not None:
            text = Sentence("{node} answered {caller}'s {name} {time} after its deadline",
                            node=message.sender, caller=message.receiver, name=message.name,
                            time=elapsed(late.by))  # fmt: skip
            self.alarms.raise_("deadline", message.sender, text, message.at, number,
                               needs=(message.sender,))  # fmt: skip
        elif message.code is not None:
            self._dead_letter(message)
            self._unknown_order(message)
        elif (message.kind, message.name) == ("event", "refused"):
            self._refused(message)
        elif (message.kind, message.name) == ("state", "alarms"):
            self._shown_by_node(message)

    def _came_too_late(self, message: Message, late: Late | None) -> None:
        """A request was refused because its deadline had passed."""
        text = Sentence("{node} came too late with {name}: {callee} refused it",
                        node=message.receiver, name=message.name,
                        callee=message.sender)  # fmt: skip
        if late is not None:
            text = Sentence("{node} came {time} too late with {name}: {callee} refused it",
                            node=message.receiver, name=message.name, callee=message.sender,
                            time=elapsed(late.by))  # fmt: skip
        self.alarms.raise_("deadline", message.receiver, text, message.at, message.number,
                           needs=(message.receiver,))  # fmt: skip

    def _dead_letter(self, message: Message) -> None:
        """Raise the alarm of a dead letter, which stays until it is dismissed."""
        tracked = self.orders.tracked_by(message)
        text = dead_letter(message, tracked)
        if text is not None:
            subject = tracked.order if tracked is not None else message.receiver
            self.alarms.raise_("dead-letter", subject, text, message.at, message.number)

    def _unknown_order(self, message: Message) -> None:
        """Settlement does not know an order that it had told of: it has lost its database."""
        tracked, node = self.orders.tracked_by(message), self.nodes.get(message.sender)
        if (message.kind, message.code) != ("rep", "unknown-order") or node is None:
            return
        if tracked is None or tracked.state is None or message.sender != "settlement":
            return
        if message.receiver == tracked.terminal or role_of(message.receiver) in (
            "console",
            "tester",
        ):
            node.database = peers.forgot(node.database, message.at)

    def _refused(self, message: Message) -> None:
        data = body(message)
        if data is not None:
            caller, asked = str(data.get("caller")), str(data.get("operation"))
            text = Sentence("{caller} may not {operation}: {detail}", caller=caller,
                            operation=asked, detail=str(data.get("detail")))  # fmt: skip
            topic = self.topics.request(caller, message.sender, asked)
            self.alarms.raise_("refused", caller, text, message.at, message.number, topic=topic)

    def _shown_by_node(self, message: Message) -> None:
        """Take the alarms that a node shows itself; those that it shows no longer end."""
        node = message.sender
        now = dict(node_alarms(node, (body(message) or {}).get("alarms")))
        for kind, subject in self.alarms.shown_by(node):
            if (kind, subject) not in now:
                self.alarms.withdraw(kind, subject, node, message.at)
        for (kind, subject), text in now.items():
            self.alarms.raise_(kind, subject, text, message.at, message.number,
                               needs=_shown_needs(kind, subject), source=node)  # fmt: skip
        view = self.nodes.get(node)
        if view is not None:
            view.alarms = frozenset(now)

    def _check_orders(self, now: int) -> None:
        stuck = set()
        waiting: dict[str, list[str]] = {}
        self._owed = {}
        for tracked in self.orders:
            if tracked.final or tracked.state is None:
                continue
            reason = self.diagnose(tracked)
            if reason is None or reason.normal:
                continue
            names = needs(reason, tracked)
            for name in ("broker", *names):
                waiting.setdefault(name, []).append(tracked.order)
            if reason.hop is not None:
                self._owed.setdefault(reason.hop.sender, Counter())[reason.node] += 1
            if now - reason.since > _STUCK:
                stuck.add(tracked.order)
                self.alarms.raise_("stuck", tracked.order, reason.reason, now, needs=names)
        self.alarms.wait(waiting)
        for order in self.alarms.subjects("stuck") - stuck:
            self.alarms.end("stuck", order, now, known=self.orders.get(order) is not None)


def _shown_needs(kind: Kind, subject: str) -> tuple[str, ...]:
    """What is missing according to an alarm that a node shows."""
    if kind in ("outcome-unknown", "charge-refused", "refund-refused"):
        return ("provider",)
    if kind == "put-back":
        return ("put-back",)
    return (subject,) if kind == "refuses" else ()


def _with_source(text: Sentence, message: Message) -> Sentence:
    """Add the source of a message if it differs from the sender in its topic.

    It is in the envelope, or in a user property (CloudEvents MQTT protocol binding, 3.1).
    """
    document = message.data()
    source = document.get("source") if isinstance(document, dict) else None
    source = source or dict(message.user).get("source")
    if not isinstance(source, str) or source.rpartition("/")[2] == message.sender:
        return text
    return Sentence("{words} (its source is {source})", words=text, source=source[:_SOURCE])


def _is_receipt(message: Message) -> bool:
    return message.kind == "rep" and message.code is None and not message.repeats
