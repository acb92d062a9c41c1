"""What to do about a node that an order waits for in vain."""

from bus.contract.channel import ROLES, role_of
from bus.text.sentence import Sentence
from tui.model.nodes import Nodes


def advice(nodes: Nodes, name: str, request: str) -> Sentence:
    """What to do about a node that is not well, or does not answer.

    Args:
        nodes: of the store.
        name: the node's.
        request: what it was asked; empty if nothing.
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
    """What to do about a role whose turn it is, and that says nothing."""
    return Sentence(
        "{node} is connected and does not go on: look at its log and its network, and start it"
        " again.",
        node=role,
    )


def instead(sorter: str) -> Sentence:
    """What to do about a sorter that does not come to the end of a job."""
    return Sentence("Look after {node}, or give the job to another (O).", node=sorter)
