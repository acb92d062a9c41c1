"""The variables of a scenario: `${order}` or `${MUG.price}` in its texts."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bus.contract.errors import StorebusError
from bus.text.safe import short

_USE = re.compile(r"\$\{([^{}]*)\}")


class UnknownVariableError(StorebusError):
    """A scenario uses a variable that is not set."""


def filled(value: Any, variables: Mapping[str, Any]) -> Any:
    """Replace the variables in a value.

    A text that is only a variable becomes its value, with its type.

    Raises:
        UnknownVariableError: there is no variable of that name.
    """
    if isinstance(value, dict):
        return {filled(name, variables): filled(each, variables) for name, each in value.items()}
    if isinstance(value, list):
        return [filled(each, variables) for each in value]
    if not isinstance(value, str):
        return value
    whole = _USE.fullmatch(value)
    if whole:
        return _found(whole[1], variables)
    return _USE.sub(lambda use: str(_found(use[1], variables)), value)


def used(value: Any) -> Iterator[str]:
    """The names of the variables that a value uses."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield from used(name)
            yield from used(each)
    elif isinstance(value, list):
        for each in value:
            yield from used(each)
    elif isinstance(value, str):
        yield from (use.partition(".")[0].strip() for use in _USE.findall(value))


def _found(path: str, variables: Mapping[str, Any]) -> Any:
    first, *rest = (part.strip() for part in path.split("."))
    if first not in variables:
        known = ", ".join(sorted(variables)) or "none"
        raise UnknownVariableError(f"There is no variable {short(first, 60)}, but {known}.")
    value = variables[first]
    for part in rest:
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        elif isinstance(value, CompositeVariable) and part in value.parts:
            value = value.parts[part]
        else:
            raise UnknownVariableError(f"{short(first, 60)} has no {short(part, 60)}.")
    return value.value if isinstance(value, CompositeVariable) else value


class CompositeVariable:
    """A variable with a value and parts: `${MUG}` and `${MUG.price}`."""

    def __init__(self, value: Any, parts: Mapping[str, Any]) -> None:
        self.value, self.parts = value, parts
