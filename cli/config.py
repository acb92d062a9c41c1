"""`storebus config`: every setting, its value, where to set it, and its meaning."""

import json
from typing import Any

from pydantic import BaseModel
from rich.text import Text

from bus.text.console import output
from cli import options
from schema.docstrings import field_docstrings
from store.settings import FILE, read_settings


def config(as_json: options.AsJson = False) -> None:
    """Show all settings: the defaults, overridden by storebus.toml and STOREBUS_* variables.

    Example: STOREBUS_BROKER__PORT=1884 storebus config
    """
    settings = read_settings()
    if as_json:
        output.print_json(json.dumps(settings.model_dump(mode="json"), default=str))
        return
    output.print(f"Set in {FILE}, or as STOREBUS_NAME (STOREBUS_BROKER__PORT for broker.port):")
    for name, value, meaning in describe(settings):
        output.print(Text.assemble((name, "bold"), f" = {value!r}"), soft_wrap=True)
        output.print(f"    {meaning}", soft_wrap=True, markup=False)


def describe(settings: BaseModel, prefix: str = "") -> list[tuple[str, Any, str]]:
    """Return each setting's name, value and meaning."""
    described: list[tuple[str, Any, str]] = []
    meanings = field_docstrings(type(settings))
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, BaseModel):
            described += describe(value, f"{prefix}{name}.")
        else:
            described.append((prefix + name, value, meanings.get(name, "")))
    return described
