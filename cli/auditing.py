"""`storebus audit`: check the promises from a store's files, and list what is waited for."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from audit import INVARIANTS, OPEN_ITEMS, AuditResult
from audit import audit as look
from bus.text.console import output
from cli import options
from store.exit_codes import REFUSED
from store.settings import read_settings

_NAMED = 5
"""How many waiting items are named; --json names all."""


def audit(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(metavar="DIR...", help="Folders with the nodes' files."),
    ] = None,
    data: options.Data = None,
    history: Annotated[
        list[Path] | None,
        typer.Option("--history", metavar="FILE", help="Messages from `storebus record`."),
    ] = None,
    running: Annotated[
        bool,
        typer.Option("--open", help="The store is running: leave out what holds only at rest."),
    ] = False,
    as_json: options.AsJson = False,
) -> None:
    """Check a store's books: orders, money, stock, parcels, reminders, messages, databases.

    Several folders make up one store whose nodes keep their files in different places; --data is
    one of them. Without --open the store must be closed. Goods to put back, terminals and sorters
    that are off, and parcels that were not collected are listed with what to do; they break no
    promise. The exit code is 1 if a promise was broken.

    Example: storebus audit --data /var/lib/storebus --history monday.jsonl
    """
    named = [*([] if data is None else [data]), *(folders or [])]
    result = look(named or [read_settings().data], history=history or (), running=running)
    if as_json:
        output.print_json(json.dumps(document(result)))
    else:
        _print(result)
    if result.findings:
        raise typer.Exit(REFUSED)


def document(result: AuditResult) -> dict[str, object]:
    """Return the result as JSON."""
    return {
        "holds": not result.findings,
        "invariants": [
            {"invariant": name, "meaning": meaning, "checked": result.checked[name],
             "broken": _broken(result, name)}
            for name, meaning in INVARIANTS.items()
        ],
        "findings": [
            {"invariant": finding.invariant, "text": finding.text} for finding in result.findings
        ],
        "waiting": [
            {"kind": kind, "who": who, "meaning": OPEN_ITEMS[kind], "items": texts}
            for (kind, who), texts in _groups(result).items()
        ],
        "notes": result.notes,
    }  # fmt: skip


def _print(result: AuditResult) -> None:
    table = Table("", "invariant", "checked", "")
    for name, meaning in INVARIANTS.items():
        broken = _broken(result, name)
        verdict = Text(f"{broken} broken", "red") if broken else Text("ok", "green")
        checked = result.checked[name]
        table.add_row(name, meaning, str(checked), verdict if checked else "not checked")
    output.print(table)
    _print_waiting(result)
    for note in result.notes:
        output.print(f"Note: {note}.", soft_wrap=True, markup=False)
    for finding in result.findings:
        output.print(str(finding), soft_wrap=True, markup=False)


def _groups(result: AuditResult) -> dict[tuple[str, str], list[str]]:
    """What is waited for, by kind and by whom it concerns, in the order of `OPEN_ITEMS`."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for each in sorted(
        result.open_items, key=lambda each: (list(OPEN_ITEMS).index(each.kind), each.who)
    ):
        found[each.kind, each.who].append(each.text)
    return found


def _print_waiting(result: AuditResult) -> None:
    groups = _groups(result)
    for kind, meaning in OPEN_ITEMS.items():
        own = {who: texts for (each, who), texts in groups.items() if each == kind}
        if own:
            count = sum(map(len, own.values()))
            _say(f"\n{count} waiting. {meaning}.")
        for who, texts in own.items():
            more = f" and {len(texts) - _NAMED} more" if len(texts) > _NAMED else ""
            _say(f"  {who}: {len(texts)}: {'; '.join(texts[:_NAMED])}{more}")


def _say(text: str) -> None:
    output.print(text, soft_wrap=True, markup=False)


def _broken(result: AuditResult, invariant: str) -> int:
    return sum(finding.invariant == invariant for finding in result.findings)
