"""Replies with gaps that a request fills: `{"order": "{{data.order}}", "for": "{{id}}"}`."""

import re
from typing import Any

from bus.contract.errors import InvalidField
from bus.text.safe import short

_GAP = re.compile(r"\{\{\s*([^{}]+?)\s*\}\}")


def filled(template: Any, request: Any) -> Any:
    """A template with its gaps filled.

    A text that is nothing but a gap becomes the value with its type; within a text, a value is
    written as text.

    Args:
        template: JSON.
        request: the document of the request: `id`, `data` and what else it has.

    Raises:
        InvalidField: the request has not what a gap names.
    """
    if isinstance(template, dict):
        return {name: filled(value, request) for name, value in template.items()}
    if isinstance(template, list):
        return [filled(value, request) for value in template]
    if not isinstance(template, str):
        return template
    whole = _GAP.fullmatch(template)
    if whole:
        return _named(whole[1], request)
    return _GAP.sub(lambda gap: str(_named(gap[1], request)), template)


def _named(path: str, request: Any) -> Any:
    value = request
    for part in re.sub(r"\[([0-9]+)\]", r".\1", path).split("."):
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif (
            isinstance(value, list) and re.fullmatch("[0-9]{1,6}", part) and int(part) < len(value)
        ):
            value = value[int(part)]
        else:
            raise InvalidField(f"The request has no {short(path, 60)}.", field=short(path, 60))
    return value
