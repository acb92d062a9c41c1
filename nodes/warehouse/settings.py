"""How long the warehouse waits for its sorters."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Seconds = Annotated[float, Field(gt=0, le=1_000_000)]


class WarehouseSettings(BaseModel):
    """Patience with sorters."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    lost_sorter: Seconds = 30.0
    """Seconds after which the job of a sorter that is gone is given to another."""
    slow_job: Seconds = 900.0
    """Seconds after which a job that is not packed is given to another sorter."""
    refusal_pause: Seconds = 1.0
    """Seconds for which a sorter that did not take its job gets none."""
    fault_pause: Seconds = 60.0
    """Seconds for which a sorter that was faulty, gone or slow gets no job."""
