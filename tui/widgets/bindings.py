"""Translates the descriptions of keys."""

from collections.abc import Callable
from dataclasses import replace

from textual.binding import BindingsMap


def translated(bindings: BindingsMap, say: Callable[[str], str]) -> BindingsMap:
    """The same bindings, with translated descriptions."""
    mine = bindings.copy()
    for key, several in mine.key_to_bindings.items():
        mine.key_to_bindings[key] = [
            replace(binding, description=say(binding.description) if binding.description else "")
            for binding in several
        ]
    return mine
