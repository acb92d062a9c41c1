"""What happened, in order: the hash that tells two histories apart, and the story to read."""

import asyncio
import hashlib
from collections import Counter
from dataclasses import dataclass

from pydantic_core import from_json

from bus.contract.envelope import is_problem
from bus.contract.topics import Address


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened."""

    at: float
    """Virtual seconds since the simulation began."""
    what: str
    """`sent`, `arrived`, `committed`, `crash` ..."""
    who: str
    about: str = ""
    digest: str = ""

    def same(self) -> str:
        """What it has in common with a repetition: that a node is there, it says at new times."""
        return self.about if self.what == "presence" else self.digest

    def __str__(self) -> str:
        return f"{self.at:10.3f}  {self.what:<10} {self.who:<11} {self.about}"


class Trace:
    """The history of one simulation."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self._hash = hashlib.sha256()
        self._begun = 0
        self._told: int | None = None

    def note(self, what: str, who: str, about: str = "", payload: bytes = b"") -> None:
        """Add what happened now."""
        digest = hashlib.blake2b(payload, digest_size=8).hexdigest() if payload else ""
        line = Line(asyncio.get_running_loop().time(), what, who, about, digest)
        self.lines.append(line)
        self._hash.update(f"{line.at!r}|{what}|{who}|{about}|{digest}\n".encode())

    def begin(self) -> None:
        """The story begins here."""
        self._begun = len(self.lines)

    def told(self) -> None:
        """What comes now is not part of the story any more."""
        self._told = len(self.lines)

    def digest(self) -> str:
        """The same for the same history only."""
        return self._hash.hexdigest()[:16]

    def story(self, limit: int = 200) -> list[str]:
        """What happened, for people: commands, faults and payments; a repetition is only counted.

        Of a story that is longer than `limit` lines, the middle is left out.
        """
        told = [line for line in self.lines[self._begun : self._told] if line.what not in _UNTOLD]
        times = Counter((line.what, line.who, line.same()) for line in told)
        lines = []
        for line in told:
            count = times.pop((line.what, line.who, line.same()), 0) if line.digest else 1
            if count:
                lines.append(f"{line}{f'  ({count} times in all)' if count > 1 else ''}")
        if len(lines) <= limit:
            return lines
        half = limit // 2
        return [*lines[:half], f"... {len(lines) - 2 * half} lines ...", *lines[-half:]]


_UNTOLD = {"arrived", "asked", "event", "state"}
"""What nothing hangs on."""


def spoken(address: Address, payload: bytes) -> str:
    """A message for people."""
    event = from_json(payload)
    if address.name == "presence":
        return f"is {event['data']['status']} (start {event['data']['boot']})"
    if not address.callee:
        return f"{address.kind} {address.name}"
    arrow = "→" if address.kind == "req" else "←"
    identifier = event["id"] if address.kind == "req" else event.get("correlationid", "")
    order = event["data"].get("order", "")
    refused = event["data"]["code"] if is_problem(event) else ""
    words = (address.node, arrow, address.callee, address.name, order, f"[{identifier}]", refused)
    return " ".join(word for word in words if word)
