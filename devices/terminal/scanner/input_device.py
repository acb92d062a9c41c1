"""A scanner as a Linux input device, grabbed so that it does not type into other windows."""

from collections.abc import AsyncGenerator
from string import ascii_lowercase

from bus.contract.errors import ConfigurationError

_SHIFTS = frozenset({"KEY_LEFTSHIFT", "KEY_RIGHTSHIFT"})
_CONTROLS = frozenset({"KEY_LEFTCTRL", "KEY_RIGHTCTRL"})
_ENDS = frozenset({"KEY_ENTER", "KEY_KPENTER", "KEY_TAB"})
_PAIRS = {
    **{f"KEY_{letter.upper()}": (letter, letter.upper()) for letter in ascii_lowercase},
    **{f"KEY_{digit}": (digit, ")!@#$%^&*("[int(digit)]) for digit in "0123456789"},
    **{f"KEY_KP{digit}": (digit, digit) for digit in "0123456789"},
    "KEY_MINUS": ("-", "_"), "KEY_EQUAL": ("=", "+"), "KEY_LEFTBRACE": ("[", "{"),
    "KEY_RIGHTBRACE": ("]", "}"), "KEY_SEMICOLON": (";", ":"), "KEY_APOSTROPHE": ("'", '"'),
    "KEY_GRAVE": ("`", "~"), "KEY_BACKSLASH": ("\\", "|"), "KEY_COMMA": (",", "<"),
    "KEY_DOT": (".", ">"), "KEY_SLASH": ("/", "?"), "KEY_SPACE": (" ", " "),
    "KEY_KPMINUS": ("-", "-"), "KEY_KPPLUS": ("+", "+"), "KEY_KPDOT": (".", "."),
    "KEY_KPSLASH": ("/", "/"), "KEY_KPASTERISK": ("*", "*"),
}  # fmt: skip
"""By key, its characters without and with shift, on the US keyboard that scanners emulate."""
_LONGEST = 2048


class KeyDecoder:
    """Decodes key events into codes."""

    def __init__(self) -> None:
        self._held: set[str] = set()
        self._code: list[str] = []

    def press(self, key: str, *, down: bool) -> str | None:
        """Take a key by its Linux name; returns the code that it completes, if any."""
        if key in _SHIFTS | _CONTROLS:
            (self._held.add if down else self._held.discard)(key)
        elif down and key in _ENDS:
            code, self._code = "".join(self._code).strip(), []
            return code if 0 < len(code) <= _LONGEST else None
        elif down and key == "KEY_RIGHTBRACE" and self._held & _CONTROLS:
            self._code.append("\x1d")  # GS1's separator is typed as Ctrl and ]
        elif down and key in _PAIRS and len(self._code) <= _LONGEST:
            self._code.append(_PAIRS[key][bool(self._held & _SHIFTS)])
        return None


async def evdev_scanner(path: str) -> AsyncGenerator[str, None]:
    """The codes of a scanner at `/dev/input/...`, until it is unplugged.

    Raises:
        ConfigurationError: there is no such device, it is another's, or evdev is missing.
    """
    try:
        import evdev  # noqa: PLC0415 - optional: it is compiled where it is installed
    except ImportError as error:
        raise ConfigurationError(
            "An input device needs the package evdev: pip install 'storebus[evdev]'."
        ) from error
    try:
        device = evdev.InputDevice(path)
        device.grab()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigurationError(f"There is no scanner at {path}: {reason}.") from error
    keys = KeyDecoder()
    try:
        async for event in device.async_read_loop():
            if event.type == evdev.ecodes.EV_KEY and event.value in {0, 1}:
                names = evdev.ecodes.KEY.get(event.code, "")
                name = names if isinstance(names, str) else names[0]
                code = keys.press(name, down=event.value == 1)
                if code is not None:
                    yield code
    except OSError:
        return  # unplugged
    finally:
        device.close()
