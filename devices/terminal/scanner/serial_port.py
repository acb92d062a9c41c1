"""A scanner at a serial port, or at USB in serial mode (CDC ACM)."""

from collections.abc import AsyncGenerator
from typing import Any

from bus.contract.errors import ConfigurationError
from devices.terminal.scanner.lines import lines_of

BAUD_RATE = 9600
"""The default of most scanners; for USB it makes no difference."""


def serial_scanner(port: str, baud_rate: int = BAUD_RATE) -> AsyncGenerator[str, None]:
    """The codes that a serial scanner sends, until it is unplugged.

    Raises:
        ConfigurationError: there is no such port, another program has it, or pyserial is missing.
    """
    try:
        import serial  # noqa: PLC0415 - optional
    except ImportError as error:
        raise ConfigurationError(
            "A serial scanner needs the package pyserial: pip install 'storebus[serial]'."
        ) from error
    try:
        opened = serial.Serial(port, baud_rate, timeout=0, exclusive=True)
    except (serial.SerialException, OSError, ValueError) as error:
        raise ConfigurationError(f"There is no serial scanner at {port}: {error}.") from error
    return _codes(opened)


async def _codes(opened: Any) -> AsyncGenerator[str, None]:
    with opened:
        async for code in lines_of(opened.fileno()):
            yield code
