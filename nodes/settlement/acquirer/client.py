"""The line to the payment provider, as settlement sees it; knows HTTP, and nothing of orders.

Fix the key before the first try, `capture`, and on `Unknown` call `capture` again later with the
same key and body until it is `Captured` or `Declined`: the provider takes the money at most once.
To give up instead, `void`: it answers `Captured` when it is too late, and then `refund` undoes it.
`outcome` changes nothing and is for audits. Nothing here logs.
"""

import asyncio
import json
from types import TracebackType
from typing import Any, Self, TypeAlias

import httpx

from bus.errors import ConfigurationError, Internal
from nodes.settlement.acquirer.keys import is_key
from nodes.settlement.acquirer.outcomes import (
    Captured,
    Declined,
    NeverSeen,
    Refunded,
    RefusedRefund,
    Unknown,
)

__all__ = [
    "Acquirer",
    "Captured",
    "Declined",
    "NeverSeen",
    "Refunded",
    "RefusedRefund",
    "Unknown",
]

REASON_LENGTH = 200
"""A provider's reason is cut to this many characters before it reaches a person."""

_Reply: TypeAlias = tuple[int, dict[str, Any]] | Unknown


class Acquirer:
    """A pool of connections to one provider, used with `async with`; calls may overlap.

    Args:
        url: where the provider listens, http or https.
        timeout: seconds that one call may take in all; afterwards its outcome is `Unknown`.

    Raises:
        ConfigurationError: `url` is not an http address.
    """

    def __init__(self, url: str, *, timeout: float = 5.0) -> None:
        try:
            base = httpx.URL(url)
        except httpx.InvalidURL as error:
            raise ConfigurationError("the acquirer's address is not a URL") from error
        if base.scheme not in {"http", "https"} or not base.host:
            raise ConfigurationError("the acquirer's address is not an http URL")
        self._timeout = timeout
        self._http = httpx.AsyncClient(
            base_url=base,
            # `asyncio.timeout` bounds the whole call; httpx only bounds each read of it.
            timeout=httpx.Timeout(None),
            # Certificates cost memory and time to load, and plain http never looks at them.
            verify=base.scheme == "https",
            # A proxy of the environment must never see a card token.
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.aclose()

    async def capture(
        self, key: str, token: str, amount: int, currency: str
    ) -> Captured | Declined | Unknown:
        """Take `amount` minor units from the card behind `token`, at most once under `key`.

        Raises:
            Internal: the key is none, or was used with another body: a defect on our side.
        """
        body = {"token": token, "amount": amount, "currency": currency}
        match await self._ask("POST", "/captures", key, body):
            case 201, {"state": "captured", "reference": str(reference)}:
                return Captured(reference)
            case (402, {"state": "declined", "reason": str(reason)}) | (
                422,
                {"state": "invalid", "reason": str(reason)},
            ):
                return Declined(_readable(reason))
            case other:
                return _unknown(other)

    async def outcome(self, key: str) -> Captured | Declined | Unknown | NeverSeen:
        """What `key` has come to at the provider; changes nothing.

        Raises:
            Internal: the key is none: a defect on our side.
        """
        reply = await self._ask("GET", f"/captures/{key}", key)
        match reply:
            case 404, {"state": "unknown"}:
                return NeverSeen()
            case _:
                return _standing(reply)

    async def void(self, key: str) -> Captured | Declined | Unknown:
        """Make sure that nothing will be captured under `key`; `Captured` when it is too late.

        Raises:
            Internal: the key is none: a defect on our side.
        """
        return _standing(await self._ask("POST", f"/captures/{key}/void", key))

    async def refund(
        self, key: str, capture_key: str, amount: int
    ) -> Refunded | RefusedRefund | Unknown:
        """Give back `amount` minor units of the capture, at most once under `key`.

        Raises:
            Internal: the key is none, or was used with another body: a defect on our side.
        """
        body = {"capture": capture_key, "amount": amount}
        match await self._ask("POST", "/refunds", key, body):
            case 201, {"state": "refunded", "reference": str(reference)}:
                return Refunded(reference)
            case (409, {"state": "refused", "reason": str(reason)}) | (
                422,
                {"state": "invalid", "reason": str(reason)},
            ):
                return RefusedRefund(_readable(reason))
            case other:
                return _unknown(other)

    async def _ask(
        self, method: str, path: str, key: str, body: dict[str, Any] | None = None
    ) -> _Reply:
        if not is_key(key):
            raise Internal("not an idempotency key")
        headers, content = {}, None
        if body is not None:
            headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
            # Escaped to ASCII, so that the provider judges what UTF-8 could not even carry.
            content = json.dumps(body).encode()
        try:
            async with asyncio.timeout(self._timeout):
                response = await self._http.request(method, path, headers=headers, content=content)
        except TimeoutError:
            return Unknown(f"no answer within {self._timeout:g} s")
        except httpx.HTTPError as error:
            # The kind only: the text of a foreign error is not ours to vouch for.
            return Unknown(type(error).__name__)
        try:
            answer = response.json()
        except (ValueError, RecursionError):
            return Unknown(f"unreadable answer, status {response.status_code}")
        if not isinstance(answer, dict) or answer.get("key") != key:
            return Unknown(f"not the acquirer's answer, status {response.status_code}")
        if response.status_code == httpx.codes.CONFLICT and answer.get("state") == "conflict":
            raise Internal("the acquirer has seen this key with another body")
        return response.status_code, answer


def _standing(reply: _Reply) -> Captured | Declined | Unknown:
    match reply:
        case ((200 | 409), {"state": "captured", "reference": str(reference)}):
            return Captured(reference)
        case 200, {"state": "declined", "reason": str(reason)}:
            return Declined(_readable(reason))
        case 200, {"state": "voided"}:
            return Declined("voided")
        case _:
            return _unknown(reply)


def _unknown(reply: _Reply) -> Unknown:
    return reply if isinstance(reply, Unknown) else Unknown(f"unexpected status {reply[0]}")


def _readable(reason: str) -> str:
    """Without control and bidi-override characters, and not endless."""
    return "".join(one for one in reason[:REASON_LENGTH] if one.isprintable())
