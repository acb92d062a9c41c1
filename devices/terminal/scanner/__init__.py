"""The sources of codes: pictures and scanners.

Each scanner is a function that returns an async iterator, which ends when the device is unplugged.
If a device or a package is missing, it says so in one sentence. None knows what a code means.
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
    """The codes of the named scanner; of the keyboard wedge if none is named."""
    if camera is not None:
        return camera_scanner(camera)
    if serial is not None:
        return _one_by_one(serial_scanner(serial))
    return _one_by_one(wedge() if evdev is None else evdev_scanner(evdev))


async def _one_by_one(codes: AsyncGenerator[str, None]) -> AsyncGenerator[Sight, None]:
    """A scanner with a trigger: each code is seen alone."""
    async with aclosing(codes):
        async for code in codes:
            yield (code,)
            yield ()
