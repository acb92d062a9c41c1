"""What can be done about an alarm: the advice, and the request that a key sends."""

from collections.abc import Callable
from dataclasses import dataclass, field

from bus.contract.channel import ROLES, role_of
from bus.contract.every import PING
from bus.contract.settlement import RESOLVE
from bus.contract.warehouse import COUNT, REASSIGN, RECEIVE, RESUME
from bus.text.sentence import Sentence
from tui.model.alarms import TO_DO, ConsoleAlarm
from tui.model.store import StoreModel


@dataclass(frozen=True, slots=True)
class Remedy:
    """A request of the contract that an operator may send."""

    does: Sentence
    """What it does, beginning with a verb."""
    callee: str
    operation: str
    data: dict[str, object] = field(default_factory=dict)
    """The data known already."""


_NEEDED = {"no-sorter": "sorter-1"}
"""By kind, an example where what is missing is not known."""


def advice(alarm: ConsoleAlarm, model: StoreModel) -> Sentence | None:
    """What the operator should do; None if the alarm's own text says so."""
    text = TO_DO.get(alarm.kind)
    if text is None:
        return None
    node = model.nodes.get(alarm.subject)
    host = node.told.host if node is not None and node.told is not None else None
    return Sentence(
        text, subject=alarm.subject,
        host=host or Sentence("the host of {subject}", subject=alarm.subject),
        needed=alarm.needs[0] if alarm.needs else _NEEDED.get(alarm.kind, Sentence("who is asked")),
    )  # fmt: skip


_ANSWERING = ROLES | {"sorter", "terminal"}


def remedy(alarm: ConsoleAlarm, model: StoreModel) -> Remedy | None:
    """The request that helps; None if only a person on the spot can help."""
    find = _REMEDIES.get(alarm.kind)
    return find(alarm, model) if find is not None else None


def _ask(node: str) -> Remedy | None:
    """Ask a node whether it works: every node of the contract answers a ping."""
    if role_of(node) not in _ANSWERING:
        return None
    return Remedy(Sentence("ask {node} whether it is there and works", node=node), node, PING.name)


def _of_node(alarm: ConsoleAlarm, _: StoreModel) -> Remedy | None:
    return _ask(alarm.subject)


def _of_needed(alarm: ConsoleAlarm, _: StoreModel) -> Remedy | None:
    return _ask(alarm.needs[0]) if alarm.needs else None


def _lost(alarm: ConsoleAlarm, model: StoreModel) -> Remedy | None:
    """Give the job of a lost sorter to another, else ask the node."""
    orders = model.alarms.waiting.get(alarm.subject, ())
    if role_of(alarm.subject) == "sorter" and orders:
        return _reassign(orders[0])
    return _ask(alarm.subject)


def _stuck(alarm: ConsoleAlarm, model: StoreModel) -> Remedy | None:
    """By what the order waits for."""
    for goods in model.stock.to_put_back:
        tracked = model.orders.get(alarm.subject)
        if goods.order == alarm.subject and tracked is not None and tracked.state in _GOING_BACK:
            return _put_back(model, goods.parcel)
    needed = alarm.needs[0] if alarm.needs else ""
    if role_of(needed) == "sorter":
        return _reassign(alarm.subject)
    return _no_sorter(alarm, model) if needed == "sorters" else _ask(needed)


_GOING_BACK = ("cancelling", "expiring")


def _reassign(order: str) -> Remedy:
    does = Sentence("give the job of {order} to another sorter", order=order)
    return Remedy(does, "warehouse", REASSIGN.name, {"order": order})


def _put_back(model: StoreModel, parcel: str) -> Remedy | None:
    goods = next((each for each in model.stock.to_put_back if each.parcel == parcel), None)
    if goods is None:
        return None
    does = Sentence("put {quantity} of {sku} back on a shelf", quantity=goods.quantity,
                    sku=goods.sku)  # fmt: skip
    data: dict[str, object] = {"sku": goods.sku, "quantity": goods.quantity, "parcel": parcel}
    return Remedy(does, "warehouse", RECEIVE.name, data | _place(goods.sku, model))


def _put_goods_back(alarm: ConsoleAlarm, model: StoreModel) -> Remedy | None:
    return _put_back(model, alarm.subject)


def _no_sorter(_: ConsoleAlarm, model: StoreModel) -> Remedy | None:
    """Let a sorter that is online have jobs again, if it had a fault."""
    there = (node for node in model.nodes if (node.role, node.status) == ("sorter", "online"))
    sorter = next(there, None)
    if sorter is None:
        return None
    does = Sentence("let {node} have jobs again, if it was repaired", node=sorter.name)
    return Remedy(does, "warehouse", RESUME.name, {"sorter": sorter.name})


def _receive(alarm: ConsoleAlarm, model: StoreModel) -> Remedy:
    does = Sentence("put goods of {sku} on a shelf", sku=alarm.subject)
    data: dict[str, object] = {"sku": alarm.subject}
    return Remedy(does, "warehouse", RECEIVE.name, data | _place(alarm.subject, model))


def _count(alarm: ConsoleAlarm, model: StoreModel) -> Remedy:
    does = Sentence("say how many of {sku} were counted", sku=alarm.subject)
    data: dict[str, object] = {"sku": alarm.subject}
    return Remedy(does, "warehouse", COUNT.name, data | _place(alarm.subject, model))


def _place(sku: str, model: StoreModel) -> dict[str, object]:
    """A location of the style, if one is known."""
    style = model.stock.get(sku)
    location = min(style.bins, default=None) if style is not None else None
    return {"location": location} if location is not None else {}


def _resolve(alarm: ConsoleAlarm, _: StoreModel) -> Remedy:
    does = Sentence("say that {order} was paid back by hand, or have it tried again",
                    order=alarm.subject)  # fmt: skip
    return Remedy(does, "settlement", RESOLVE.name, {"order": alarm.subject})


def _resolve_step(alarm: ConsoleAlarm, _: StoreModel) -> Remedy:
    does = Sentence("have the step of {order} asked again, or say that it was done by hand",
                    order=alarm.subject)  # fmt: skip
    return Remedy(does, "settlement", RESOLVE.name, {"order": alarm.subject})


def _count_there(alarm: ConsoleAlarm, _: StoreModel) -> Remedy:
    """The subject is a style and, if known, a location."""
    sku, _space, location = alarm.subject.partition(" ")
    does = Sentence("say how many of {sku} were counted", sku=sku)
    data: dict[str, object] = {"sku": sku}
    return Remedy(
        does, "warehouse", COUNT.name, data | ({"location": location} if location else {})
    )


_REMEDIES: dict[str, Callable[[ConsoleAlarm, StoreModel], Remedy | None]] = {
    "lost": _lost,
    "stuck": _stuck,
    "deadline": _of_node,
    "cannot-write": _of_node,
    "standstill": _of_node,
    "restless": _of_node,
    "outbox": _of_needed,
    "duplicates": _of_needed,
    "no-sorter": _no_sorter,
    "low-stock": _receive,
    "disagreement": _count,
    "refund-refused": _resolve,
    "step-refused": _resolve_step,
    "short-pick": _count_there,
    "refuses": _of_node,
    "database-replaced": _of_node,
    "database-older": _of_node,
    "put-back": _put_goods_back,
}
