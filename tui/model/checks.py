"""What the console checks at intervals: alarms that are active because something did not happen."""

from collections import Counter
from collections.abc import Mapping
from itertools import groupby

from bus.text.duration import elapsed
from bus.text.sentence import Sentence, marked
from tui.model.alarm_list import AlarmList
from tui.model.alarms import Kind
from tui.model.clocks import Clocks
from tui.model.deadlines import Deadlines, Late
from tui.model.node_alarms import node_alarms
from tui.model.nodes import KnownNodes, NodeView
from tui.model.rates import Rate
from tui.model.repeats import Repeats
from tui.model.stock import LOW, StockView

_DUPLICATES = 20
"""Percent of repeated messages above which there is an alarm."""
_RESTLESS = 5
"""Arrivals of a node within a minute from which there is an alarm."""
_OUTBOX = 1_000
"""Open commands of a node above which there is an alarm."""
_DATABASE: dict[Kind, str] = {
    "database-replaced": marked("{node} has another database than before: it was moved or emptied,"
                                " or --data is wrong"),
    "database-older": marked("the database of {node} lacks what it held before"),
}  # fmt: skip


def check_deadlines(deadlines: Deadlines, alarms: AlarmList, now: int) -> None:
    """Alarms of requests that were not answered in time; their texts say for how long."""
    for late in deadlines.missed(now):
        node = late.request.receiver
        alarms.raise_("deadline", node, _never(late), now, late.request.number,
                      needs=(node,))  # fmt: skip
    for node, late in deadlines.over(now).items():
        alarms.tell("deadline", node, _never(late), late.request.number)


def check_repeats(rate: Rate, repeats: Repeats, alarms: AlarmList, now: int) -> None:
    """The alarm of many repeated messages."""
    heard, repeated = sum(rate.per_second(now)), repeats.count(now)
    if heard <= 100 or repeated * 100 <= heard * _DUPLICATES:  # noqa: PLR2004
        alarms.end("duplicates", "bus", now, known=False)
        return
    text = Sentence("{percent} % of the messages of the last minute are repetitions",
                    percent=repeated * 100 // heard)  # fmt: skip
    most = repeats.most()
    if most is None:
        alarms.raise_("duplicates", "bus", text, now)
        return
    place, count = most
    text = Sentence("{words}; most often {node} asks {callee} again for {name}: {count} times",
                    words=text, node=place.sender, callee=place.receiver, name=place.name,
                    count=count)  # fmt: skip
    alarms.raise_("duplicates", "bus", text, now, needs=(place.receiver,),
                  topic=place.topic)  # fmt: skip


def check_nodes(
    nodes: KnownNodes, owed: Mapping[str, Counter[str]], alarms: AlarmList, now: int
) -> None:
    """Alarms of nodes: lost, restless, with another database, or with much to do.

    Args:
        nodes: of the store.
        owed: by node, the nodes whose answers its orders wait for, and how often.
        alarms: raised and ended here.
        now: milliseconds since the epoch.
    """
    gone = [node.name for node in nodes if (node.role, node.status) == ("sorter", "lost")]
    for subject in alarms.subjects("no-sorter"):
        alarms.need("no-sorter", subject, gone)
    for node in nodes:
        if node.status == "lost":
            text = Sentence("{node} is lost", node=node.name)
            alarms.raise_("lost", node.name, text, now)
        else:
            alarms.end("lost", node.name, now)
        _check_arrivals(node, alarms, now)
        _check_database(node, alarms, now)
        if node.outbox is not None and node.outbox > _OUTBOX:
            text = Sentence("{node} has {count} commands that are not done", node=node.name,
                            count=node.outbox)  # fmt: skip
            owing = [name for name, _ in owed.get(node.name, Counter()).most_common()]
            alarms.raise_("outbox", node.name, text, now, needs=(*owing, node.name))
        else:
            alarms.end("outbox", node.name, now, known=node.outbox is not None)


def _check_database(node: NodeView, alarms: AlarmList, now: int) -> None:
    """What the console has seen of its database itself; other nodes may show the same."""
    loss = node.database.loss if node.database is not None else None
    for kind in _DATABASE:
        if loss is None or loss.kind != kind:
            alarms.end_unless_shown(kind, node.name, now)
    if loss is not None and not alarms.is_shown(loss.kind, node.name):
        text = Sentence(_DATABASE[loss.kind], node=node.name)
        alarms.raise_(loss.kind, node.name, text, now)


def _check_arrivals(node: NodeView, alarms: AlarmList, now: int) -> None:
    """An earlier boot of a node that comes back after a later one is a second device."""
    boots = node.arrivals(now)
    starts = [boot for boot, _ in groupby(boots)]
    if len(starts) > len(set(starts)):
        text = Sentence("two devices use the name {node}, and each takes it from the other:"
                        " give one of them another", node=node.name)  # fmt: skip
        alarms.raise_("two-of-a-name", node.name, text, now)
        return
    alarms.end("two-of-a-name", node.name, now)
    if len(boots) >= _RESTLESS:
        text = Sentence("{node} came online {count} times within a minute: it ends or loses its"
                        " connection again and again; look at its log", node=node.name,
                        count=len(boots))  # fmt: skip
        alarms.raise_("restless", node.name, text, now)
    else:
        alarms.end("restless", node.name, now)


def check_clocks(clocks: Clocks, nodes: KnownNodes, alarms: AlarmList, now: int) -> None:
    """Alarms of devices whose clocks are wrong and that show no alarms of their own."""
    wrong = {
        device: seconds
        for device, seconds in clocks.wrong().items()
        if (node := nodes.get(device)) is None or node.alarms is None
    }
    for device, seconds in wrong.items():
        listed = [{"kind": "clock-wrong", "seconds": seconds}]
        for (kind, subject), text in node_alarms(device, listed):
            alarms.raise_(kind, subject, text, now)
    for device in alarms.subjects("clock-wrong") - wrong.keys():
        alarms.end_unless_shown("clock-wrong", device, now)


def check_stock(stock: StockView, alarms: AlarmList, now: int) -> None:
    """Alarms of styles that are low, or whose books differ."""
    for style in stock:
        more = style.disagrees()
        if more:
            text = Sentence("{sku}: the warehouse accounts for {there}, the catalog for"
                            " {books}", sku=style.sku, there=_left(style.accounted),
                            books=_left(style.booked))  # fmt: skip
            alarms.raise_("disagreement", style.sku, text, now)
        elif more == 0:
            alarms.end("disagreement", style.sku, now)
        if style.available is not None and style.available < LOW:
            text = Sentence("{sku}: {count} left", count=style.available, sku=style.sku)
            alarms.raise_("low-stock", style.sku, text, now)
        else:
            known = style.available is not None
            alarms.end("low-stock", style.sku, now, known=known)


def _never(late: Late) -> Sentence:
    """The text of the alarm of a request that is not answered."""
    return Sentence("{node} has not answered {caller}'s {name}: {time} over its deadline",
                    node=late.request.receiver, caller=late.request.sender,
                    name=late.request.name, time=elapsed(late.by))  # fmt: skip


def _left(totals: tuple[int, int] | None) -> int | None:
    """What came in and was not written off."""
    return None if totals is None else totals[0] - totals[1]
