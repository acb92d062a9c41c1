"""Machines that a sorter drives, behind one interface."""

from devices.sorter.drivers.movement import (
    Driver,
    MachineFault,
    Movement,
    Reading,
    Report,
    ReportingDriver,
)
from devices.sorter.drivers.simulated import SimulatedConveyor

__all__ = [
    "Driver", "MachineFault", "Movement", "Reading", "Report", "ReportingDriver",
    "SimulatedConveyor",
]  # fmt: skip
