"""The floor plan of the stockroom: aisles, pickup points, and where each sorter is."""

from dataclasses import dataclass
from typing import Literal

from bus.history.message import Message, body
from tui.model.nodes import NodeView

POINTS = 100
AISLES = 200
_AT_AISLE = frozenset({"assigned", "travelling", "picking", "short"})


@dataclass(frozen=True, slots=True)
class SorterPosition:
    """Where a sorter is."""

    where: Literal["idle", "aisle", "way", "point", "unknown"]
    """At an aisle, between it and the pickup point, or at the pickup point."""
    aisle: str | None = None
    point: str | None = None


class FloorPlan:
    """The aisles of known locations, and the pickup points."""

    def __init__(self) -> None:
        self.points: dict[str, str] = {}
        """Names by id."""
        self.default: str | None = None
        self._aisles: set[str] = set()

    @property
    def aisles(self) -> list[str]:
        """The aisles in alphabetical order."""
        return sorted(self._aisles)

    def hear(self, message: Message) -> None:
        """Take a message: locations are in picks and answers, pickup points in a state."""
        if message.name not in _TELLING or message.code is not None:
            return
        data = body(message)
        if data is None:
            return
        if message.name == "pickup-points" and message.sender == "warehouse":
            listed = data.get("points")
            self.points = {
                each["id"]: str(each.get("name", ""))
                for each in (listed[:POINTS] if isinstance(listed, list) else ())
                if isinstance(each, dict) and isinstance(each.get("id"), str)
            }
            default = data.get("default")
            self.default = default if isinstance(default, str) else None
            return
        for name in ("picks", "bins"):
            listed = data.get(name)
            for each in listed if isinstance(listed, list) else ():
                self._place(each.get("location") if isinstance(each, dict) else None)
        self._place(data.get("location"))

    def _place(self, location: object) -> None:
        if isinstance(location, str) and len(self._aisles) < AISLES:
            self._aisles.add(aisle(location))


_TELLING = frozenset({"pickup-points", "pick", "short-pick", "locate", "receive"})


def aisle(location: str) -> str:
    """The aisle of a location such as `A-03-2`."""
    return location.partition("-")[0]


def position(sorter: NodeView) -> SorterPosition:
    """The position of a sorter, by the step and the picks of its job."""
    job = sorter.job
    if job is None or job.step in ("idle", "done", "aborted"):
        return SorterPosition("idle")
    here = aisle(sorter.route[job.pick]) if job.pick < len(sorter.route) else None
    if job.step in _AT_AISLE:
        return SorterPosition("aisle" if here else "unknown", here, sorter.point)
    if job.step == "conveying":
        return SorterPosition("way" if here else "unknown", here, sorter.point)
    return SorterPosition("point" if sorter.point else "unknown", None, sorter.point)
