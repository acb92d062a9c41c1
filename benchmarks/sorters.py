"""Sorters that take no time and store nothing: in a shop each has a computer of its own."""

import asyncio

from bus.contract.sorter import ABORT, JOB_STATE, PICK, Abort, Aborted, JobState, Pick, PickReply
from bus.contract.timestamp import rfc3339
from bus.contract.values import Model
from bus.contract.warehouse import PACKED
from bus.link import Connector
from bus.runtime.requests import Request
from bus.runtime.settings import RuntimeSettings
from devices.sorter import domain
from testing.kit.fake_device import FakeDevice

_PATIENCE = 3600.0
"""Seconds that the warehouse may take to hear of a parcel."""


class BareSorter(FakeDevice):
    """Packs each job as soon as it is given one, and shows every step of it.

    Args:
        name: `sorter-1`.
        connector: to the broker.
        site: of the store.
        settings: of the connection, and when is asked again.
    """

    def __init__(
        self, name: str, connector: Connector, site: str, settings: RuntimeSettings
    ) -> None:
        super().__init__(name, connector, site, settings, {PICK: self._pick, ABORT: self._abort})
        self._jobs: dict[tuple[str, int], asyncio.Task[None]] = {}

    def _pick(self, request: Request[Pick]) -> Model:
        pick = request.data
        key = pick.job, pick.assignment
        if key not in self._jobs:
            job = domain.accept(pick, None, 0, None, self.environment.now())
            assert job is not None, "nothing else is under way"
            packing = asyncio.create_task(self._pack(job), name=f"{self.name}/{pick.job}")
            self._jobs[key] = packing
            packing.add_done_callback(lambda _: self._jobs.pop(key, None))
        return PickReply(job=pick.job, accepted=True)

    def _abort(self, request: Request[Abort]) -> Model:
        """Nothing has left its location until the warehouse has heard that it is packed."""
        packing = self._jobs.pop((request.data.job, request.data.assignment), None)
        if packing is not None:
            packing.cancel()
        return Aborted(job=request.data.job, taken=[])

    async def _pack(self, job: domain.AssignedJob) -> None:
        self.publisher.state(JOB_STATE, job.state())
        while job.step != "done":
            job = domain.advance(job, self.environment.now(), f"p-{job.id}")
            self.publisher.state(JOB_STATE, job.state())
        await self.ask(PACKED, "warehouse", domain.report(job), _PATIENCE)
        if len(self._jobs) == 1:
            idle = JobState(step="idle", since=rfc3339(self.environment.now()))
            self.publisher.state(JOB_STATE, idle)
