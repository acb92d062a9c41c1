"""Where a node runs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bus.link import Connector
from bus.runtime.environment import Environment
from bus.runtime.lease import Lease
from bus.runtime.settings import RuntimeSettings
from bus.storage.journal import Journal


@dataclass(frozen=True, slots=True)
class Deployment:
    """Where a node runs."""

    connector: Connector
    site: str
    data: Path
    """The folder of the databases; each node has its own file there."""
    settings: RuntimeSettings = field(default_factory=RuntimeSettings)
    environment: Callable[[], Environment] = Environment
    """Makes the clock and the identifiers of each start; a simulation hands in its own."""
    journal: Callable[..., Journal] = Journal
    """Opens a node's database; a simulation hands in one that has no thread."""
    lease: Callable[..., Lease] = Lease
    """Holds a node's name; a simulation hands in one that lives in virtual time."""
