"""How long settlement waits for a customer."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Seconds = Annotated[float, Field(gt=0, le=10_000_000)]


class SettlementSettings(BaseModel):
    """Times of the customer's side of an order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    remind_again: Seconds = 4 * 3600.0
    """Seconds between reminders of a parcel that nobody collects."""
    wrong_codes: Annotated[int, Field(ge=1, le=1000)] = 5
    """Wrong pickup codes of one caller after which it cannot collect, or ask for orders by code,
    for a while."""
    code_lock: Seconds = 60.0
    """Seconds for which it is locked then; wrong codes further apart are not added up."""
    acquirer_again: Seconds = 60.0
    """Seconds after which a payment provider that does not let the store in is asked again."""
    expire_after: Seconds = 48 * 3600.0
    """Seconds after which a parcel that nobody collected goes back, and its money too."""
