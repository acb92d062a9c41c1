"""The problem reply: RFC 9457 with a stable `code`."""

from pydantic import ConfigDict

from bus.contract.values import Model

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

    type: str
    """A URI that names the kind of problem."""
    title: str
    """The kind of problem in a few words."""
    status: int
    """As an HTTP status code, 400 to 599."""
    detail: str
    """What happened, in a sentence for a person."""
    code: str
    """Stable, kebab-case; what programs look at."""
    retryable: bool = False
    """Whether the same request may succeed later."""
