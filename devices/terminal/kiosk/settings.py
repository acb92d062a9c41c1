"""The settings of a kiosk."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class KioskSettings(BaseModel):
    """Times and samples of a kiosk."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    idle: Annotated[float, Field(gt=0, le=86_400)] = 60.0
    """Seconds without a touch or key until it forgets its customer and is back at the start."""
    scanner_gap: Annotated[float, Field(ge=0, le=1)] = 0.035
    """The most seconds between two keys of a scanner that types; people are slower."""
    settle: Annotated[float, Field(ge=0, le=5)] = 0.5
    """Seconds for which what has just come under the finger takes no press: those of a double tap,
    or of a key that is held down, were meant for what was there before."""
    samples: tuple[str, ...] = ("C-1001", "C-1010", "tok_approve", "tok_decline")
    """Accounts and card tokens that are offered to try it out; none in a real store."""
