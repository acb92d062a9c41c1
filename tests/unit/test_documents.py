"""What documents and settings name is there: files, folders, and what files define."""

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from bus.contract.refusals import problems

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs" / "adr").glob("*.md")),
]
ROOMS = sorted(each.name for each in ROOT.iterdir() if (each / "__init__.py").exists())
_IN_TICKS = re.compile(r"`([^`\n]+)`")
_PATH = re.compile(rf"(?:{'|'.join((*ROOMS, 'tests', 'docs', 'examples'))})/[\w./-]*")
_DOTTED = re.compile(rf"(?:{'|'.join(ROOMS)})(?:\.[a-z_]+)+(?:\.[A-Z]\w+)?(?:\.\w+)?")
_ROW = re.compile(r"^\|.*\| `([\w/]+\.py)` \| (`[^|]+`) \|", re.MULTILINE)
"""A file and, in the next column, what it defines."""


def _named(document: Path) -> Iterator[str]:
    """Paths and modules in backticks; `bus.runtime.node.Node` is one of a module."""
    text = document.read_text(encoding="utf-8")
    for each in _IN_TICKS.findall(text) if document.suffix == ".md" else _docstrings(text):
        if _PATH.fullmatch(each):
            yield each
        elif _DOTTED.fullmatch(each):
            parts = [part for part in each.split(".") if part[0].islower()]
            while parts and not (ROOT / "/".join(parts)).is_dir():
                if (ROOT / "/".join(parts)).with_suffix(".py").exists():
                    break
                parts.pop()
            yield "/".join(parts) + ("" if (ROOT / "/".join(parts)).is_dir() else ".py")


def _docstrings(code: str) -> Iterator[str]:
    """What stands in backticks in the texts of a module."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from _IN_TICKS.findall(node.value)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_the_files_that_a_document_names_are_there(document: Path) -> None:
    missing = [each for each in _named(document) if not (ROOT / each.rstrip("/")).exists()]
    assert not missing, f"{document.name} names what has moved or gone"


def test_the_files_that_docstrings_name_are_there() -> None:
    code = [file for room in (*ROOMS, "tests") for file in (ROOT / room).rglob("*.py")]
    missing = [
        f"{file.relative_to(ROOT)}: {each}"
        for file in code
        for each in _named(file)
        if not (ROOT / each.rstrip("/")).exists()
    ]
    assert not missing, "docstrings name what has moved or gone"


@cache
def _defined(file: Path) -> set[str]:
    """Functions, classes with their methods, and constants of a module."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            found |= {
                f"{node.name}.{each.name}"
                for each in node.body
                if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
            }
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = (each for target in targets for each in ast.walk(target))
            found |= {each.id for each in names if isinstance(each, ast.Name)}
    return found


def test_the_steps_of_the_architecture_are_where_it_says() -> None:
    rows = _ROW.findall((ROOT / "docs" / "architecture.md").read_text(encoding="utf-8"))
    assert len(rows) >= 40
    gone = [
        f"{file}: {name}"
        for file, names in rows
        for name in _IN_TICKS.findall(names)
        if name not in _defined(ROOT / file)
    ]
    assert not gone, "docs/architecture.md names what has moved or been renamed"


_REFUSING = ("bus/contract", "bus/runtime", "nodes", "devices/sorter", "devices/terminal")


def _refusals() -> str:
    """A table of each code, and the functions in which nodes refuse with it."""
    known = {each.__name__: each for each in problems()}
    made: dict[tuple[int, str, str], set[str]] = {}
    for file in (file for room in _REFUSING for file in (ROOT / room).rglob("*.py")):
        where = str(file.relative_to(ROOT))
        if where == "bus/contract/errors.py" or "/web/" in where or "/kiosk/" in where:
            continue
        for function in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            for node in ast.walk(function):
                name = getattr(node.func, "id", "") if isinstance(node, ast.Call) else ""
                if name in known:
                    problem = known[name]
                    made.setdefault((problem.status, problem.code, where), set()).add(function.name)
    rows = (
        f"| `{code}` ({status}) | `{file}` | {' '.join(f'`{name}`' for name in sorted(names))} |"
        for (status, code, file), names in sorted(made.items())
    )
    return "\n".join(("| code | file | in it |", "|---|---|---|", *rows))


def test_the_architecture_says_where_each_refusal_is_made() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = _refusals()
    assert table in text, f"docs/architecture.md lacks this table as it is now:\n{table}"


def test_what_mutants_are_made_of_is_there() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    chosen = settings["tool"]["mutmut"]["only_mutate"]
    assert [each for each in chosen if not [*ROOT.glob(each)]] == []
