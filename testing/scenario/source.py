"""A YAML file as plain data, with the line of each part.

Only JSON's notations for scalars are numbers, booleans and null: the digits of a label, a time and
the word `no` stay text.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from bus.contract.errors import ConfigurationError
from bus.text.safe import short, visible

DocumentPath = tuple[str | int, ...]
"""The path to a part: names of fields, and indexes of lists."""

_DEEPEST = 40
_MOST = 100_000
"""The most parts of a file, with all its aliases expanded."""


class _Loader(yaml.SafeLoader):
    """Reads unquoted scalars as JSON does."""


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"true|false", "tf"),
    ("null", r"null|~|", ["n", "~", ""]),
    ("int", r"-?(?:0|[1-9][0-9]*)", "-0123456789"),
    ("float", r"-?(?:0|[1-9][0-9]*)\.[0-9]+", "-0123456789"),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), list(_first)
    )


@dataclass(slots=True)
class Source:
    """The content of a file."""

    path: Path
    data: Any = None
    lines: dict[DocumentPath, int] = field(default_factory=dict)

    def line(self, place: DocumentPath) -> int:
        """The line of a part, or of the nearest part around it."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)

    def error(self, line: int, why: str) -> ConfigurationError:
        """An error at a line of this file."""
        return ConfigurationError(f"{visible(str(self.path))}:{line}: {visible(why)}")


def read_source(path: Path) -> Source:
    """Read a file.

    Raises:
        ConfigurationError: it cannot be read or is not YAML; says at which line.
    """
    source = Source(path)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise ConfigurationError(f"{path} is not UTF-8 text.") from error
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise source.error(line, f"is not YAML: {error.problem}.") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise source.error(1, f"is not YAML: {short(str(error), 200)}") from error
    if root is None:
        raise source.error(1, "is empty.")
    _Building(source, loader).build(root)
    return source


class _Building:
    """Turns the nodes of a file into data, and notes their lines."""

    def __init__(self, source: Source, loader: _Loader) -> None:
        self._source, self._loader, self._left = source, loader, _MOST

    def build(self, root: yaml.Node) -> None:
        self._source.data = self._built(root, ())

    def _built(self, node: yaml.Node, place: DocumentPath) -> Any:
        line = node.start_mark.line + 1
        self._source.lines.setdefault(place, line)
        self._left -= 1
        if len(place) > _DEEPEST or self._left < 0:
            raise self._source.error(line, "is too deep or too large.")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, place)
        if isinstance(node, yaml.SequenceNode):
            return [self._built(each, (*place, at)) for at, each in enumerate(node.value)]
        try:
            return self._loader.construct_object(node)
        except (yaml.MarkedYAMLError, ValueError) as error:
            raise self._source.error(line, f"{node.tag} cannot be read here.") from error

    def _mapping(self, node: yaml.MappingNode, place: DocumentPath) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise self._source.error(line, "the name of a field is to be text.")
            name = str(key.value)
            if name in found:
                raise self._source.error(line, f"{short(name, 60)} is given twice.")
            self._source.lines[*place, name] = line
            found[name] = self._built(value, (*place, name))
        return found
