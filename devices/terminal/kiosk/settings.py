"""How a kiosk treats its customers."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class KioskSettings(BaseModel):
    """Times and hints of a kiosk."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    idle: Annotated[float, Field(gt=0, le=86_400)] = 60.0
    """Seconds without a touch or key until it forgets its customer and is back at the start."""
    scanner_gap: Annotated[float, Field(ge=0, le=1)] = 0.035
    """The most seconds between two keys of a scanner that types; people are slower."""
    samples: tuple[str, ...] = ("C-1001", "C-1010", "tok_approve", "tok_decline")
    """Accounts and card tokens that are offered to try it out; none in a real store."""
