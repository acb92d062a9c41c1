"""A camera that looks at labels: each is read once, as long as it is held there."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import suppress
from typing import Any

from PIL import Image

from bus.errors import ConfigurationError
from devices.terminal.scanner.picture import products_of, read_codes

_GONE = 15
"""Frames without a code after which the same one counts as held there again: half a second."""


async def camera(device: str) -> AsyncGenerator[str, None]:
    """The codes that a camera of Linux sees (or a video file), until it ends.

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
    last, gone = "", 0
    with opened:
        frames = (frame.to_image() for frame in opened.decode(video=0))
        while (seen := await asyncio.to_thread(_next_codes, frames)) is not None:
            code = _product(seen)
            gone = gone + 1 if code is None else 0
            if gone > _GONE:
                last = ""
            if code is not None and code != last:
                last = code
                yield code


def _product(seen: list[str]) -> str | None:
    """Of two labels in view neither is meant."""
    products = products_of(seen)
    return products[0] if len(products) == 1 else None


def _next_codes(frames: Iterator[Image.Image]) -> list[str] | None:
    with suppress(StopIteration, OSError):  # an unplugged camera ends like a file
        return read_codes(next(frames).convert("L"))
    return None
