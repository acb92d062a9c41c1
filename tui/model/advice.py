"""What to do about a node that holds up an order."""

from bus.contract.channel import ROLES, role_of
from bus.text.sentence import Sentence
from tui.model.nodes import KnownNodes


def advice(nodes: KnownNodes, name: str, request: str) -> Sentence:
    """What to do about a node that has failed, or does not answer.

    Args:
        nodes: of the store.
        name: of the node.
        request: the operation it was asked for; empty if none.
    """
    node = nodes.get(name)
    if node is not None and node.status == "online" and node.shows("cannot-write"):
        return Sentence("Mend its disk, as its alarm says: then it goes on by itself.")
    if node is None or node.status != "online":
        return _start_again(name, request)
    kind = role_of(name)
    if kind == "terminal":
        return Sentence(
            "{node} is connected and does not answer: look after it. Until then, the customer can"
            " collect by the code (C).",
            node=name,
        )
    if kind in ROLES:
        return Sentence(
            "{node} is connected and does not answer: look at its log, and start it again.",
            node=name,
        )
    return Sentence(
        "{node} is connected and does not answer: look after it, and start it again.", node=name
    )


def _start_again(name: str, request: str) -> Sentence:
    kind = role_of(name)
    if kind == "terminal":
        return Sentence(
            "Switch {node} on again. Until then, the customer can collect by the code (C).",
            node=name,
        )
    if kind in ROLES:
        return Sentence("Start it again: storebus node {node}", node=name)
    if request == "abort":
        return Sentence(
            "Switch {node} on again: it has goods of the order, or knows where they are.",
            node=name,
        )
    return Sentence("Switch {node} on again, or give the job to another (O).", node=name)


def goes_on(role: str) -> Sentence:
    """What to do about a role that should act and does not."""
    return Sentence(
        "{node} is connected and does not go on: look at its log and its network, and start it"
        " again.",
        node=role,
    )


def instead(sorter: str) -> Sentence:
    """What to do about a sorter that does not finish a job."""
    return Sentence("Look after {node}, or give the job to another (O).", node=sorter)
