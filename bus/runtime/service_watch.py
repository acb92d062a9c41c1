"""Raises an alarm when a provider does not answer, or a node refuses again and again.

Both are asked again for ever, as they must be; but a person has to know.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from bus.contract.every import Alarm
from bus.contract.timestamp import rfc3339
from bus.runtime.environment import Environment

_SILENT = 5_000
"""Milliseconds without any success after which nobody is served at all."""
_STUCK = 60_000
"""The same for one call or command while others are served."""
_SHOWN = 20
"""The most alarms of single orders."""
_REASON = 60
"""Characters of a reason that a sentence holds."""

Kind = Literal["provider-silent", "refuses"]


@dataclass(frozen=True, slots=True)
class Service:
    """What is asked for."""

    kind: Kind
    """`provider-silent` of what is called, `refuses` of a node."""
    whom: str
    """What is called, as people say it, or the node that is asked."""
    operation: str
    """What a node is asked; empty for a call."""


@dataclass(slots=True)
class _Try:
    service: Service
    since: int
    """When it was tried first, by the steady clock."""
    order: str | None
    reason: str


class ServiceWatch:
    """Looks after the calls and commands of one node that are not carried out.

    Args:
        node: its name.
        environment: its clocks.
        show: shows the node's alarms anew.
    """

    def __init__(self, node: str, environment: Environment, show: Callable[[], None]) -> None:
        self._node = node
        self._environment = environment
        self._show = show
        self._tries: dict[str, _Try] = {}
        self._silent: dict[Service, int] = {}
        """Since when a service has had no success."""
        self._alarms: dict[object, Alarm] = {}

    @property
    def alarms(self) -> list[Alarm]:
        """What is wrong now."""
        return list(self._alarms.values())

    def failed(
        self, identifier: str, service: Service, reason: str, began: int, order: str | None
    ) -> None:
        """A call had no outcome, or a command was refused for the moment.

        Args:
            identifier: of the call or command, which will be tried again.
            service: what was asked for.
            reason: why it failed, as far as that is known.
            began: when this try began, in milliseconds of the steady clock.
            order: which order it is about, if any.
        """
        reason = reason[:_REASON]
        this = self._tries.setdefault(identifier, _Try(service, began, order, reason))
        this.reason = reason
        since = self._silent.setdefault(service, began)
        now = self._environment.steady()
        if now - since >= _SILENT:
            self._raise(service, service, None, reason, since)
        elif order is not None and now - this.since >= _STUCK and len(self._alarms) < _SHOWN:
            self._raise(identifier, service, order, reason, this.since)

    def served(self, service: Service) -> None:
        """A call or command to this service was carried out."""
        self._silent.pop(service, None)
        self._end(service)

    def done(self, identifier: str) -> None:
        """A call or command is not tried any more."""
        if self._tries.pop(identifier, None) is not None:
            self._end(identifier)

    def _raise(
        self, key: object, service: Service, order: str | None, reason: str, since: int
    ) -> None:
        before = self._alarms.get(key)
        if before is not None and before.values.get("reason") == reason:
            return
        ago = self._environment.steady() - since
        self._alarms[key] = Alarm.model_validate(
            {
                **_words(service, order, reason, self._node),
                "since": rfc3339(self._environment.now() - ago),
                "order": order,
            }
        )
        self._show()

    def _end(self, key: object) -> None:
        if self._alarms.pop(key, None) is not None:
            self._show()


def _words(service: Service, order: str | None, reason: str, node: str) -> dict[str, Any]:
    """The kind, the subject and the words of an alarm."""
    whom = service.whom
    if service.kind == "refuses":
        detail = f"{whom} refuses {service.operation} of {node} again and again: {reason}"
        values = {"whom": whom, "operation": service.operation, "reason": reason}
        return _alarm("refuses", detail, None if order else whom, values)
    values = {"whom": whom, "reason": reason}
    if order is None:
        detail = f"The {whom} does not answer ({reason}): is it there? What waits for it goes on"
        return _alarm("provider-silent", f"{detail} by itself.", whom, values)
    detail = f"The {whom} has not said for a minute what it did ({reason}): ask it about the order."
    return _alarm("outcome-unknown", detail, None, values)


def _alarm(kind: str, detail: str, subject: str | None, values: dict[str, str]) -> dict[str, Any]:
    return {"kind": kind, "detail": detail, "subject": subject, "values": values}
