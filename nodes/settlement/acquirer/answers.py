"""What an answer of a payment provider means where it is none of those that its API documents.

Pure: a status and what the body held. RFC 9110 section 15 tells the classes of statuses.
"""

from collections.abc import Mapping
from typing import Any

from nodes.settlement.acquirer.outcomes import Misconfigured, RefusedRefund, Unknown

REASON_LENGTH = 200
"""A provider's reason is cut to this many characters before it reaches a person."""

_NOT_LET_IN = frozenset({401, 403, 407})
"""Our name or key is wrong, or may not do this: about us, and not about the payment."""
_FOR_THE_MOMENT = frozenset({408, 425, 429})
"""Time-out, too early, too many: the same may succeed later."""
_IN_PROGRESS = frozenset({"in-progress", "in_progress", "pending", "processing"})
"""States of a 409 that only says that the first request under this key is still being worked on."""
_WORDS = ("reason", "detail", "message", "error_description", "error", "title")
"""Members in which providers say why, the closest first."""


def refusal(status: int, answer: Any) -> RefusedRefund | Misconfigured | Unknown:
    """Whether an answer is a definite no, a fault of the settings, or no answer at all.

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
    """Without control and bidi-override characters, and not endless."""
    return "".join(one for one in reason[:REASON_LENGTH] if one.isprintable())


def _words(answer: Any) -> str:
    """Why, in the provider's words; empty if there are none."""
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
