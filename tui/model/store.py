"""All that the console knows of one store, fed with what is heard and with the time."""

from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from bus.contract.channel import ROLES, role_of
from bus.contract.topics import Topics
from bus.history.message import Message, body, read
from bus.link import Incoming
from bus.runtime import peers
from bus.text.duration import elapsed
from bus.text.sentence import Sentence, marked
from tui.model.alarm_list import AlarmList
from tui.model.alarms import Kind
from tui.model.clocks import Clocks
from tui.model.dead_letters import dead_letter
from tui.model.deadlines import Deadlines, Late
from tui.model.dependencies import needs
from tui.model.diagnosis import WaitReason, diagnose
from tui.model.floor_plan import FloorPlan
from tui.model.history import MessageHistory
from tui.model.node_alarms import node_alarms
from tui.model.nodes import KnownNodes, NodeView
from tui.model.orders import TrackedOrders
from tui.model.rates import Rate
from tui.model.repeats import Repeats
from tui.model.stock import LOW, StockView
from tui.model.topics import SeenTopics
from tui.model.tracked_order import TrackedOrder

_STUCK = 60_000
"""Milliseconds without a step after which an order that waits for a machine is stuck."""
_MOMENT = 300_000
"""Milliseconds for which an alarm of a single message is shown."""
_DUPLICATES = 20
"""Percent of repeated messages above which there is an alarm."""
_RESTLESS = 5
"""Arrivals of a node within a minute that are too many."""
_OUTBOX = 1_000
"""Open commands of a node above which there is an alarm."""
_AWAY = 5_000
"""Milliseconds without a broker after which there is an alarm."""
_SOURCE = 100
"""The most characters of a name that a message gives itself."""


_DATABASE: dict[Kind, str] = {
    "database-replaced": marked("{node} has another database than before: it was moved or emptied,"
                                " or --data is wrong"),
    "database-older": marked("the database of {node} lacks what it held before"),
}  # fmt: skip


class StoreModel:
    """A store as it is seen from the bus.

    Args:
        topics: of its site.
        history: how many messages are kept.
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
        """Purchases that were answered with a receipt."""
        self.heard = SeenTopics()
        self.now = 0
        """The time of the last message or tick, in milliseconds since the epoch."""
        self._repeats = Repeats()
        self._deaf_since: int | None = None
        """Since when there is no broker."""
        self._asked: dict[str, Counter[str]] = {}
        """By node, whose answers its orders wait for, and how many."""

    def take(self, at: int, messages: Sequence[Incoming]) -> list[Message]:
        """Messages were heard at a time; as they were read."""
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
        """Some time has passed: alarms that hold because nothing happened."""
        self.now = now
        if all(self.nodes.status(role) == "online" for role in ROLES):
            self.alarms.hear(now)
        self._look_after_nodes(now)
        self._look_after_orders(now)
        self._look_after_stock(now)
        self._look_after_clocks(now)
        self._look_at_deadlines(now)
        self._look_at_repeats(now)
        self.alarms.tick(now, _MOMENT)

    def reach(self, broker: str, now: int, *, up: bool) -> None:
        """Whether the broker is there; while it is not, nobody is late with an answer."""
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
        """Messages went by unheard: whoever seems to owe an answer may have given it."""
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
        """What a single message says is wrong."""
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
        """It holds until it is acknowledged and forgotten: nothing makes it well again."""
        tracked = self.orders.tracked_by(message)
        text = dead_letter(message, tracked)
        if text is not None:
            subject = tracked.order if tracked is not None else message.receiver
            self.alarms.raise_("dead-letter", subject, text, message.at, message.number)

    def _unknown_order(self, message: Message) -> None:
        """Settlement does not know an order that it told of; of another's, it never says so."""
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

    def _end_unless_shown(self, kind: Kind, subject: str, at: int) -> None:
        """End an alarm that the console has found, unless a node shows the same."""
        if not self.alarms.is_shown(kind, subject):
            self.alarms.end(kind, subject, at)

    def _look_at_deadlines(self, now: int) -> None:
        """What was not answered in time; by how much grows as long as it is not."""
        for late in self._deadlines.missed(now):
            node = late.request.receiver
            self.alarms.raise_("deadline", node, _never(late), now, late.request.number,
                               needs=(node,))  # fmt: skip
        for node, late in self._deadlines.over(now).items():
            self.alarms.tell("deadline", node, _never(late), late.request.number)

    def _look_at_repeats(self, now: int) -> None:
        heard, repeated = sum(self.rate.per_second(now)), self._repeats.count(now)
        if heard <= 100 or repeated * 100 <= heard * _DUPLICATES:  # noqa: PLR2004
            self.alarms.end("duplicates", "bus", now, known=False)
            return
        text = Sentence("{percent} % of the messages of the last minute are repetitions",
                        percent=repeated * 100 // heard)  # fmt: skip
        most = self._repeats.most()
        if most is None:
            self.alarms.raise_("duplicates", "bus", text, now)
            return
        place, count = most
        text = Sentence("{words}; most often {node} asks {callee} again for {name}: {count} times",
                        words=text, node=place.sender, callee=place.receiver, name=place.name,
                        count=count)  # fmt: skip
        self.alarms.raise_("duplicates", "bus", text, now, needs=(place.receiver,),
                           topic=place.topic)  # fmt: skip

    def _look_after_nodes(self, now: int) -> None:
        gone = [node.name for node in self.nodes if (node.role, node.status) == ("sorter", "lost")]
        for subject in self.alarms.subjects("no-sorter"):
            self.alarms.need("no-sorter", subject, gone)
        for node in self.nodes:
            if node.status == "lost":
                text = Sentence("{node} is lost", node=node.name)
                self.alarms.raise_("lost", node.name, text, now)
            else:
                self.alarms.end("lost", node.name, now)
            self._look_at_arrivals(node, now)
            self._look_at_database(node, now)
            if node.outbox is not None and node.outbox > _OUTBOX:
                text = Sentence("{node} has {count} commands that are not done", node=node.name,
                                count=node.outbox)  # fmt: skip
                owing = [name for name, _ in self._asked.get(node.name, Counter()).most_common()]
                self.alarms.raise_("outbox", node.name, text, now, needs=(*owing, node.name))
            else:
                self.alarms.end("outbox", node.name, now, known=node.outbox is not None)

    def _look_at_database(self, node: NodeView, now: int) -> None:
        """What the console itself has seen of it; other nodes may show the same."""
        loss = node.database.loss if node.database is not None else None
        for kind in _DATABASE:
            if loss is None or loss.kind != kind:
                self._end_unless_shown(kind, node.name, now)
        if loss is not None and not self.alarms.is_shown(loss.kind, node.name):
            text = Sentence(_DATABASE[loss.kind], node=node.name)
            self.alarms.raise_(loss.kind, node.name, text, now)

    def _look_at_arrivals(self, node: NodeView, now: int) -> None:
        """A start of a node that comes back after another is a second device of its name."""
        boots = node.arrivals(now)
        starts = [boot for boot, _ in groupby(boots)]
        if len(starts) > len(set(starts)):
            text = Sentence("two devices use the name {node}, and each takes it from the other:"
                            " give one of them another", node=node.name)  # fmt: skip
            self.alarms.raise_("two-of-a-name", node.name, text, now)
            return
        self.alarms.end("two-of-a-name", node.name, now)
        if len(boots) >= _RESTLESS:
            text = Sentence("{node} came online {count} times within a minute: it ends or loses its"
                            " connection again and again; look at its log", node=node.name,
                            count=len(boots))  # fmt: skip
            self.alarms.raise_("restless", node.name, text, now)
        else:
            self.alarms.end("restless", node.name, now)

    def _look_after_clocks(self, now: int) -> None:
        """Those of devices that show no alarms of their own."""
        wrong = {
            device: seconds
            for device, seconds in self._clocks.wrong().items()
            if (node := self.nodes.get(device)) is None or node.alarms is None
        }
        for device, seconds in wrong.items():
            listed = [{"kind": "clock-wrong", "seconds": seconds}]
            for (kind, subject), text in node_alarms(device, listed):
                self.alarms.raise_(kind, subject, text, now)
        for device in self.alarms.subjects("clock-wrong") - wrong.keys():
            self._end_unless_shown("clock-wrong", device, now)

    def _look_after_orders(self, now: int) -> None:
        stuck = set()
        waiting: dict[str, list[str]] = {}
        self._asked = {}
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
                self._asked.setdefault(reason.hop.sender, Counter())[reason.node] += 1
            if now - reason.since > _STUCK:
                stuck.add(tracked.order)
                self.alarms.raise_("stuck", tracked.order, reason.reason, now, needs=names)
        self.alarms.wait(waiting)
        for order in self.alarms.subjects("stuck") - stuck:
            self.alarms.end("stuck", order, now, known=self.orders.get(order) is not None)

    def _look_after_stock(self, now: int) -> None:
        for style in self.stock:
            more = style.disagrees()
            if more:
                text = Sentence("{sku}: the warehouse accounts for {there}, the catalog for"
                                " {books}", sku=style.sku, there=_left(style.accounted),
                                books=_left(style.booked))  # fmt: skip
                self.alarms.raise_("disagreement", style.sku, text, now)
            elif more == 0:
                self.alarms.end("disagreement", style.sku, now)
            if style.available is not None and style.available < LOW:
                text = Sentence("{sku}: {count} left", count=style.available, sku=style.sku)
                self.alarms.raise_("low-stock", style.sku, text, now)
            else:
                known = style.available is not None
                self.alarms.end("low-stock", style.sku, now, known=known)


def _shown_needs(kind: Kind, subject: str) -> tuple[str, ...]:
    """What is missing where a node says that something does not go on."""
    if kind in ("outcome-unknown", "charge-refused", "refund-refused"):
        return ("provider",)
    if kind == "put-back":
        return ("put-back",)
    return (subject,) if kind == "refuses" else ()


def _never(late: Late) -> Sentence:
    """What is told of a request that is not answered."""
    return Sentence("{node} has not answered {caller}'s {name}: {time} over its deadline",
                    node=late.request.receiver, caller=late.request.sender,
                    name=late.request.name, time=elapsed(late.by))  # fmt: skip


def _with_source(text: Sentence, message: Message) -> Sentence:
    """With the name that a message gives itself, if that is not its topic's.

    In its envelope, or as a user property (CloudEvents MQTT protocol binding, 3.1).
    """
    document = message.data()
    source = document.get("source") if isinstance(document, dict) else None
    source = source or dict(message.user).get("source")
    if not isinstance(source, str) or source.rpartition("/")[2] == message.sender:
        return text
    return Sentence("{words} (its source is {source})", words=text, source=source[:_SOURCE])


def _is_receipt(message: Message) -> bool:
    return message.kind == "rep" and message.code is None and not message.repeats


def _left(totals: tuple[int, int] | None) -> int | None:
    """What came in and was not written off."""
    return None if totals is None else totals[0] - totals[1]
