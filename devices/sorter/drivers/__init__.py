"""Machines that a sorter drives, behind one interface."""

from devices.sorter.drivers.movement import Driver, Movement
from devices.sorter.drivers.simulated import SimulatedConveyor

__all__ = ["Driver", "Movement", "SimulatedConveyor"]
