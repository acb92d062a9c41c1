"""What a planted bug is."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from bus.runtime.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Bug:
    """A mistake that somebody could make, and how it is patched in."""

    name: str
    planted: Callable[[], AbstractContextManager[Any]]


def never_sent(*operations: Any) -> AbstractContextManager[Any]:
    """A role forgets a command that it should have given."""
    send = UnitOfWork.send

    def planted(self: UnitOfWork, operation: Any, *rest: Any, **more: Any) -> str:
        return "" if operation in operations else send(self, operation, *rest, **more)

    return patch.object(UnitOfWork, "send", planted)
