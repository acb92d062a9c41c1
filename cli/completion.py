"""Shell completion: nodes, operations, fields, topics, filters, and the goods of a store.

It sends no requests: nodes and goods are read from the files in the data folder.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import typer

from bus.contract import EVENTS, STATES, find_operation, operations_of
from bus.contract.channel import EVERY, ROLES, role_of
from bus.contract.errors import StorebusError
from bus.contract.vocabulary import KINDS
from bus.history.filter import KNOWN, NODES, WORDS
from bus.storage.damage import DAMAGE
from schema.subschema import Subschema
from store.settings import read_settings
from testing.load.plan import KINDS as ARRIVALS

if TYPE_CHECKING:
    from store.shop.assortment import Assortment

_TOKENS = ("tok_approve", "tok_decline")
"""Card tokens of the simulated acquirer."""


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


def terminals(ctx: typer.Context, incomplete: str) -> list[str]:
    """The terminals among them."""
    return [name for name in nodes(ctx, incomplete) if role_of(name) == "terminal"]


def clerks(ctx: typer.Context, incomplete: str) -> list[str]:
    """The testers and consoles among them."""
    return [name for name in nodes(ctx, incomplete) if role_of(name) in ("console", "tester")]


def runnable(ctx: typer.Context, incomplete: str) -> list[str]:
    """The nodes that `storebus node` can run."""
    return [name for name in nodes(ctx, incomplete) if role_of(name) not in ("console", "tester")]


def operations(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """The operations of the given callee, each with its description."""
    role = role_of(ctx.params.get("callee") or "")
    found = operations_of(role) if role else ()
    return [(each.name, each.description) for each in found if each.name.startswith(incomplete)]


def fields(ctx: typer.Context, incomplete: str) -> list[str]:
    """The fields of the request that are not given yet, or the values of one of them."""
    params = ctx.params
    role = role_of(params.get("callee") or "")
    operation = find_operation(role, params.get("operation") or "") if role else None
    if operation is None:
        return []
    top = Subschema.of(operation.request)
    path, equals, start = incomplete.partition("=")
    if equals:
        return [f"{path}={choice}" for choice in _choices(top, path) if choice.startswith(start)]
    given = {word.partition("=")[0] for word in params.get("items") or ()}
    return [
        f"{leaf}=" for leaf in top.leaves() if leaf.startswith(incomplete) and leaf not in given
    ]


def filters(ctx: typer.Context, incomplete: str) -> list[str]:
    """The words of the filter language, and the values of one of them."""
    turned = incomplete[: len(incomplete) - len(incomplete.lstrip("-"))]
    word, colon, values = incomplete.removeprefix(turned).partition(":")
    if not colon:
        return [f"{turned}{each}:" for each in WORDS if each.startswith(word)]
    known = nodes(ctx, "") if word in NODES else KNOWN.get(word, ())
    return [f"{turned}{word}:{each}" for each in _listed(known, values)]


def topics(ctx: typer.Context, incomplete: str) -> list[str]:
    """The topics of the site, level by level, as `publish` takes them."""
    root, *levels = incomplete.split("/")
    if not levels:
        root, levels = ".", [""] if ".".startswith(root) else ["none"]
    *before, start = levels
    if root != ".":
        return []
    return sorted(
        f"{'/'.join(('.', *before, level))}"
        for level in _levels(ctx, before)
        if level.startswith(start)
    )


def _levels(ctx: typer.Context, before: list[str]) -> Iterable[str]:
    """What can follow the first levels of a topic below the site's root."""
    match before:
        case []:
            return [f"{kind}/" for kind in KINDS]
        case [kind] if kind in KINDS:
            return [f"{name}/" for name in nodes(ctx, "")]
        case ["req" | "rep", _]:
            return [f"{name}/" for name in nodes(ctx, "")]
        case ["req" | "rep", _, callee] if role := role_of(callee):
            return [each.name for each in operations_of(role)]
        case ["state" | "event" as kind, node] if role := role_of(node):
            channels = STATES if kind == "state" else EVENTS
            return [name for owner, name in channels if owner in (role, EVERY)]
    return []


def skus(ctx: typer.Context, incomplete: str) -> list[str]:
    """The styles that are sold."""
    found = _assortment(ctx)
    names = {style.sku for product in found.products for style in product.styles} if found else ()
    return sorted(name for name in names if name.startswith(incomplete))


def counted(ctx: typer.Context, incomplete: str) -> list[str]:
    """The styles that are sold, each to be followed by a quantity."""
    return [f"{sku}=" for sku in skus(ctx, incomplete)] if "=" not in incomplete else []


def points(ctx: typer.Context, incomplete: str) -> list[str]:
    """Where goods can be collected."""
    found = _assortment(ctx)
    return [each.id for each in found.points if each.id.startswith(incomplete)] if found else []


def payments(_ctx: typer.Context, incomplete: str) -> list[str]:
    """How a purchase can be paid."""
    method, colon, start = incomplete.partition(":")
    if not colon:
        return [f"{each}:" for each in ("account", "card") if each.startswith(method)]
    tokens = _TOKENS if method == "card" else ()
    return [f"{method}:{each}" for each in tokens if each.startswith(start)]


def mix(_ctx: typer.Context, incomplete: str) -> list[str]:
    """The kinds of arrivals of a load, each to be followed by its weight."""
    given = {word.partition("=")[0] for word in incomplete.split(",")[:-1]}
    return [f"{each}=" for each in _listed(set(ARRIVALS) - given, incomplete)]


def _listed(known: Iterable[str], values: str) -> list[str]:
    """The values that can end a list with commas."""
    *before, start = values.split(",")
    return [
        ",".join((*before, each))
        for each in sorted(known)
        if each.startswith(start) and each not in before
    ]


def _assortment(ctx: typer.Context) -> "Assortment | None":
    """The goods of the store by its files; by the shop's files if there is no store yet."""
    from store.shop.assortment import of_files, of_shop  # noqa: PLC0415 - only where it is asked for

    try:
        settings = read_settings(data=ctx.params.get("data"))
        has_files = (settings.data / "catalog.db").exists()
        return of_files(settings) if has_files else of_shop(settings.shop)
    except (StorebusError, OSError, *DAMAGE):
        return None


def _choices(top: Subschema, path: str) -> list[str]:
    place: Subschema | None = top
    for name in path.replace("[0]", ".0").split("."):
        if place is not None:
            place = place.step(int(name) if name.isdecimal() else name)
    if place is None:
        return []
    return place.choices or (["true", "false"] if "boolean" in place.types else [])
