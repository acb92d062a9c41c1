"""Every kind of message of the contract, with its name and topic."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from bus.contract.channel import DEVICES, EVERY, ROLES, Event, Operation, State
from bus.contract.topics import Topics
from bus.contract.values import Model

Channel = Operation[Any, Any] | State[Any] | Event[Any]
Part = Literal["request", "reply", "state", "event"]
_TOPICS = Topics("site")
_ANYBODY = "(" + "|".join(sorted(ROLES | DEVICES)) + ")"


def owner_of(channel: Channel) -> str:
    """Who answers or publishes it: a role, a kind of device, or `every`."""
    owner = channel.callee if isinstance(channel, Operation) else channel.owner
    return "every" if owner == EVERY else owner


def name_of(channel: Channel) -> str:
    """A channel's name in documents: `catalog.lookup`, `sorter.job.state`."""
    name = f"{owner_of(channel)}.{channel.name}"
    if isinstance(channel, Operation):
        return name
    return f"{name}.state" if isinstance(channel, State) else f"{name}.event"


@dataclass(frozen=True)
class MessageKind:
    """One kind of message."""

    channel: Channel
    part: Part
    model: type[Model]

    @cached_property
    def name(self) -> str:
        """Such as `catalog.lookup.request` or `sorter.job.state`."""
        name = name_of(self.channel)
        return f"{name}.{self.part}" if isinstance(self.channel, Operation) else name

    @property
    def owner(self) -> str:
        """Who answers or publishes it."""
        return owner_of(self.channel)

    @property
    def qos(self) -> int:
        """Its quality of service."""
        if isinstance(self.channel, Operation):
            return self.channel.qos
        return 1 if isinstance(self.channel, State) else 0

    @property
    def retained(self) -> bool:
        """Whether it is published as retained."""
        return isinstance(self.channel, State)

    @property
    def from_store(self) -> bool:
        """Whether only a server role sends it."""
        if isinstance(self.channel, Operation) and self.part == "request":
            return bool(self.channel.callers) and self.channel.callers <= ROLES
        return self.owner in ROLES

    @property
    def address(self) -> str:
        """Its topic; levels that vary are names in braces."""
        owner = self.owner
        node = owner if owner in ROLES else "{node}"
        callee = owner if owner in ROLES else "{callee}"
        build = {
            "request": lambda: _TOPICS.request("{caller}", callee, self.channel.name),
            "reply": lambda: _TOPICS.reply("{caller}", callee, self.channel.name),
            "state": lambda: _TOPICS.state(node, self.channel.name),
            "event": lambda: _TOPICS.event(node, self.channel.name),
        }
        root = _TOPICS.root.removesuffix(_TOPICS.site) + "{site}"
        return root + build[self.part]().removeprefix(_TOPICS.root)

    @property
    def type_pattern(self) -> str:
        """The CloudEvents types that it may have, as a regular expression."""
        owner = self.owner if self.owner != "every" else _ANYBODY
        suffix = rf"\.{self.part}" if isinstance(self.channel, Operation) else ""
        return rf"^storebus\.{owner}\.{self.channel.name}{suffix}$"


def messages_of(channel: Channel) -> tuple[MessageKind, ...]:
    """The messages of a channel; a problem may take the place of each reply."""
    if isinstance(channel, Operation):
        request = MessageKind(channel, "request", channel.request)
        return request, MessageKind(channel, "reply", channel.reply)
    return (MessageKind(channel, "state" if isinstance(channel, State) else "event", channel.data),)


def names_for(kinds: frozenset[str]) -> tuple[str, list[str]]:
    """Names of these roles and kinds of devices: in words, and as examples."""
    examples = [kind if kind in ROLES else f"{kind}-7" for kind in sorted(kinds)]
    words = [f"`{kind}`" if kind in ROLES else f"`{kind}-...`" for kind in sorted(kinds)]
    return " or ".join(words), examples
