"""The rules of the simulated acquirer: the outcome of each key, and what may follow.

Every decision is in the log before it is returned. Sends nothing: see `server`.
"""

import re
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from acquirer.log import Entry, Log
from nodes.settlement.acquirer.keys import reference

_CARD = re.compile(
    r"tok_(approve|decline|timeout|error|lost|refuse|norefund|laterrefund|unauthorized)(?:_.*)?"
)


class CaptureBody(BaseModel):
    """The body of a capture."""

    model_config = ConfigDict(frozen=True, strict=True)

    token: str = Field(pattern=r"^[\x21-\x7e]{1,256}$")
    """The card, opaque."""
    amount: int = Field(gt=0)
    """In minor units."""
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    """ISO 4217."""


class RefundBody(BaseModel):
    """The body of a refund."""

    model_config = ConfigDict(frozen=True, strict=True)

    capture: str
    """The key of the capture to refund, in whole or in part."""
    amount: int = Field(gt=0)
    """In minor units of the capture's currency."""


class HttpReply(NamedTuple):
    """An HTTP status and the JSON that goes with it."""

    status: int
    body: dict[str, Any]


def reused(key: str) -> HttpReply:
    """The reply to a key that was used before with another body."""
    return HttpReply(
        409, {"key": key, "state": "conflict", "reason": "key reused with another body"}
    )


def card(token: str) -> str | None:
    """How the test card behind `token` behaves: `approve`, `decline` ...; None for no such card.

    What follows a second underscore only distinguishes cards of the same kind.
    """
    known = _CARD.fullmatch(token)
    return known[1] if known else None


class CardProcessor:
    """Captures, voids and refunds cards; what happened under each key is rebuilt from the log."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._captures: dict[str, Entry] = {}
        self._refunds: dict[str, Entry] = {}
        self._refunded: dict[str, int] = {}
        self._hesitated: set[str] = set()
        """Keys of refunds that were refused once and succeed when they are asked for again."""
        for entry in log.entries:
            self._take(entry)

    @property
    def entries(self) -> list[Entry]:
        """Everything that has happened, oldest first."""
        return self._log.entries

    def knows(self, key: str) -> bool:
        """Whether a capture, decline or void stands under `key`."""
        return key in self._captures

    def token(self, key: str) -> str:
        """The token of the card to be charged under `key`; empty if it is not known."""
        known = self._captures.get(key)
        return (known.token or "") if known is not None else ""

    def capture(self, key: str, body: CaptureBody) -> HttpReply:
        """Take the money or decline, once; the same key and body always get the same reply."""
        known = self._captures.get(key)
        if known is None:
            asked = {"key": key, **body.model_dump()}
            kind = card(body.token)
            if kind == "refuse":
                return _refused(key, "this card cannot be charged here")
            if kind is None:
                known = self._write(Entry(kind="decline", reason="unknown token", **asked))
            elif kind == "decline":
                known = self._write(Entry(kind="decline", reason="card declined", **asked))
            else:
                taken = reference("acq", key)
                known = self._write(Entry(kind="capture", reference=taken, **asked))
        if known.kind == "void":
            return HttpReply(402, {"key": key, "state": "declined", "reason": "voided"})
        if (known.token, known.amount, known.currency) != (body.token, body.amount, body.currency):
            return reused(key)
        return HttpReply(201 if known.kind == "capture" else 402, _state(known))

    def outcome(self, key: str) -> HttpReply:
        """The outcome of `key` so far."""
        known = self._captures.get(key)
        if known is None:
            return HttpReply(404, {"key": key, "state": "unknown"})
        return HttpReply(200, _state(known))

    def void(self, key: str) -> HttpReply:
        """If nothing was captured under `key`, make sure that nothing ever will be."""
        known = self._captures.get(key) or self._write(Entry(kind="void", key=key))
        return HttpReply(409 if known.kind == "capture" else 200, _state(known))

    def refund(self, key: str, body: RefundBody) -> HttpReply:
        """Give money back, once per key and never more than was taken.

        A refusal is not stored: a repeated request is decided anew, and only a late capture can
        change the decision.
        """
        known = self._refunds.get(key)
        if known is None:
            taken = self._captures.get(body.capture)
            if taken is None or taken.kind != "capture" or taken.amount is None:
                return _refused(key, "nothing was captured under this key")
            if self._refunded.get(body.capture, 0) + body.amount > taken.amount:
                return _refused(key, "more than was captured")
            kind = card(taken.token or "")
            if kind == "norefund" or (kind == "laterrefund" and key not in self._hesitated):
                self._hesitated.add(key)
                return _refused(key, "the card's account is closed")
            known = self._write(
                Entry(
                    kind="refund",
                    key=key,
                    reference=reference("ref", key),
                    amount=body.amount,
                    currency=taken.currency,
                    token=taken.token,
                    capture=body.capture,
                )
            )
        if (known.capture, known.amount) != (body.capture, body.amount):
            return reused(key)
        return HttpReply(201, {"key": key, "state": "refunded", "reference": known.reference})

    def _write(self, entry: Entry) -> Entry:
        self._log.append(entry)
        self._take(entry)
        return entry

    def _take(self, entry: Entry) -> None:
        if entry.kind != "refund":
            self._captures[entry.key] = entry
        elif entry.capture is not None and entry.amount is not None:
            self._refunds[entry.key] = entry
            self._refunded[entry.capture] = self._refunded.get(entry.capture, 0) + entry.amount


def _refused(key: str, reason: str) -> HttpReply:
    return HttpReply(409, {"key": key, "state": "refused", "reason": reason})


def _state(entry: Entry) -> dict[str, Any]:
    match entry.kind:
        case "capture":
            return {"key": entry.key, "state": "captured", "reference": entry.reference}
        case "decline":
            return {"key": entry.key, "state": "declined", "reason": entry.reason}
        case _:
            return {"key": entry.key, "state": "voided"}
