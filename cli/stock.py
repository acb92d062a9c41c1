"""`storebus stock`: count and correct what is on the shelves."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from bus.contract.catalog import RETIRED, RetiredQuery, RetiredSince
from bus.contract.errors import ConfigurationError, Problem
from bus.contract.warehouse import COUNT, COUNTS, Counted, CountGoods, Counts
from bus.runtime.caller import Caller
from bus.text.console import errors, output
from cli import completion, options
from cli.clerk_requests import Connect, as_model, ask, connected, print_table, reason
from cli.run import exit_code, run
from store.exit_codes import DONE, REFUSED
from store.shop.records import read_counts

stock = typer.Typer(
    name="stock",
    help="Count and correct stock; list past counts and retired styles.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_WORD = re.compile(r"(?P<sku>[^=]+)=(?P<counted>[0-9]{1,20})")


@stock.command()
def count(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SKU=PIECES...",
            help="The counted pieces, such as CAN-40=12.",
            autocompletion=completion.counted,
        ),
    ] = None,
    why: options.Why = None,
    location: Annotated[
        str | None,
        typer.Option("--location", metavar="L", help="The location, if the style is in several."),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            "--file", metavar="CSV", help="Columns: sku, location, counted, and optionally reason."
        ),
    ] = None,
    by: options.By = options.CLERK,
    as_json: options.AsJson = False,
    broker: options.Broker = None,
    site: options.Site = None,
    data: options.Data = None,
) -> None:
    """Correct the books to what was counted at a location.

    Enter all pieces of the style that are there now. If pieces that were promised to orders are
    missing, their customers get the money back. Count while nobody adds goods there, and enter the
    number at once. The location may be left out, here or in the file, if the style is in one place
    only. The exit code is 1 if a count was refused.

    Example: storebus stock count OXF-BLU-M=12 --why "a typing error in Monday's delivery"
    """
    goods, refused = _goods(words or [], why, location, file)
    done, code = run(_each(goods, connected(broker, site, data, by)))
    if as_json:
        output.print_json(json.dumps([each.model_dump() for each in done]))
    else:
        for each in done:
            output.print(_sentence(each), soft_wrap=True, markup=False)
    raise typer.Exit(max(code, REFUSED if refused else DONE))


def _goods(
    words: list[str], why: str | None, location: str | None, file: Path | None
) -> tuple[list[CountGoods], int]:
    """What was counted, and how many rows of the file were refused."""
    if (file is None) == (not words) or (file is not None and location is not None):
        raise ConfigurationError("Give what was counted, as SKU=PIECES, or a --file.")
    if file is not None:
        goods, bad = read_counts(file, why)
        for row in bad:
            errors.print(str(row), soft_wrap=True, markup=False)
        return goods, len(bad)
    why = reason(why, "counted on Monday")
    read = []
    for word in words:
        parts = _WORD.fullmatch(word)
        if parts is None:
            raise ConfigurationError(f"{word!r} is not written like CAN-40=12.")
        counted = int(parts["counted"])
        fields = {"sku": parts["sku"], "location": location, "counted": counted, "reason": why}
        read.append(as_model(CountGoods, fields))
    return read, 0


async def _each(goods: Iterable[CountGoods], clerk: Connect) -> tuple[list[Counted], int]:
    """Enter one count after another and print refusals; return what was done, and the exit code."""
    done: list[Counted] = []
    code = DONE
    async with clerk() as caller:
        for each in goods:
            try:
                done.append(await caller.ask(COUNT, "warehouse", each))
            except Problem as problem:
                where = f" at {each.location}" if each.location else ""
                errors.print(f"{each.sku}{where}:", end=" ", markup=False)
                code = max(code, exit_code(problem))
    return done, code


def _sentence(done: Counted) -> str:
    place = f"{done.sku} at {done.location}"
    if not done.change and done.counted == done.booked:
        return f"{place}: {done.counted}, as the books say."
    if not done.change:
        return (
            f"{place}: {done.counted} counted, {done.booked} in the books, and"
            f" {done.under_way} just being taken by a sorter, which explains it. Nothing is"
            " changed; to be sure, count again when the sorter is done."
        )
    change = f"{abs(done.change)} {'more' if done.change > 0 else 'fewer'}"
    left = "" if done.level is None else f" {done.level.available} can be sold."
    return (
        f"{place}: {done.counted} counted, {done.booked} in the books: corrected by {change}.{left}"
    )


@stock.command()
def history(
    sku: Annotated[
        str | None,
        typer.Argument(metavar="[SKU]", help="Only of this style.", autocompletion=completion.skus),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=100, help="At most this many counts.")] = 20,
    as_json: options.AsJson = False,
    broker: options.Broker = None,
    site: options.Site = None,
    data: options.Data = None,
) -> None:
    """Show past counts, newest first: when, by whom, and why.

    Example: storebus stock history CAN-40
    """
    wanted = as_model(Counts, {"sku": sku, "limit": limit})
    clerk = connected(broker, site, data, options.CLERK)
    found = run(ask(clerk, lambda caller: caller.ask(COUNTS, "warehouse", wanted))).counts
    if as_json:
        output.print_json(json.dumps([each.model_dump() for each in found]))
        return
    rows = [
        (each.at, each.by, each.sku, each.location, f"{each.booked} → {each.counted}",
         f"{each.change:+d}", each.reason)
        for each in found
    ]  # fmt: skip
    print_table(rows, "when", "who", "style", "location", "books → counted", "change", "why")


@stock.command()
def retired(
    as_json: options.AsJson = False,
    broker: options.Broker = None,
    site: options.Site = None,
    data: options.Data = None,
) -> None:
    """Show the retired styles: since when, by whom, why, how many left.

    Example: storebus stock retired
    """
    found = run(ask(connected(broker, site, data, options.CLERK), _all_retired))
    if as_json:
        output.print_json(json.dumps([each.model_dump() for each in found]))
        return
    rows = [
        (each.at, each.by, each.sku, each.product, str(each.on_hand), each.reason) for each in found
    ]
    print_table(rows, "when", "who", "style", "product", "on hand", "why")


async def _all_retired(caller: Caller) -> list[RetiredSince]:
    found: list[RetiredSince] = []
    while True:
        after = found[-1].sku if found else None
        page = (await caller.ask(RETIRED, "catalog", RetiredQuery(after=after))).styles
        if not page:
            return found
        found += page
