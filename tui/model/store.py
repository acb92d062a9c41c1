"""All that the console knows of one store, fed with what is heard and with the time."""

from collections.abc import Sequence
from itertools import groupby

from bus import peers
from bus.contract.channel import role_of
from bus.contract.topics import Topics
from bus.link import Incoming
from bus.sentence import Sentence, marked
from tui.model.alarms import Alarms, Kind
from tui.model.clocks import Clocks
from tui.model.dead_letters import dead_letter
from tui.model.deadlines import Deadlines
from tui.model.floor import Floor
from tui.model.history import History
from tui.model.message import Message, body, read
from tui.model.nodes import Nodes, NodeView
from tui.model.orders import Orders
from tui.model.rates import Rate
from tui.model.shown import shown_alarms
from tui.model.stock import LOW, Stock
from tui.model.track import Track
from tui.model.why import Why, why

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

    def __init__(self, topics: Topics, history: History | None = None) -> None:
        self.topics = topics
        self.history = history if history is not None else History()
        self.nodes = Nodes()
        self.orders = Orders()
        self.stock = Stock()
        self.floor = Floor()
        self._deadlines = Deadlines()
        self._clocks = Clocks()
        self.alarms = Alarms()
        self.rate = Rate()
        self.now = 0
        """The time of the last message or tick, in milliseconds since the epoch."""
        self._repeated = Rate()
        self._shown: dict[str, frozenset[tuple[Kind, str]]] = {}
        """By node, the alarms that it shows."""

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
        self._look_after_nodes(now)
        self._look_after_orders(now)
        self._look_after_stock(now)
        self._look_after_clocks(now)
        for request in self._deadlines.missed(now):
            text = Sentence("{node} did not answer {name} of {caller} in time",
                            node=request.receiver, name=request.name,
                            caller=request.sender)  # fmt: skip
            self.alarms.raise_("deadline", request.sender, text, now, request.number)
        heard, repeated = sum(self.rate.per_second(now)), sum(self._repeated.per_second(now))
        if heard > 100 and repeated * 100 > heard * _DUPLICATES:  # noqa: PLR2004
            text = Sentence("{percent} % of the messages of the last minute are repetitions",
                            percent=repeated * 100 // heard)  # fmt: skip
            self.alarms.raise_("duplicates", "bus", text, now)
        else:
            self.alarms.end("duplicates", "bus", now)
        self.alarms.expire(now, _MOMENT, "refused", "foreign", "malformed", "deadline")

    def why(self, track: Track) -> Why | None:
        """What an order waits for."""
        return why(track, self.nodes, self.now)

    def _hear(self, message: Message) -> None:
        self.rate.add(message.at)
        if message.repeats:
            self._repeated.add(message.at)
        self.nodes.hear(message)
        self.orders.hear(message)
        self.stock.hear(message)
        self.floor.hear(message)
        self._deadlines.hear(message)
        self._clocks.hear(message)
        self._alarm(message)

    def _alarm(self, message: Message) -> None:
        """What a single message says is wrong."""
        number = message.number
        if message.kind == "foreign":
            text = Sentence("a message on {topic}", topic=message.topic[:200])
            self.alarms.raise_("foreign", "topics", text, message.at, number)
        elif message.flaw is not None and not (message.kind == "state" and not message.payload):
            text = Sentence("{node} sent {name}: {flaw}", node=message.sender, name=message.name,
                            flaw=Sentence(message.flaw))  # fmt: skip
            self.alarms.raise_("malformed", message.sender, text, message.at, number)
        elif message.kind == "rep" and message.code == "expired":
            text = Sentence("{node} came too late with {name}", node=message.receiver,
                            name=message.name)  # fmt: skip
            self.alarms.raise_("deadline", message.receiver, text, message.at, number)
        elif message.code is not None:
            self._dead_letter(message)
            self._unknown_order(message)
        elif (message.kind, message.name) == ("event", "refused"):
            self._refused(message)
        elif (message.kind, message.name) == ("state", "alarms"):
            self._shown_by_node(message)

    def _dead_letter(self, message: Message) -> None:
        """It holds until it is acknowledged and forgotten: nothing makes it well again."""
        track = self.orders.track_of(message)
        text = dead_letter(message, track)
        if text is not None:
            subject = track.order if track is not None else message.receiver
            self.alarms.raise_("dead-letter", subject, text, message.at, message.number)

    def _unknown_order(self, message: Message) -> None:
        """Settlement does not know an order that it told of; of another's, it never says so."""
        track, node = self.orders.track_of(message), self.nodes.get(message.sender)
        if (message.kind, message.code) != ("rep", "unknown-order") or node is None:
            return
        if track is None or track.state is None or message.sender != "settlement":
            return
        if message.receiver == track.terminal or role_of(message.receiver) in ("console", "tester"):
            node.database = peers.forgot(node.database, message.at)

    def _refused(self, message: Message) -> None:
        data = body(message)
        if data is not None:
            caller, asked = str(data.get("caller")), str(data.get("operation"))
            text = Sentence("{caller} may not {operation}: {detail}", caller=caller,
                            operation=asked, detail=str(data.get("detail")))  # fmt: skip
            self.alarms.raise_("refused", caller, text, message.at, message.number)

    def _shown_by_node(self, message: Message) -> None:
        """Alarms that a node itself shows: what it shows no more is over."""
        now = dict(shown_alarms(message.sender, (body(message) or {}).get("alarms")))
        before = self._shown.get(message.sender, frozenset())
        self._shown[message.sender] = frozenset(now)
        for kind, subject in before - now.keys():
            self._end_unless_shown(kind, subject, message.at)
        for (kind, subject), text in now.items():
            self.alarms.raise_(kind, subject, text, message.at, message.number)

    def _end_unless_shown(self, kind: Kind, subject: str, at: int) -> None:
        """It is well again, unless some node still shows it."""
        if not any((kind, subject) in shown for shown in self._shown.values()):
            self.alarms.end(kind, subject, at)

    def _look_after_nodes(self, now: int) -> None:
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
                self.alarms.raise_("outbox", node.name, text, now)
            else:
                self.alarms.end("outbox", node.name, now)

    def _look_at_database(self, node: NodeView, now: int) -> None:
        """What the console itself has seen of it; other nodes may show the same."""
        loss = node.database.loss if node.database is not None else None
        for kind in _DATABASE:
            if loss is None or loss.kind != kind:
                self._end_unless_shown(kind, node.name, now)
        if loss is not None and not any((loss.kind, node.name) in each
                                        for each in self._shown.values()):  # fmt: skip
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
            if device not in self._shown
        }
        for device, seconds in wrong.items():
            listed = [{"kind": "clock-wrong", "seconds": seconds}]
            for (kind, subject), text in shown_alarms(device, listed):
                self.alarms.raise_(kind, subject, text, now)
        for device in self.alarms.subjects("clock-wrong") - wrong.keys():
            self._end_unless_shown("clock-wrong", device, now)

    def _look_after_orders(self, now: int) -> None:
        stuck = set()
        for track in self.orders:
            if track.final or track.state is None:
                continue
            reason = self.why(track)
            if reason is None or (reason.normal and track.state in ("reminded", "ready")):
                continue
            if now - reason.since > _STUCK:
                stuck.add(track.order)
                self.alarms.raise_("stuck", track.order, reason.reason, now)
        for order in self.alarms.subjects("stuck") - stuck:
            self.alarms.end("stuck", order, now)

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
                text = Sentence("{count} of {sku} are left", count=style.available, sku=style.sku)
                self.alarms.raise_("low-stock", style.sku, text, now)
            else:
                self.alarms.end("low-stock", style.sku, now)


def _left(totals: tuple[int, int] | None) -> int | None:
    """What came in and was not written off."""
    return None if totals is None else totals[0] - totals[1]
