"""What a sorter and its machine tell each other; shared by all drivers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from bus.contract.errors import StorebusError
from bus.contract.sorter import PickLine
from bus.contract.values import Model, Reference


class Movement(Model):
    """One step for the machine."""

    job: Reference
    assignment: int
    step: str
    """travelling, picking, conveying or packing."""
    pick: PickLine
    """The pick that the step is about; for conveying and packing, the last one."""
    pickup_point: str


class MachineFault(StorebusError):  # noqa: N818 - what the field calls it
    """The machine cannot go on by itself, for instance after a jam; the text says why."""


@dataclass(frozen=True, slots=True)
class DeviceReading:
    """A value that the machine has measured or counted."""

    name: str
    """Such as `motor temperature` or `cycles`."""
    value: float
    unit: str = ""
    """Such as `°C`; empty for a count."""


Report = Callable[[DeviceReading | MachineFault], None]
"""Takes what a machine reports; to be called in the thread of the event loop."""


class Driver(Protocol):
    """A conveyor with its arm and packing table."""

    async def perform(self, key: str, movement: Movement) -> int | None:
        """Do a step and return when it is done.

        It is called with the same key again after a crash: then a step that is done is not
        repeated, and one that is under way goes on.

        Returns:
            After picking, how many pieces were there to be taken, at most those asked for; None
            for all of them, and after other steps.

        Raises:
            MachineFault: it cannot be done; the job is given to another sorter. After any other
                exception, the step is asked for again.
        """


@runtime_checkable
class ReportingDriver(Driver, Protocol):
    """A driver whose machine reports readings and faults by itself, at any time."""

    def listen(self, report: Report) -> None:
        """Report to this function from now on; called once, before the first step.

        A fault ends the step that is under way, which is cancelled; if there is none, the next
        step fails with it. Either way the job is given to another sorter.
        """
