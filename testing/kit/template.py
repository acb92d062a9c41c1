"""Templates: texts with variables such as `${order}` or `${MUG.price}`, whose values are filled in.

A text that is only a variable becomes its value, with its type; within a text a value is written as
text. A path goes through objects with dots, and through lists with `.0` or `[0]`. A reply template
takes its values from the request that it answers: `${request.data.order}`, `${request.id}`. In
version 0.1 that was written `{{data.order}}` and `{{id}}`, which is still read.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bus.contract.errors import InvalidField, StorebusError
from bus.text.safe import short

REQUEST = "request"
"""The variable of a reply template that holds the request: its `id`, `data` and so on."""
OLD_REPLY_SYNTAX = (
    "{{data.order}} is now written ${request.data.order}; the next version will not read the old"
    " form."
)
_VARIABLE = re.compile(r"\$\{([^{}]*)\}")
_OF_REQUEST = re.compile(r"\$\{\s*request\.([^{}]+?)\s*\}|\{\{\s*([^{}]+?)\s*\}\}")


class UnknownVariableError(StorebusError):
    """A scenario uses a variable that is not set."""


class CompositeVariable:
    """A variable with a value and parts: `${MUG}` and `${MUG.price}`."""

    def __init__(self, value: Any, parts: Mapping[str, Any]) -> None:
        self.value, self.parts = value, parts


def filled(value: Any, variables: Mapping[str, Any]) -> Any:
    """Replace the variables in a value.

    What a reply template takes from the request is left as it is, unless a variable has that name.

    Raises:
        UnknownVariableError: there is no variable of that name.
    """
    if isinstance(value, dict):
        return {filled(name, variables): filled(each, variables) for name, each in value.items()}
    if isinstance(value, list):
        return [filled(each, variables) for each in value]
    if not isinstance(value, str):
        return value
    whole = _VARIABLE.fullmatch(value)
    if whole:
        return _found(whole, variables)
    return _VARIABLE.sub(lambda use: str(_found(use, variables)), value)


def used(value: Any) -> Iterator[str]:
    """The names of the variables that a value uses."""
    yield from (
        use.partition(".")[0].strip() for text in _texts(value) for use in _VARIABLE.findall(text)
    )


def filled_from_request(template: Any, request: Any) -> Any:
    """Replace what a reply template takes from the request.

    Args:
        template: JSON.
        request: the document of the request: `id`, `data` and what else it has.

    Raises:
        InvalidField: the request does not have what the template names.
    """
    if isinstance(template, dict):
        return {name: filled_from_request(value, request) for name, value in template.items()}
    if isinstance(template, list):
        return [filled_from_request(value, request) for value in template]
    if not isinstance(template, str):
        return template
    whole = _OF_REQUEST.fullmatch(template)
    if whole:
        return _of_request(whole, request)
    return _OF_REQUEST.sub(lambda use: str(_of_request(use, request)), template)


def has_old_syntax(template: Any) -> bool:
    """Whether a reply template uses the syntax of version 0.1."""
    return any(use[1] for text in _texts(template) for use in _OF_REQUEST.findall(text))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _texts(name)
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, str):
        yield value


def _found(use: re.Match[str], variables: Mapping[str, Any]) -> Any:
    first, *rest = _segments(use[1])
    if first == REQUEST and rest and first not in variables:
        return use[0]
    if first not in variables:
        known = ", ".join(sorted(variables)) or "none"
        raise UnknownVariableError(f"There is no variable {short(first, 60)}, but {known}.")
    value = variables[first]
    for segment in rest:
        try:
            value = _step(value, segment)
        except LookupError:
            raise UnknownVariableError(f"{short(first, 60)} has no {short(segment, 60)}.") from None
    return value.value if isinstance(value, CompositeVariable) else value


def _of_request(use: re.Match[str], request: Any) -> Any:
    path = use[1] or use[2]
    value = request
    try:
        for segment in _segments(path):
            value = _step(value, segment)
    except LookupError:
        raise InvalidField(
            f"The request has no {short(path, 60)}.", field=short(path, 60)
        ) from None
    return value


def _segments(path: str) -> list[str]:
    return [part.strip() for part in re.sub(r"\[([0-9]+)\]", r".\1", path).split(".")]


def _step(value: Any, segment: str) -> Any:
    """The part of a value that a segment of a path names.

    Raises:
        LookupError: it has no such part.
    """
    if isinstance(value, CompositeVariable):
        value = value.parts
    if isinstance(value, Mapping):
        return value[segment]
    if isinstance(value, list) and re.fullmatch("[0-9]{1,6}", segment):
        return value[int(segment)]
    raise LookupError
