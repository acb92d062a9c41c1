"""Settlement's client of the payment provider: knows HTTP, and nothing of orders.

Fix the key before the first try, `capture`, and on `Unknown` call `capture` again later with the
same key and body until it is `Captured` or `Declined`: the provider takes the money at most once.
`Misconfigured` says that it does not let us in: somebody mends that, and the call is made again.
To give up instead, `void`: it answers `Captured` when it is too late, and then `refund` undoes it.
`outcome` changes nothing and is for audits. Nothing here logs.
"""

import asyncio
import json
from types import TracebackType
from typing import Any, Self, TypeAlias

import httpx

from bus.contract.errors import ConfigurationError, Internal
from nodes.settlement.acquirer.answers import readable, refusal
from nodes.settlement.acquirer.keys import is_key
from nodes.settlement.acquirer.outcomes import (
    Captured,
    Declined,
    Misconfigured,
    NeverSeen,
    Refunded,
    RefusedRefund,
    Unknown,
)

__all__ = [
    "Acquirer",
    "Captured",
    "Declined",
    "Misconfigured",
    "NeverSeen",
    "Refunded",
    "RefusedRefund",
    "Unknown",
]

_Reply: TypeAlias = tuple[int, Any] | Unknown
"""The status and the JSON of the body, or why there was no reply."""


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
    ) -> Captured | Declined | Misconfigured | Unknown:
        """Take `amount` minor units from the card behind `token`, at most once under `key`.

        A refusal that is none of a card's is `Declined` when the provider has made sure that
        nothing was, or will be, captured under the key by an earlier try.

        Raises:
            Internal: the key is none, or was used with another body: a defect on our side.
        """
        body = {"token": token, "amount": amount, "currency": currency}
        reply = await self._ask("POST", "/captures", key, body)
        match reply:
            case 201, {"key": str(of), "state": "captured", "reference": str(reference)} if (
                of == key
            ):
                return Captured(reference)
            case (402, {"key": str(of), "state": "declined", "reason": str(reason)}) | (
                422,
                {"key": str(of), "state": "invalid", "reason": str(reason)},
            ) if of == key:
                return Declined(readable(reason))
        refused = _refusal(reply)
        if not isinstance(refused, RefusedRefund):
            return refused
        voided = await self._void(key)
        return (
            voided
            if isinstance(voided, Captured | Unknown)
            else Declined(refused.reason, refused=True)
        )

    async def outcome(self, key: str) -> Captured | Declined | Unknown | NeverSeen:
        """The outcome of `key` at the provider; changes nothing.

        Raises:
            Internal: the key is none: a defect on our side.
        """
        reply = await self._ask("GET", f"/captures/{key}", key)
        match reply:
            case 404, {"key": str(of), "state": "unknown"} if of == key:
                return NeverSeen()
        standing = _standing(reply, key)
        return standing if isinstance(standing, Captured | Declined | Unknown) else _none(standing)

    async def void(self, key: str) -> Captured | Declined | Unknown:
        """Make sure that nothing will be captured under `key`; `Captured` when it is too late.

        Raises:
            Internal: the key is none: a defect on our side.
        """
        voided = await self._void(key)
        return voided if isinstance(voided, Captured | Declined | Unknown) else _none(voided)

    async def _void(
        self, key: str
    ) -> Captured | Declined | RefusedRefund | Misconfigured | Unknown:
        return _standing(await self._ask("POST", f"/captures/{key}/void", key), key)

    async def refund(
        self, key: str, capture_key: str, amount: int
    ) -> Refunded | RefusedRefund | Misconfigured | Unknown:
        """Give back `amount` minor units of the capture, at most once under `key`.

        Raises:
            Internal: the key is none, or was used with another body: a defect on our side.
        """
        body = {"capture": capture_key, "amount": amount}
        reply = await self._ask("POST", "/refunds", key, body)
        match reply:
            case 201, {"key": str(of), "state": "refunded", "reference": str(reference)} if (
                of == key
            ):
                return Refunded(reference)
        return _refusal(reply)

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
            answer = None
        status = response.status_code
        if (status, _of(answer, "state"), _of(answer, "key")) == (409, "conflict", key):
            raise Internal("the acquirer has seen this key with another body")
        return status, answer


def _of(answer: Any, name: str) -> Any:
    return answer.get(name) if isinstance(answer, dict) else None


def _standing(
    reply: _Reply, key: str
) -> Captured | Declined | RefusedRefund | Misconfigured | Unknown:
    match reply:
        case ((200 | 409), {"key": str(of), "state": "captured", "reference": str(reference)}) if (
            of == key
        ):
            return Captured(reference)
        case 200, {"key": str(of), "state": "declined", "reason": str(reason)} if of == key:
            return Declined(readable(reason))
        case 200, {"key": str(of), "state": "voided"} if of == key:
            return Declined("voided")
        case _:
            return _refusal(reply)


def _refusal(reply: _Reply) -> RefusedRefund | Misconfigured | Unknown:
    return reply if isinstance(reply, Unknown) else refusal(*reply)


def _none(refused: RefusedRefund | Misconfigured) -> Unknown:
    """A question that was refused is not answered."""
    return Unknown(refused.reason)
