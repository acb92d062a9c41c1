"""A camera that reads labels, and tells when it sees other codes than before."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import suppress
from typing import Any

from PIL import Image

from bus.contract.errors import ConfigurationError
from labels.symbols import Sight, read_codes

_GONE = 15
"""Frames without a code after which a label counts as gone: half a second."""


async def camera(device: str) -> AsyncGenerator[Sight, None]:
    """The codes that a Linux camera or a video file shows, whenever they change, until it ends.

    Raises:
        ConfigurationError: there is no such camera, or av is missing.
    """
    try:
        import av  # noqa: PLC0415 - optional: it is large
    except ImportError as error:
        raise ConfigurationError(
            "A camera needs the package av: pip install 'storebus[camera]'."
        ) from error
    try:
        opened: Any = av.open(device, format="v4l2" if device.startswith("/dev/") else None)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigurationError(f"There is no camera at {device}: {reason}.") from error
    last: Sight = ()
    gone = 0
    with opened:
        frames = (frame.to_image() for frame in opened.decode(video=0))
        while (seen := await asyncio.to_thread(_next_codes, frames)) is not None:
            gone = 0 if seen else gone + 1
            now = last if 0 < gone <= _GONE else tuple(sorted(seen))
            if now != last:
                last = now
                yield now


def _next_codes(frames: Iterator[Image.Image]) -> Sight | None:
    with suppress(StopIteration, OSError):  # an unplugged camera ends like a file
        return read_codes(next(frames).convert("L"))
    return None
