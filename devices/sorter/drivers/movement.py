"""What a machine is asked to do; shared by all drivers."""

from typing import Protocol

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
    """The machine cannot go on by itself: a jam, an open door; the text says which."""


class Driver(Protocol):
    """A conveyor with its arm and packing table."""

    async def perform(self, key: str, movement: Movement) -> int | None:
        """Do a step and return when it is done.

        Returns:
            Of picking, how many pieces were there to be taken, at most those asked for; None for
            all of them, and of other steps.

        The same key again, also after a crash: what is done is not done again, what is under
        way goes on.

        Raises:
            MachineFault: it cannot be done; the job is given to another sorter. Anything else
                that is raised makes it be asked for again.
        """
