"""What a payment provider's reply means if it is none of those that its API documents.

Pure: a status and what the body held. RFC 9110 section 15 tells the classes of statuses.
"""

from collections.abc import Mapping
from typing import Any

from nodes.settlement.acquirer.outcomes import Misconfigured, RefusedRefund, Unknown

REASON_LENGTH = 200
"""A provider's reason is cut to this many characters before it reaches a person."""

_NOT_LET_IN = frozenset({401, 403, 407})
"""Our name or key is wrong or lacks a right: the fault is ours, not the payment's."""
_FOR_THE_MOMENT = frozenset({408, 425, 429})
"""Time-out, too early, too many: the same may succeed later."""
_IN_PROGRESS = frozenset({"in-progress", "in_progress", "pending", "processing"})
"""States of a 409 which means that the first request under this key is still in progress."""
_WORDS = ("reason", "detail", "message", "error_description", "error", "title")
"""Members in which providers give their reason, the most specific first."""


def refusal(status: int, answer: Any) -> RefusedRefund | Misconfigured | Unknown:
    """Tell whether a reply is a definite refusal, a fault of the settings, or no outcome at all.

    Args:
        status: of HTTP.
        answer: the JSON of the body, or None.
    """
    words = _words(answer) or f"status {status}"
    if status in _NOT_LET_IN:
        return Misconfigured(words)
    if not 400 <= status < 500 or status in _FOR_THE_MOMENT:  # noqa: PLR2004 - RFC 9110
        return Unknown(f"unexpected status {status}")
    if status == 409 and _state(answer) in _IN_PROGRESS:  # noqa: PLR2004 - RFC 9110
        return Unknown("still in progress")
    return RefusedRefund(words)


def readable(reason: str) -> str:
    """A text without control and bidi-override characters, cut to `REASON_LENGTH`."""
    return "".join(one for one in reason[:REASON_LENGTH] if one.isprintable())


def _words(answer: Any) -> str:
    """The provider's reason; empty if it gives none."""
    if not isinstance(answer, Mapping):
        return ""
    for name in _WORDS:
        value = answer.get(name)
        if isinstance(value, str) and value.strip():
            return readable(value.strip())
        if isinstance(value, Mapping) and (words := _words(value)):
            return words
    return ""


def _state(answer: Any) -> str:
    if not isinstance(answer, Mapping):
        return ""
    found = answer.get("state") or answer.get("status")
    return found if isinstance(found, str) else ""
