"""Topics of contract version 1: the only place that knows how they are spelled."""

from dataclasses import dataclass
from typing import Literal

from bus.contract.values import is_name

CONTRACT_VERSION = 1
_LEVELS = 7  # storebus / 1 / site / kind / and three names; states and events have two
_KINDS = {"req": _LEVELS, "rep": _LEVELS, "state": _LEVELS - 1, "event": _LEVELS - 1}


@dataclass(frozen=True, slots=True)
class Address:
    """A parsed topic."""

    kind: Literal["req", "rep", "state", "event"]
    node: str
    """The caller of a request or reply; the owner of a state or event."""
    callee: str
    """The callee of a request or reply; empty otherwise."""
    name: str
    """The operation, state or event."""


def site_of(topic: str) -> str | None:
    """The site that a topic of the contract's version belongs to, or None."""
    levels = topic.split("/", 3)
    if levels[:2] != ["storebus", str(CONTRACT_VERSION)] or len(levels) < 4:  # noqa: PLR2004
        return None
    return levels[2] if is_name(levels[2]) else None


class Topics:
    """Builds and parses the topics of one site."""

    def __init__(self, site: str) -> None:
        if not is_name(site):
            raise ValueError(f"not the name of a site: {site!r}")
        self.site = site
        self.root = f"storebus/{CONTRACT_VERSION}/{site}"
        self._prefix = f"{self.root}/"

    def request(self, caller: str, callee: str, operation: str) -> str:
        """Where a request goes."""
        return f"{self.root}/req/{caller}/{callee}/{operation}"

    def reply(self, caller: str, callee: str, operation: str) -> str:
        """Where its reply goes: computed, never taken from a message."""
        return f"{self.root}/rep/{caller}/{callee}/{operation}"

    def state(self, node: str, name: str) -> str:
        """Where a node's state is retained; `+` for any node."""
        return f"{self.root}/state/{node}/{name}"

    def event(self, node: str, name: str) -> str:
        """Where an event goes; `+` for any node."""
        return f"{self.root}/event/{node}/{name}"

    def requests_to(self, callee: str) -> str:
        """The filter for everything asked of a node."""
        return self.request("+", callee, "+")

    def replies_to(self, caller: str) -> str:
        """The filter for everything answered to a node."""
        return self.reply(caller, "+", "+")

    def everything(self) -> str:
        """The filter of an observer."""
        return f"{self.root}/#"

    def below(self, topic: str) -> str:
        """A topic as people write it: `./` stands for the root of the site."""
        return f"{self._prefix}{topic[2:]}" if topic.startswith("./") else topic

    def meant(self, topic: str) -> str | None:
        """How a topic outside the site that looks like one of the contract is to be written.

        None for one within the site, and for one that looks like none of the contract.
        """
        if topic.startswith(self._prefix):
            return None
        if site_of(topic) is not None:  # of another site
            return f"./{topic.split('/', 3)[3]}"
        levels = topic.split("/")
        at = next((at for at, level in enumerate(levels) if level in _KINDS), None)
        if at is None or not set(levels[:at]) <= {"", *self.root.split("/")}:
            return None
        return f"./{'/'.join(levels[at:])}"

    def parse(self, topic: str) -> Address | None:
        """The parts of a topic of this site, or None if it is none of the contract."""
        if not topic.startswith(self._prefix):
            return None
        levels = topic.split("/")
        kind = levels[3]
        if _KINDS.get(kind) != len(levels) or not all(is_name(level) for level in levels[4:]):
            return None
        callee = levels[5] if kind in ("req", "rep") else ""
        return Address(kind, levels[4], callee, levels[-1])  # type: ignore[arg-type]
