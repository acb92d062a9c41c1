"""Options for reading a file, and the question to ask if it is ambiguous."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from shlex import quote
from typing import Any, Literal

from bus.contract.errors import ConfigurationError
from store.shop.mapping import Mapping

Decimal = Literal["point", "comma"]
TaxUnit = Literal["percent", "basis-points", "fraction"]


@dataclass(frozen=True, slots=True)
class ReadingOptions:
    """What the user has decided; what is None is detected from the file."""

    encoding: str | None = None
    """As Python names it."""
    delimiter: str | None = None
    """One character."""
    decimal: Decimal | None = None
    """The decimal mark: point or comma."""
    tax: TaxUnit | None = None
    """The unit of tax rates such as `19` and `0.19`."""
    mapping: Mapping | None = None
    """Which of another program's columns are which of ours."""

    def with_option(self, option: str, value: str) -> "ReadingOptions":
        """Return a copy with one option set, from the value that a user writes.

        Raises:
            ConfigurationError: there is no such value.
        """
        if option == "delimiter":
            value = {name: sign for sign, name in DELIMITERS.items()}.get(value, value)
            if len(value) != 1 or value in '"\r\n':
                raise ConfigurationError(f"--delimiter is one of {', '.join(DELIMITERS.values())}.")
        elif option in _VALUES and value not in _VALUES[option]:
            raise ConfigurationError(f"--{option} is one of {', '.join(_VALUES[option])}.")
        decision: dict[str, Any] = {option: value}
        return replace(self, **decision)


DETECT = ReadingOptions()
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_VALUES = {"decimal": ("point", "comma"), "tax": ("percent", "basis-points", "fraction")}


class AmbiguousFile(ConfigurationError):  # noqa: N818 - it is a question as much as an error
    """A file can be read in more than one way, and only a person knows which is meant.

    Args:
        file: the file.
        question: what is ambiguous.
        option: the option that decides, such as `decimal`.
        readings: its values, and what each would mean.
    """

    def __init__(
        self, file: Path, question: str, option: str, readings: Sequence[tuple[str, str]]
    ) -> None:
        ways = "; ".join(f"--{option} {quote(value)}: {shown}" for value, shown in readings)
        super().__init__(f"{file}: {question} Nothing was imported. Say what is meant: {ways}.")
        self.file = file
        self.question = question
        self.option = option
        self.readings = tuple(readings)
