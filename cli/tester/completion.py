"""What the shell offers: nodes, operations, and the fields of a message.

It asks nobody: nodes are those whose files lie in the data folder.
"""

import typer

from bus.contract import find_operation, operations_of
from bus.contract.channel import ROLES, role_of
from bus.errors import StorebusError
from cli.settings import read_settings
from cli.tester.schema import Place
from tui.model.filter import WORDS


def nodes(ctx: typer.Context, incomplete: str) -> list[str]:
    """Roles, the nodes of the data folder, and one of each kind of device."""
    known = {*ROLES, "sorter-1", "terminal-1", "console-1", "tester-1"}
    try:
        folder = read_settings(data=ctx.params.get("data")).data
        known |= {file.stem for file in folder.glob("*.db") if role_of(file.stem)}
    except (StorebusError, OSError):
        pass  # completion has nowhere to complain
    return sorted(name for name in known if name.startswith(incomplete))


def devices(ctx: typer.Context, incomplete: str) -> list[str]:
    """The terminals and sorters among them."""
    return [name for name in nodes(ctx, incomplete) if role_of(name) in ("sorter", "terminal")]


def operations(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """The operations of the callee that is named already, each with its description."""
    role = role_of(ctx.params.get("callee") or "")
    found = operations_of(role) if role else ()
    return [(each.name, each.description) for each in found if each.name.startswith(incomplete)]


def fields(ctx: typer.Context, incomplete: str) -> list[str]:
    """The fields of the request that are not given yet, or what can stand in one of them."""
    params = ctx.params
    role = role_of(params.get("callee") or "")
    operation = find_operation(role, params.get("operation") or "") if role else None
    if operation is None:
        return []
    top = Place.of(operation.request)
    path, equals, start = incomplete.partition("=")
    if equals:
        return [f"{path}={choice}" for choice in _choices(top, path) if choice.startswith(start)]
    given = {word.partition("=")[0] for word in params.get("words") or ()}
    return [
        f"{leaf}=" for leaf in top.leaves() if leaf.startswith(incomplete) and leaf not in given
    ]


def filters(_ctx: typer.Context, incomplete: str) -> list[str]:
    """The words of the filter language."""
    return [f"{word}:" for word in WORDS if word.startswith(incomplete)]


def _choices(top: Place, path: str) -> list[str]:
    place: Place | None = top
    for name in path.replace("[0]", ".0").split("."):
        if place is not None:
            place = place.step(int(name) if name.isdecimal() else name)
    if place is None:
        return []
    return place.choices or (["true", "false"] if "boolean" in place.types else [])
