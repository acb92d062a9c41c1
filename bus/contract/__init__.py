"""Every channel and message model of contract version 1; nothing here does I/O."""

from typing import Any

from bus.contract import catalog, every, settlement, sorter, terminal, warehouse
from bus.contract.channel import EVERY, Event, Operation, State

_MODULES = (every, catalog, settlement, warehouse, sorter, terminal)
CHANNELS: tuple[Operation[Any, Any] | State[Any] | Event[Any], ...] = tuple(
    each
    for module in _MODULES
    for each in vars(module).values()
    if isinstance(each, Operation | State | Event)
)
"""All that is declared, in the order of its declaration."""
OPERATIONS: dict[tuple[str, str], Operation[Any, Any]] = {
    (channel.callee, channel.name): channel
    for channel in CHANNELS
    if isinstance(channel, Operation)
}
STATES: dict[tuple[str, str], State[Any]] = {
    (channel.owner, channel.name): channel for channel in CHANNELS if isinstance(channel, State)
}
EVENTS: dict[tuple[str, str], Event[Any]] = {
    (channel.owner, channel.name): channel for channel in CHANNELS if isinstance(channel, Event)
}


def find_operation(role: str, name: str) -> Operation[Any, Any] | None:
    """The operation `name` of a role or kind of device, its own or every node's."""
    return OPERATIONS.get((role, name)) or OPERATIONS.get((EVERY, name))


def operations_of(role: str) -> tuple[Operation[Any, Any], ...]:
    """All operations that a role or kind of device answers."""
    return tuple(op for (callee, _), op in OPERATIONS.items() if callee in (role, EVERY))
