"""The files under docs/contract: what they hold, how they are written, what is stale."""

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
    """YAML for people to read: in the order of the document, nothing shared by reference."""
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
    """Every file that is generated, by its path below the folder; not to be changed."""
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
    """Write all files, take away schemas of what is no more; how many there are.

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
    """The files that are missing, not as they would be written, or of something that is no more."""
    wanted = files()
    there = {f"schemas/{path.name}" for path in (folder / "schemas").glob("*.json")}
    differ = [
        path
        for path, text in wanted.items()
        if not (folder / path).is_file() or (folder / path).read_text(encoding="utf-8") != text
    ]
    return sorted({*differ, *(there - wanted.keys())})


def broken(folder: Path) -> list[str]:
    """What breaks devices of the released contract, as sentences; none if none is released."""
    path = folder / RELEASED
    if not path.is_file():
        return []
    try:
        return incompatible(json.loads(path.read_text(encoding="utf-8")), snapshot())
    except (OSError, ValueError, KeyError) as error:
        raise ConfigurationError(f"{path} is not a released contract.") from error


def require_compatible(folder: Path) -> None:
    """Return if devices of the released contract can speak the present one.

    Raises:
        ConfigurationError: they cannot; says why, and what to do.
    """
    changes = broken(folder)
    if changes:
        raise ConfigurationError("\n".join([*changes, hint(CONTRACT_VERSION)]))


def release(folder: Path) -> Path:
    """Make the present contract the one that later ones are held against.

    Raises:
        ConfigurationError: it breaks devices of the one that is released.
    """
    require_compatible(folder)
    path = folder / RELEASED
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(as_json(snapshot()), encoding="utf-8")
    return path
