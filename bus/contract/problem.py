"""The problem reply: RFC 9457 with a stable `code`."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import ConfigDict, Field

from bus.contract.values import ORDER_FIELD, Explanation, Model, Word

COMMON_PROBLEMS = frozenset(
    {
        "malformed",
        "retained-request",
        "forbidden",
        "foreign-response-topic",
        "unknown-operation",
        "expired",
        "too-large",
        "invalid-field",
        "id-reused",
        "busy",
        "internal",
        "unavailable",
        "unsupported-version",
    }
)
"""Codes with which any request may be refused, before its operation is looked at."""


class ProblemData(Model):
    """A refusal (RFC 9457 section 3.1); further members are kept as they came."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)
    order_field: ClassVar[str | None] = ORDER_FIELD
    """One of the further members."""

    type: Annotated[str, Field(max_length=2048)]
    """A URI that names the kind of problem."""
    title: Word
    """The kind of problem in a few words."""
    status: Annotated[int, Field(ge=100, le=599)]
    """As an HTTP status code (RFC 9110 section 15), 400 to 599 from the store."""
    detail: Explanation
    """What happened, in a sentence for a person."""
    code: Word
    """Stable, kebab-case; what programs look at."""
    retryable: bool = False
    """Whether the same request may succeed later."""


def is_unheard_of(problem: Mapping[str, Any]) -> bool:
    """Whether a refusal says that what it is about was never heard of.

    Between nodes of the store that is a loss: they have told each other of it.

    Args:
        problem: its data. The catalog says `wrong-state` with null for an order that holds nothing.
    """
    code = problem.get("code")
    return code in _UNHEARD_OF or (code == "wrong-state" and problem.get("state", "") is None)


_UNHEARD_OF = frozenset({"unknown-order", "unknown-job"})
