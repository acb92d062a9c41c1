"""The errors of Storebus, and the refusals that any node may answer with (RFC 9457 problems).

Those of the shop, such as `SoldOut`, are in `bus.contract.refusals`.

Domain code raises a `Problem`; the runtime turns it into a problem reply at one boundary.
"""

from typing import Any, ClassVar

from bus.contract.problem import ProblemData
from bus.contract.values import MAX_EXPLANATION

PROBLEM_TYPE = "https://storebus.example/problems/"


class StorebusError(Exception):
    """Anything that Storebus itself raises."""


class BrokerError(StorebusError):
    """No broker, or one that cannot be started; the message says what to do."""


class PortInUseError(BrokerError):
    """Another program listens on the port."""


class LinkError(StorebusError):
    """The connection to the broker is gone, or a message does not fit through it."""


class NotGrantedError(LinkError):
    """The broker does not grant what a message asks for; the connection lives on."""


class OversizeError(NotGrantedError):
    """A message is larger than the bus, or the broker, passes on.

    Args:
        what: `packet` or `payload`.
        size: its bytes.
        limit: how many it may have.
    """

    def __init__(self, what: str, size: int, limit: int) -> None:
        super().__init__(f"a {what} of {size} bytes is over {limit}")
        self.size = size
        self.limit = limit


class JournalError(StorebusError):
    """A node's database cannot be used as it is; the message says why."""


class RecordingError(JournalError):
    """A file that was named as a recording is none, or cannot be read."""


class StandstillError(StorebusError):
    """A node's transactions do not come to an end: it has ended itself, to be started again."""


class ForeignLogError(JournalError):
    """The write-ahead log beside a database was written for another file."""


class RoleTakenError(StorebusError):
    """Another living process already plays this node."""


class RoleEndedError(StorebusError):
    """A role that runs in a process of its own did not start, or has ended."""


class ConfigurationError(StorebusError):
    """A settings file, shop file or option says something impossible."""


class Problem(StorebusError):  # noqa: N818 - RFC 9457 calls it a problem
    """A refusal that goes back to the caller.

    Args:
        detail: one sentence for a person; never echoes a value that may be a secret.
        more: further members of the problem, such as `available` or `field`.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal"
    title: ClassVar[str] = "Internal error"
    retryable: ClassVar[bool] = False
    final: ClassVar[bool] = True
    """Whether the same id is refused for good; what is retryable never is."""

    def __init__(self, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.more = more

    def to_data(self) -> ProblemData:
        """The problem as it goes over the wire."""
        return ProblemData.model_validate(
            {
                "type": PROBLEM_TYPE + self.code,
                "title": self.title,
                "status": self.status,
                "detail": self.detail[:MAX_EXPLANATION],
                "code": self.code,
                "retryable": self.retryable,
                **self.more,
            }
        )


class Refused(Problem):
    """A problem that came over the wire, raised on the asking side."""

    def __init__(self, data: ProblemData) -> None:
        super().__init__(data.detail)
        self.data = data

    def to_data(self) -> ProblemData:
        """The problem exactly as the other node sent it."""
        return self.data


class Malformed(Problem):
    """The payload is not a message of the contract at all."""

    status, code, title = 400, "malformed", "Malformed message"


class RetainedRequest(Problem):
    """A request published as retained would be repeated to every future subscriber."""

    status, code, title = 400, "retained-request", "Retained request"


class Forbidden(Problem):
    """This caller may not call this operation."""

    status, code, title = 403, "forbidden", "Not allowed"


class ForeignResponseTopic(Problem):
    """A response topic other than the computed one could make us speak in another's name."""

    status, code, title = 403, "foreign-response-topic", "Foreign response topic"


class UnknownOperation(Problem):
    """The node exists but has no such operation."""

    status, code, title = 404, "unknown-operation", "Unknown operation"


class UnknownCallee(Problem):
    """The contract has no such role; raised by the asking side before anything is sent."""

    status, code, title = 404, "unknown-callee", "Unknown callee"


class IdReused(Problem):
    """The same message id came with another body."""

    status, code, title = 409, "id-reused", "Message id reused"


class Conflict(Problem):
    """What was asked contradicts what is already registered."""

    status, code, title = 409, "conflict", "Conflict"


class Busy(Problem):
    """The node has all it can hold; `retryAfter` is in seconds."""

    status, code, title, retryable = 429, "busy", "Busy", True


class Expired(Problem):
    """The deadline has passed: this was not begun. Not final: with a right one, the same id is.

    `now` is the store's time, `skew` by how many seconds the sender's clock was ahead of it.
    """

    status, code, title = 410, "expired", "Expired"
    final = False


class TooLarge(Problem):
    """The payload is over 64 KiB, or the message over what the broker passes on (`limit`)."""

    status, code, title = 413, "too-large", "Payload too large"


class InvalidField(Problem):
    """A field is missing or wrong; `field` names it."""

    status, code, title = 422, "invalid-field", "Invalid field"


class Internal(Problem):
    """A defect of the node; the message had no effect."""

    status, code, title, retryable = 500, "internal", "Internal error", True


class Unavailable(Problem):
    """The node cannot do this now."""

    status, code, title, retryable = 503, "unavailable", "Unavailable", True


class NoAnswer(Problem):
    """No reply came before the deadline; whether it was carried out is unknown."""

    status, code, title, retryable = 504, "no-answer", "No answer", True


class BrokenReply(NoAnswer):
    """What came as a reply breaks the contract; the message says whose, to what, and which rule.

    Never sent: it is raised at the one who asked. As with no answer, whether a command was carried
    out is unknown; the same would be answered again.
    """

    retryable = False


class UnsupportedVersion(Problem):
    """The envelope is not CloudEvents 1.0."""

    status, code, title = 505, "unsupported-version", "Unsupported version"


def first_error(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first error within a task group's, without its wrapping.

    To be raised from an `except ExceptionGroup`: within `except*` it would be wrapped again.
    """
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
