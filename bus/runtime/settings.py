"""How the runtime behaves; read once at the start, shown by `storebus config`."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Seconds = Annotated[float, Field(gt=0, le=86_400)]


class RuntimeSettings(BaseModel):
    """Limits and times of every node."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    retry_first: Seconds = 1.0
    """Seconds before an unanswered command is sent again for the first time."""
    retry_limit: Seconds = 30.0
    """What the seconds between repetitions double up to; each is spread by a quarter."""
    query_retry: Seconds = 0.5
    """Seconds before an unanswered query is sent again for the first time."""
    batch_limit: Annotated[int, Field(ge=1, le=10_000)] = 256
    """The most messages that one transaction carries out."""
    queue_limit: Annotated[int, Field(ge=1, le=1_000_000)] = 10_000
    """The most commands that wait for a transaction; more are answered 429."""
    reconnect_limit: Seconds = 5.0
    """Seconds between tries to reach the broker at the most."""
    keep_answers: Annotated[float, Field(gt=0)] = 7 * 86_400.0
    """Seconds for which a command that was answered is remembered: repeated later, it would be
    carried out again. Commands between roles have no deadline, their sender repeats them every
    `retry_limit` seconds as long as it runs. So this must be longer than any node may be switched
    off while the others run. A node that starts forgets nothing before ten times `retry_limit`,
    when all who were switched off along with it have repeated what they wait for."""
    takeover_wait: Seconds = 1.0
    """Seconds to wait for another process that claims the same name to prove it is alive."""
    standstill: Seconds = 60.0
    """Seconds for which a node's transaction may stand still, by a steady clock. After that the
    node says so and ends with exit code 4, so that whoever keeps it, `storebus up --apart` or the
    system's service manager, starts it again. No disk should need so long for one write."""
    show_again: Seconds = 30.0
    """Seconds after which a node shows its states again: one that was lost is made good."""
    adapter_limit: Annotated[int, Field(ge=1, le=10_000)] = 64
    """The most calls to payment providers and machines under way at once."""
