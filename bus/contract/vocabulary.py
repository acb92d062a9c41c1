"""The words of the contract, and which of them somebody meant who mistyped one."""

from collections.abc import Iterable
from difflib import get_close_matches

from bus.contract import CHANNELS, OPERATIONS
from bus.contract.channel import ALSO_CALLED, DEVICES, ROLES, role_of
from bus.contract.problem import COMMON_PROBLEMS

CHANNEL_NAMES = frozenset(channel.name for channel in CHANNELS)
"""What operations, states and events are called."""
KINDS = frozenset({"req", "rep", "state", "event"})
"""Of messages."""
CODES = COMMON_PROBLEMS.union(*(operation.problems for operation in OPERATIONS.values()))
"""Of the problems that nodes answer with."""
_NODE_KINDS = frozenset({*DEVICES, *ALSO_CALLED})


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that is spelled most alike; None if none is near."""
    return next(iter(get_close_matches(word, sorted(known), 1)), None)


def nearest_node(name: str) -> str | None:
    """A name that a node can have and that is spelled much like this one; None if none is near."""
    kind, _, number = name.partition("-")
    found = nearest(kind, ROLES | _NODE_KINDS)
    if found is None or found in ROLES:
        return found
    return f"{found}-{number or '1'}"


def can_begin_node(start: str) -> bool:
    """Whether the name of a node can begin like this."""
    return (
        role_of(start) is not None
        or any(name.startswith(start) for name in ROLES)
        or any(f"{kind}-".startswith(start) or start.startswith(f"{kind}-") for kind in _NODE_KINDS)
    )
