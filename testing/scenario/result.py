"""The results of scenarios; values only."""

from dataclasses import dataclass, field
from pathlib import Path


class FailedStepError(Exception):
    """A step failed; the text says what came instead of the expected."""


@dataclass(frozen=True, slots=True)
class PlayedStep:
    """A step that was played."""

    line: int
    sentence: str
    seconds: float
    failure: str | None = None


@dataclass(slots=True)
class ScenarioResult:
    """The result of a scenario, or of one case of it."""

    path: Path
    line: int
    name: str
    steps: list[PlayedStep] = field(default_factory=list)
    left: int = 0
    """How many steps were not played because an earlier one failed."""
    seconds: float = 0.0
    failure: str | None = None
    """A failure outside its steps: books that do not balance, a fault that met no message."""
    skipped: str | None = None
    """Why it was not played, if it was not."""

    @property
    def failed(self) -> str | None:
        """The first failure, with its line; None if there is none."""
        for step in self.steps:
            if step.failure is not None:
                return f"{self.path}:{step.line}: {step.sentence}\n{step.failure}"
        return None if self.failure is None else f"{self.path}:{self.line}: {self.failure}"
