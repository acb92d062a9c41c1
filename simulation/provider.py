"""The payment provider, in the simulation's time: the simulated acquirer's book behind a bad line.

Its rules and its log are those of the acquirer that the tests run as a process; only the way
there is another: calls fail before the money is taken, after it, or arrive when nobody waits.
"""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, cast

from acquirer.card_processor import CaptureBody, CardProcessor, HttpReply, RefundBody
from acquirer.log import Entry, Log
from bus.contract.errors import Internal
from nodes.settlement.acquirer.client import Acquirer
from nodes.settlement.acquirer.outcomes import (
    Captured,
    Declined,
    Misconfigured,
    NeverSeen,
    Refunded,
    RefusedRefund,
    Unknown,
)
from simulation.trace import Trace
from simulation.weather import Chances, Weather, happens
from testing.kit.virtual_time import milliseconds

Fate = Literal["well", "before", "after", "late", "error", "slow", "outside"]
"""What becomes of a call: silence before or after the provider has acted, or while it acts late;
an error at once; an answer that takes long; or that it does not let the store in."""
_FATES: tuple[Fate, ...] = ("before", "after", "late", "error", "slow")
_PATIENCE = 5.0
"""Seconds that settlement waits for an answer."""
_LATEST = 60.0
"""The most seconds that a call is on its way."""


class VirtualLog(Log):
    """The acquirer's log with virtual times; nobody pulls its plug."""

    def __init__(self, path: Path) -> None:
        self.entries: list[Entry] = []
        self._lines = path.open("a", buffering=1)

    def append(self, entry: Entry) -> None:
        """Write it."""
        at = datetime.fromtimestamp(milliseconds() / 1000, UTC).isoformat()
        self._lines.write(json.dumps(entry.model_dump() | {"at": at}) + "\n")
        self.entries.append(entry)

    def close(self) -> None:
        """Close the file."""
        self._lines.close()


class Provider:
    """What `nodes.settlement.acquirer.client.Acquirer` is, without HTTP."""

    def __init__(self, log: VirtualLog, weather: Weather, chances: Chances, trace: Trace) -> None:
        self.stormy = False
        self.fate: Fate | None = None
        """Of every call, whatever the weather."""
        self.busy_until = 0.0
        """When the last call that is under way has arrived, at the latest."""
        self._processor = CardProcessor(log)
        self._weather = weather
        self._chances = chances
        self._trace = trace

    def client(self) -> Acquirer:
        """As settlement takes it."""
        return cast("Acquirer", self)

    async def capture(
        self, key: str, token: str, amount: int, currency: str
    ) -> Captured | Declined | Misconfigured | Unknown:
        """Take money, once per key."""
        if self._is_outside(f"capture {key}"):
            return Misconfigured("the API key is not valid")
        body = CaptureBody(token=token, amount=amount, currency=currency)
        answer = await self._over_the_line(
            f"capture {key}", lambda: self._processor.capture(key, body)
        )
        match answer:
            case HttpReply(201, {"reference": str(reference)}):
                return Captured(reference)
            case HttpReply(402, {"reason": str(reason)}):
                return Declined(reason)
            case HttpReply(409, {"state": "refused", "reason": str(reason)}):
                voided = await self.void(key)
                if isinstance(voided, Captured | Unknown):
                    return voided
                return Declined(reason, refused=True)
            case _:
                return self._neither(answer)

    async def outcome(self, key: str) -> Captured | Declined | Unknown | NeverSeen:
        """What a key has come to."""
        answer = await self._over_the_line(f"outcome {key}", lambda: self._processor.outcome(key))
        return NeverSeen() if answer.status == 404 else self._standing(answer)  # noqa: PLR2004

    async def void(self, key: str) -> Captured | Declined | Unknown:
        """Nothing shall be captured under a key any more."""
        return self._standing(
            await self._over_the_line(f"void {key}", lambda: self._processor.void(key))
        )

    async def refund(
        self, key: str, capture_key: str, amount: int
    ) -> Refunded | RefusedRefund | Misconfigured | Unknown:
        """Give money back, once per key."""
        if self._is_outside(f"refund {key}"):
            return Misconfigured("the API key is not valid")
        body = RefundBody(capture=capture_key, amount=amount)
        answer = await self._over_the_line(
            f"refund {key}", lambda: self._processor.refund(key, body)
        )
        match answer:
            case HttpReply(201, {"reference": str(reference)}):
                return Refunded(reference)
            case HttpReply(409, {"state": "refused", "reason": str(reason)}):
                return RefusedRefund(reason)
            case _:
                return self._neither(answer)

    def _is_outside(self, what: str) -> bool:
        """Whether a call is not let in: somebody has changed a key."""
        outside = self.stormy and happens(self._chances["outside"], self._weather.outside)
        if not outside and self.fate != "outside":
            return False
        self._trace.note("provider", "acquirer", f"{what} (not let in)")
        self.busy_until = asyncio.get_running_loop().time() + _LATEST
        return True

    async def _over_the_line(self, what: str, decide: Callable[[], HttpReply]) -> HttpReply:
        chance = self._chances["payment"]
        await asyncio.sleep(chance.uniform(0.005, 0.3))
        failing = self.stormy and happens(chance, self._weather.payment)
        fate = chance.choice(_FATES) if failing else self.fate or "well"
        self._trace.note("provider", "acquirer", f"{what} ({fate})")
        loop = asyncio.get_running_loop()
        self.busy_until = max(self.busy_until, loop.time() + _LATEST)
        if fate == "late":  # it arrives when settlement has given up waiting, and asked again
            loop.call_later(chance.uniform(0.1, _LATEST), decide)
        if fate in ("before", "late"):
            await asyncio.sleep(_PATIENCE)
            return _UNKNOWN
        if fate == "error":
            return _UNKNOWN
        if fate == "slow":
            await asyncio.sleep(chance.uniform(0, _PATIENCE))
        answer = decide()
        if fate == "after":
            await asyncio.sleep(_PATIENCE)
            return _UNKNOWN
        await asyncio.sleep(chance.uniform(0.005, 0.1))
        return answer

    def _standing(self, answer: HttpReply) -> Captured | Declined | Unknown:
        match answer.body:
            case {"state": "captured", "reference": str(reference)}:
                return Captured(reference)
            case {"state": "declined", "reason": str(reason)}:
                return Declined(reason)
            case {"state": "voided"}:
                return Declined("voided")
            case _:
                return self._neither(answer)

    def _neither(self, answer: HttpReply) -> Unknown:
        if answer.body.get("state") == "conflict":
            raise Internal("the acquirer has seen this key with another body")
        return Unknown(f"status {answer.status}")


_UNKNOWN = HttpReply(0, {"state": "silence"})
