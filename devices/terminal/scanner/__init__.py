"""Where codes come from: pictures, and scanners that give one code after the other.

Each source is a function that gives an async iterator of codes and ends when its device is gone;
what is missing for it (a device, a package) is one sentence. None knows what a code means.
"""

from collections.abc import AsyncGenerator

from devices.terminal.scanner.camera import camera as camera_scanner
from devices.terminal.scanner.input_device import evdev_scanner
from devices.terminal.scanner.picture import SeveralCodes, code_from, read_codes, read_image
from devices.terminal.scanner.serial_port import serial_scanner
from devices.terminal.scanner.wedge import wedge

__all__ = ["SeveralCodes", "code_from", "read_codes", "read_image", "scanner"]


def scanner(
    *, serial: str | None = None, evdev: str | None = None, camera: str | None = None
) -> AsyncGenerator[str, None]:
    """The codes of the scanner that is named; of one that types, if none is."""
    if serial is not None:
        return serial_scanner(serial)
    if evdev is not None:
        return evdev_scanner(evdev)
    return wedge() if camera is None else camera_scanner(camera)
