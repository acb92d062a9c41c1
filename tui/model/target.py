"""What a line or a box on a screen opens."""

from typing import Literal, NamedTuple

Opens = Literal["order", "node", "group", "broker", "style", "alarm", "topic", "message"]


class Target(NamedTuple):
    """Something that can be opened."""

    kind: Opens
    name: str = ""
    """Of the order, node or style; a role for a group of nodes; a number for a message; for an
    alarm, kind and subject with a space between."""
