"""What became of scenarios; values only."""

from dataclasses import dataclass, field
from pathlib import Path


class FailedStepError(Exception):
    """A step did not come to what the scenario says; the text says what came instead."""


@dataclass(frozen=True, slots=True)
class Played:
    """One step that was played."""

    line: int
    sentence: str
    seconds: float
    failure: str | None = None


@dataclass(slots=True)
class Result:
    """One scenario, or one case of it."""

    path: Path
    line: int
    name: str
    steps: list[Played] = field(default_factory=list)
    left: int = 0
    """Steps that were not played because one before them failed."""
    seconds: float = 0.0
    failure: str | None = None
    """What is wrong beside its steps: a store that does not start, books that do not balance."""
    skipped: str | None = None
    """Why it was not played."""

    @property
    def failed(self) -> str | None:
        """What went wrong, with its line; None if nothing did."""
        for step in self.steps:
            if step.failure is not None:
                return f"{self.path}:{step.line}: {step.sentence}\n{step.failure}"
        return None if self.failure is None else f"{self.path}:{self.line}: {self.failure}"
