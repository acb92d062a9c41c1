"""What is wrong with a value, in words for people instead of pydantic's for programmers."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from bus.contract.errors import Problem
from bus.contract.values import NAME_PATTERN, NOT_BLANK

_PROBLEM = "problem"
"""Where a validator's error holds its problem."""
_WRITTEN = {
    r"^[a-z0-9][a-z0-9-]{0,63}$": "small letters, digits and hyphens, such as oxford-shirt",
    rf"^{NAME_PATTERN}$": "small letters, digits and hyphens, such as north-door",
    r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,47}$": "letters, digits and . _ / -, such as OXF-BLU-M",
    r"^[A-Z0-9][A-Z0-9-]{0,23}$": "capital letters, digits and hyphens, such as A-03-2",
    r"^[A-Z]-[0-9]{1,11}$": "a capital letter, a hyphen and digits, such as C-1001",
    r"^[A-Z]{3}$": "three capital letters, such as EUR",
    r"^[0-9]{6}$": "six digits",
    r"^\d{14}$": "14 digits",
}
"""By the pattern, how a name is written."""
_SENTENCES = {
    "missing": "it is missing",
    "extra_forbidden": "there is nothing of that name",
    "string_type": "it must be a text",
    "string_too_long": "it has more than {max_length} characters",
    "greater_than_equal": "it must be at least {ge}",
    "greater_than": "it must be more than {gt}",
    "less_than_equal": "it must be at most {le}",
    "less_than": "it must be less than {lt}",
    "too_short": "it must have at least {min_length}",
    "too_long": "it must have at most {max_length}",
    "int_type": "it must be a whole number",
    "int_from_float": "it must be a whole number",
    "int_parsing": "it must be a whole number",
    "float_type": "it must be a number",
    "bool_type": "it must be true or false",
    "list_type": "it must be a list",
    "tuple_type": "it must be a list",
    "dict_type": "it must have names with values",
    "model_type": "it must have names with values",
    "literal_error": "it must be {expected}",
}
"""By pydantic's name of an error."""


def what_is_wrong(fault: Mapping[str, Any]) -> str:
    """One of a `ValidationError`'s errors, without the value itself, which may be secret.

    Returns:
        Such as `it must be at least 1`, without a full stop.
    """
    kind, context = fault["type"], fault.get("ctx", {})
    if kind == "string_too_short":
        least = context["min_length"]
        return "it must not be empty" if least == 1 else f"it must have {least} characters or more"
    if kind == "string_pattern_mismatch" and context["pattern"] == NOT_BLANK:
        return "it must not be empty"
    if kind == "string_pattern_mismatch":
        written = _WRITTEN.get(context["pattern"])
        return f"it is not written with {written}" if written else "it is not written as it must be"
    if kind in _SENTENCES:
        return _SENTENCES[kind].format(**context)
    return str(fault["msg"]).removeprefix("Value error, ")


def invalid_as(problem: Problem, wording: str) -> PydanticCustomError:
    """What a model's validator raises so that a message is refused with a problem of its own.

    Args:
        problem: the refusal.
        wording: what is wrong, as pydantic words it.
    """
    return PydanticCustomError("problem", "{wording}", {"wording": wording, _PROBLEM: problem})


def problem_of(error: ValidationError) -> Problem | None:
    """The problem with which a validator wants the message refused, if one does."""
    found = (fault.get("ctx", {}).get(_PROBLEM) for fault in error.errors(include_input=False))
    return next((each for each in found if isinstance(each, Problem)), None)
