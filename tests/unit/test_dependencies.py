"""What is imported is declared, what is declared is used, and the lock names a version of each."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = [*PROJECT["tool"]["mypy"]["packages"], "benchmarks"]
DECLARED = PROJECT["project"]["dependencies"]
OPTIONAL = PROJECT["project"]["optional-dependencies"]
NOT_IMPORTED = {"paperang-p2-fonts-cjk"}
"""A font."""
NOT_ON_EVERY_MACHINE = {"av", "evdev"}
KNOWN = packages_distributions()
TOOLS = {"import-linter", "mypy", "ruff", "pytest-textual-snapshot", "pytest-xdist"}


def _name(requirement: str) -> str:
    found = re.match(r"[\w.-]+", requirement)
    assert found is not None
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def _imported(folder: str) -> Iterator[str]:
    """The packages of others that the modules of a folder import."""
    for file in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                yield from (alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.partition(".")[0]


def _distributions(folders: list[str]) -> set[str]:
    ours = {*PACKAGES, "tests"} | {file.stem for file in (ROOT / "tests").rglob("*.py")}
    ours |= {folder.name for folder in (ROOT / "tests").iterdir() if folder.is_dir()}
    names = {name for folder in folders for name in _imported(folder)}
    others = names - set(sys.stdlib_module_names) - ours
    return {_name(KNOWN.get(name, [name])[0]) for name in others}


def test_what_the_product_imports_is_declared_and_nothing_else() -> None:
    extras = {_name(each) for name in OPTIONAL if name != "dev" for each in OPTIONAL[name]}
    imported, declared = _distributions(PACKAGES), {_name(each) for each in DECLARED}
    assert imported - declared - extras == set()
    assert declared - imported == NOT_IMPORTED


def test_what_the_tests_import_is_declared_and_nothing_else() -> None:
    development = {_name(each) for each in OPTIONAL["dev"]}
    imported = _distributions(["tests"])
    assert imported - development - {_name(each) for each in DECLARED} == set()
    stubs = {each for each in development if each.startswith("types-")}
    assert development - imported - stubs - {"pyserial"} == TOOLS


def test_nothing_is_declared_twice() -> None:
    for declared in (DECLARED, *OPTIONAL.values()):
        names = [_name(each) for each in declared]
        assert len(names) == len(set(names))
    assert not {_name(each) for each in DECLARED} & {_name(each) for each in OPTIONAL["dev"]}


def test_the_lock_has_a_version_of_each_and_nothing_but_versions() -> None:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    pinned = [line for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+(; sys_platform .*)?", line) for line in pinned)
    wanted = {_name(each) for each in (*DECLARED, *OPTIONAL["dev"])}
    assert wanted - {_name(line) for line in pinned} == set()
