"""`storebus audit`: prints which promises are kept, from a store's files."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from cli import options
from cli.audit import INVARIANTS, Tally
from cli.audit import audit as look
from cli.run import REFUSED, output
from cli.settings import read_settings


def audit(
    data: Annotated[
        list[Path] | None,
        typer.Argument(metavar="DATA...", help="Folders that hold the nodes' files."),
    ] = None,
    history: Annotated[
        list[Path] | None,
        typer.Option("--history", metavar="FILE", help="Messages from `storebus record`."),
    ] = None,
    running: Annotated[
        bool, typer.Option("--open", help="The store is open: leave out what holds only at rest.")
    ] = False,
    as_json: options.AsJson = False,
) -> None:
    """Count a store's books: orders, money, stock, parcels, reminders, messages, databases.

    Several folders are one store whose nodes keep their files in several places. Without --open
    the store must be quiet: no order under way. Ends with 1 if a promise was not kept.

    Example: storebus audit /var/lib/storebus --history monday.jsonl
    """
    folders = data or [read_settings().data]
    tally = look(folders, history=history or (), running=running)
    if as_json:
        output.print_json(json.dumps(document(tally)))
    else:
        _print(tally)
    if tally.findings:
        raise typer.Exit(REFUSED)


def document(tally: Tally) -> dict[str, object]:
    """What was found, as JSON."""
    return {
        "holds": not tally.findings,
        "invariants": [
            {"invariant": name, "meaning": meaning, "checked": tally.checked[name],
             "broken": _broken(tally, name)}
            for name, meaning in INVARIANTS.items()
        ],
        "findings": [
            {"invariant": finding.invariant, "text": finding.text} for finding in tally.findings
        ],
        "notes": tally.notes,
    }  # fmt: skip


def _print(tally: Tally) -> None:
    table = Table("", "invariant", "checked", "")
    for name, meaning in INVARIANTS.items():
        broken = _broken(tally, name)
        verdict = Text(f"{broken} broken", "red") if broken else Text("ok", "green")
        checked = tally.checked[name]
        table.add_row(name, meaning, str(checked), verdict if checked else "not checked")
    output.print(table)
    for note in tally.notes:
        output.print(f"Note: {note}.", soft_wrap=True, markup=False)
    for finding in tally.findings:
        output.print(str(finding), soft_wrap=True, markup=False)


def _broken(tally: Tally, invariant: str) -> int:
    return sum(finding.invariant == invariant for finding in tally.findings)
