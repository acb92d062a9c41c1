"""Nothing foreign is markup, obeyed by a terminal, or too strange to be printed; and one door."""

import ast
import io
from collections.abc import Iterator
from pathlib import Path
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table
from rich.text import Text

import cli
from bus.text.console import Printer

ROOT = Path(cli.__file__).parents[1]
ROOMS = ("cli", "testing", "store", "audit", "schema", "labels")
"""Whose code is run by commands."""
DOOR = {ROOT / "cli/run.py"}
NAMES = st.sampled_from(
    ["Bolt [/M8] zinc", "Cable [usb-c]", "[bold]x", "[/]", "\\[", ":smile:", "수건 [빨강]",
     "a\x1b[31mb", "a\x1b]52;c;AAAA\x07", "a\x9b31m", "a\rb",
     "\u202egnp", "\ud800", "[link=x]y[/link]"]
) | st.text(max_size=20)  # fmt: skip


def printed(*texts: object, encoding: str = "utf-8", **options: bool) -> str:
    """What comes out."""
    raw = io.BytesIO()
    printer = Printer()
    printer.file = io.TextIOWrapper(raw, encoding, errors="replace")
    printer.width = 200
    for text in texts:
        printer.print(text, **options)
    printer.file.flush()
    return raw.getvalue().decode(encoding)


@given(NAMES)
def test_a_name_is_printed_as_it_is_and_obeyed_by_nobody(name: str) -> None:
    table = Table("name")
    table.add_row(name)
    for encoding in ("utf-8", "latin-1", "ascii"):
        text = printed(name, Text(name, "bold"), table, encoding=encoding)
        assert not [each for each in text if category(each) in ("Cc", "Cf") and each != "\n"]


@pytest.mark.parametrize("name", ["Bolt [/M8] zinc", "Cable [usb-c]", "[bold]x[/]", ":smile:"])
def test_brackets_are_part_of_a_name(name: str) -> None:
    table = Table("name")
    table.add_row(name)
    assert name in printed(name)
    assert name in printed(table)
    assert name in printed(Text.assemble((name, "bold"), " is sold"))


def test_a_letter_that_the_encoding_lacks_is_replaced() -> None:
    assert printed("수건 S", encoding="latin-1") == "?? S\n"


def test_json_stays_json_in_any_encoding() -> None:
    raw = io.BytesIO()
    printer = Printer()
    printer.file = io.TextIOWrapper(raw, "latin-1", errors="strict")
    printer.print_json('{"name": "수건\\u009b"}')
    printer.file.flush()
    assert "\\uc218\\uac74\\u009b" in raw.getvalue().decode("latin-1")


def _modules() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py")):
        yield path, ast.parse(path.read_text("utf-8"))


_OTHER_DOORS = {"Console", "echo", "secho", "from_markup", "rprint", "from_ansi"}
_STREAMS = {
    "testing/kit/show.py",  # messages as they came, as bytes, in a pipe
    "cli/asyncapi.py",  # a document, whole
    "cli/main.py",  # flushes
}


def test_commands_print_through_one_door() -> None:
    wrong = []
    for path, module in _modules():
        where = path.relative_to(ROOT)
        asks = {  # whether somebody sits there
            id(node.value)
            for node in ast.walk(module)
            if isinstance(node, ast.Attribute) and node.attr == "isatty"
        }
        for node in ast.walk(module):
            name = getattr(node, "id", None) or getattr(node, "attr", None)
            if isinstance(node, ast.Call):
                called = getattr(node.func, "id", None) or getattr(node.func, "attr", None)
                is_rich = path not in DOOR and called in _OTHER_DOORS
                is_markup = any(
                    word.arg in ("markup", "emoji") and getattr(word.value, "value", None) is True
                    for word in node.keywords
                )
                is_print = isinstance(node.func, ast.Name) and called == "print"
                if is_markup or is_print or (is_rich and str(where) != "cli/watch.py"):
                    wrong.append(f"{where}:{node.lineno}: {called}")
                is_column = called in ("TextColumn", "SpinnerColumn") and node.args
                if is_column and not isinstance(node.args[0], ast.Constant):
                    has = any(word.arg == "markup" for word in node.keywords)
                    wrong += [] if has else [f"{where}:{node.lineno}: {called} with markup"]
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                if "[/]" in node.value or "[bold" in node.value:
                    wrong.append(f"{where}:{node.lineno}: markup")
            elif name in ("stdout", "stderr") and isinstance(node, ast.Attribute):
                is_sys = isinstance(node.value, ast.Name) and node.value.id == "sys"
                is_sys = is_sys and id(node) not in asks
                if is_sys and path not in DOOR and str(where) not in _STREAMS:
                    wrong.append(f"{where}:{node.lineno}: sys.{name}")
    assert not wrong
