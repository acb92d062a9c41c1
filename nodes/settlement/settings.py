"""How long settlement waits for a customer."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Seconds = Annotated[float, Field(gt=0, le=10_000_000)]


class SettlementSettings(BaseModel):
    """Times of the customer's side of an order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    remind_again: Seconds = 4 * 3600.0
    """Seconds between reminders of a parcel that nobody collects."""
    expire_after: Seconds = 48 * 3600.0
    """Seconds after which a parcel that nobody collected goes back, and its money too."""
