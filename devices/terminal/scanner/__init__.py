"""Where codes come from: pictures, and scanners that give one code after the other.

Each source is a function that gives an async iterator and ends when its device is gone; what is
missing for it (a device, a package) is one sentence. None knows what a code means.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from devices.terminal.scanner.camera import camera as camera_scanner
from devices.terminal.scanner.input_device import evdev_scanner
from devices.terminal.scanner.serial_port import serial_scanner
from devices.terminal.scanner.wedge import wedge
from labels.symbols import Sight, codes_from, read_codes, read_image

__all__ = ["Sight", "codes_from", "read_codes", "read_image", "scanner"]


def scanner(
    *, serial: str | None = None, evdev: str | None = None, camera: str | None = None
) -> AsyncGenerator[Sight, None]:
    """What the scanner that is named sees; the one that types, if none is."""
    if camera is not None:
        return camera_scanner(camera)
    if serial is not None:
        return _one_by_one(serial_scanner(serial))
    return _one_by_one(wedge() if evdev is None else evdev_scanner(evdev))


async def _one_by_one(codes: AsyncGenerator[str, None]) -> AsyncGenerator[Sight, None]:
    """A scanner with a trigger: each code is seen alone, and then is gone."""
    async with aclosing(codes):
        async for code in codes:
            yield (code,)
            yield ()
