"""The files under docs/contract: their content, how they are written, and which are stale."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from bus.contract import CHANNELS
from bus.contract.cloudevent import CloudEvent
from bus.contract.errors import ConfigurationError
from bus.contract.problem import ProblemData
from bus.contract.topics import CONTRACT_VERSION
from schema.compatibility import hint, incompatible
from schema.document import document
from schema.messages import messages_of
from schema.page import page
from schema.schemas import data_schema
from schema.snapshot import snapshot

RELEASED = f"released/{CONTRACT_VERSION}.json"
_WIDTH = 100


def as_json(content: Any) -> str:
    """JSON for people to read."""
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def as_yaml(content: Any) -> str:
    """YAML for people to read: in the document's order, without aliases."""
    return yaml.dump(content, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=_WIDTH)


class _Plain(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - each stands for itself
        return True

    def lines(self, text: str) -> yaml.ScalarNode:
        style = "|" if "\n" in text else None
        return self.represent_scalar("tag:yaml.org,2002:str", text, style)


_Plain.add_representer(str, _Plain.lines)


@cache
def files() -> dict[str, str]:
    """Return every generated file by its path in the folder; callers must not modify the result."""
    described = document()
    schemas = {
        f"schemas/{message.name}.json": data_schema(message.model)
        for channel in CHANNELS
        for message in messages_of(channel)
    }
    schemas["schemas/envelope.json"] = data_schema(CloudEvent)
    schemas["schemas/problem.json"] = data_schema(ProblemData)
    return {
        "asyncapi.yaml": as_yaml(described),
        "asyncapi.json": as_json(described),
        "contract.md": page(),
        **{path: as_json(schema) for path, schema in schemas.items()},
    }


def write(folder: Path) -> int:
    """Write all files and delete schemas of messages that no longer exist; return their number.

    Raises:
        ConfigurationError: the folder cannot be written.
    """
    wanted = files()
    try:
        for path, text in wanted.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
        for path in stale(folder):
            (folder / path).unlink()
    except OSError as error:
        raise ConfigurationError(f"Cannot write into {folder}: {error.strerror}.") from error
    return len(wanted)


def stale(folder: Path) -> list[str]:
    """Return the files that are missing, differ from what would be written, or are obsolete."""
    wanted = files()
    there = {f"schemas/{path.name}" for path in (folder / "schemas").glob("*.json")}
    differ = [
        path
        for path, text in wanted.items()
        if not (folder / path).is_file() or (folder / path).read_text(encoding="utf-8") != text
    ]
    return sorted({*differ, *(there - wanted.keys())})


def broken(folder: Path) -> list[str]:
    """Return what breaks devices of the released contract, as sentences; empty if there is none."""
    path = folder / RELEASED
    if not path.is_file():
        return []
    try:
        return incompatible(json.loads(path.read_text(encoding="utf-8")), snapshot())
    except (OSError, ValueError, KeyError) as error:
        raise ConfigurationError(f"{path} is not a released contract.") from error


def require_compatible(folder: Path) -> None:
    """Return if devices of the released contract can use the present one.

    Raises:
        ConfigurationError: they cannot; it says why and what to do.
    """
    changes = broken(folder)
    if changes:
        raise ConfigurationError("\n".join([*changes, hint(CONTRACT_VERSION)]))


def release(folder: Path) -> Path:
    """Make the present contract the released one, with which later ones are compared.

    Raises:
        ConfigurationError: it breaks devices of the contract that is released now.
    """
    require_compatible(folder)
    path = folder / RELEASED
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(as_json(snapshot()), encoding="utf-8")
    return path
