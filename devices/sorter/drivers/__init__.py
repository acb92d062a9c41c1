"""Machines that a sorter drives, behind one interface."""

from devices.sorter.drivers.movement import (
    DeviceReading,
    Driver,
    MachineFault,
    Movement,
    Report,
    ReportingDriver,
)
from devices.sorter.drivers.simulated import SimulatedConveyor

__all__ = [
    "DeviceReading",
    "Driver",
    "MachineFault",
    "Movement",
    "Report",
    "ReportingDriver",
    "SimulatedConveyor",
]  # fmt: skip
