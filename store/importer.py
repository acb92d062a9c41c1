"""Import files into a running store, and report what became of each line."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.prompt import Prompt

from bus.contract.delivery import DeliveredBefore, Delivery
from bus.contract.errors import ConfigurationError, Problem
from bus.contract.settlement import STATEMENT, StatementQuery
from bus.runtime.caller import Caller
from bus.text.console import errors, output
from commerce.price import price_text
from nodes.settlement.account import refuse_other_name
from store.shop.catalog_queries import registered_of
from store.shop.changes import changes
from store.shop.delivery import another, brought_before, delivery_of
from store.shop.hints import how_to_count, on_added, on_other_names, on_retired
from store.shop.products import read_updates
from store.shop.reader import ShopSettings
from store.shop.reading_options import AmbiguousFile, ReadingOptions
from store.shop.records import AccountRecord, read_accounts, read_stock
from store.shop.row import BadRow
from store.shop.seeding import Seeding, item_of
from store.shop.simulated_catalog import SimulatedCatalog
from store.shop.table import Table, read_table

_SHOWN = 20
"""The most changes and notes that are shown for a file; a dry run shows all."""
_AT_ONCE = 32
"""How many accounts are queried at the same time."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A file that was read, and what the store has already received from it."""

    table: Table
    delivery: Delivery
    before: dict[str, DeliveredBefore]


@dataclass(frozen=True, slots=True)
class _Item:
    """One row of goods or money."""

    line: int
    amount: int
    shown: str
    name: str | None = None
    """The customer's name, if the row is for an account and gives one."""


class Importer:
    """Imports files, one after another.

    Args:
        caller: a connected tester or console.
        shop: the settings in the shop's `shop.toml`.
        how: how to read the files, as far as the user has specified it.
        delivery: the name of the delivery, if the user has given one.
        dry_run: only show what would be done.
    """

    def __init__(
        self,
        caller: Caller,
        shop: ShopSettings,
        how: ReadingOptions,
        delivery: str | None,
        *,
        dry_run: bool,
    ) -> None:
        self._caller = caller
        self._shop = shop
        self._how = how
        self._delivery = delivery
        self._dry_run = dry_run
        self._simulated: SimulatedCatalog | None = None
        """The products as the dry run so far would have left them."""

    async def plan(self, file: Path) -> Plan:
        """Read a file, and ask the user what only a person can decide.

        Raises:
            AmbiguousFile: nobody can be asked.
            ConfigurationError: it cannot be read, or is not for a running store.
        """
        how, name = self._how, self._delivery
        while True:
            try:
                table = read_table(file, how=how)
                delivery = delivery_of(file, name)
                return Plan(table, delivery, await self._before(table, delivery))
            except AmbiguousFile as question:
                answer = await asyncio.to_thread(_answer, question)
                if question.option == "delivery":
                    name = answer
                else:
                    how = how.with_option(question.option, answer)

    async def import_file(self, plan: Plan) -> int:
        """Import a file; return how many of its rows were refused."""
        table = plan.table
        _say(f"{table.file.name}: {table.kind}, read as: {', '.join(table.read_as)}.")
        if table.overlooked:
            _say(f"  these columns are ignored: {', '.join(table.overlooked)}")
        self._remark([f"line {note.line}: {note.reason}" for note in table.notes])
        self._remark([f"line {row.line}: skipped: {row.reason}" for row in table.skipped])
        seeding = Seeding(self._caller, plan.delivery)
        if table.kind == "stock":
            stock, _ = read_stock(table)
            return await self._deliver(plan, seeding, lambda: seeding.stock(stock))
        if table.kind == "accounts":
            accounts, _ = read_accounts(table)
            currency = self._shop.currency
            return await self._deliver(plan, seeding, lambda: seeding.accounts(accounts, currency))
        return await self._update(table, seeding)

    async def _before(self, table: Table, delivery: Delivery) -> dict[str, DeliveredBefore]:
        if table.kind == "locations":
            raise ConfigurationError(
                f"{table.file}: the warehouse reads locations from the shop's folder at its start."
            )
        if table.kind == "counts":
            raise ConfigurationError(
                f"{table.file} holds counts. Enter them with:"
                f" storebus stock count --file {table.file}"
            )
        if table.kind not in ("stock", "accounts"):
            return {}
        callee = "warehouse" if table.kind == "stock" else "settlement"
        items, _ = self._items(table)
        amounts = {name: item.amount for name, item in items.items()}
        return await brought_before(self._caller.ask, callee, table.file, delivery, amounts)

    def _items(self, table: Table) -> tuple[dict[str, _Item], list[BadRow]]:
        """Goods or money by their item name in a delivery, and the rows that are neither."""
        if table.kind == "stock":
            stock, bad = read_stock(table)
            lines = {f"{row.cells['sku']} {row.cells['location']}": row.line for row in table.rows}
            return {
                item: _Item(lines[item], row.quantity, f"{item}: +{row.quantity}")
                for row in stock
                for item in [item_of(row)]
            }, bad
        accounts, bad = read_accounts(table)
        lines = {row.cells["account"]: row.line for row in table.rows}
        return {row.account: self._deposit(row, lines[row.account]) for row in accounts}, bad

    def _deposit(self, row: AccountRecord, line: int) -> _Item:
        paid = price_text(row.balance, self._shop.currency)
        whom = f"{row.account} {row.name or ''}".strip()
        return _Item(line, row.balance, f"{whom}: +{paid}", row.name)

    async def _update(self, table: Table, seeding: Seeding) -> int:
        """Register or change products and prices: the file's values replace the store's."""
        store, shop = await self._products(), self._shop
        known = dict(store.products)
        updates = read_updates(table, known, domain=shop.domain, currency=shop.currency)
        if self._dry_run:
            refused = {each.id: store.refusal(each) for each in updates.products}
            retired = store.retired(each for each in updates.products if not refused[each.id])
        else:
            with _bar(table, seeding, sum(len(each.styles) for each in updates.products)):
                await seeding.products(updates.products)
            refused = {name: problem.detail for name, problem in seeding.refusals}
            retired = seeding.retired
        good = (each for each in updates.products if not refused.get(each.id))
        lines = (changes(known.get(update.id), update) for update in good)
        self._remark([line for each in lines for line in each] or ["nothing changes"])
        bad = [
            *updates.bad,
            *(
                BadRow(table.file, line, reason)
                for name, reason in refused.items()
                if reason is not None
                for line in updates.lines[name]
            ),
        ]
        _advise(on_retired(retired))
        return self._end(table, bad)

    async def _products(self) -> SimulatedCatalog:
        """The store's products; in a dry run, as the files so far would have left them."""
        if self._simulated is None or not self._dry_run:
            self._simulated = SimulatedCatalog((await registered_of(self._caller.ask)).values())
        return self._simulated

    async def _deliver(
        self, plan: Plan, seeding: Seeding, send: Callable[[], Awaitable[None]]
    ) -> int:
        """Add goods or money to what is there, once per delivery."""
        table, delivery, before = plan.table, plan.delivery, plan.before
        items, bad = self._items(table)
        if self._dry_run:
            refused = await self._refused(plan, items)
            already = {name: each.at for name, each in before.items() if name not in refused}
        else:
            with _bar(table, seeding, len(items)):
                await send()
            refused = {name: problem.detail for name, problem in seeding.refusals}
            already = seeding.already
        new = (name for name in items if name not in {*before, *already, *refused})
        self._remark([items[name].shown for name in new])
        if table.kind == "stock" and any(row.reason.startswith("quantity") for row in bad):
            _advise([how_to_count()])
        _advise(on_added(seeding.added))
        others = (name for name, why in refused.items() if why.startswith(f"{name} is "))
        _advise(on_other_names([name for name in others if items[name].name is not None]))
        bad += [BadRow(table.file, items[name].line, detail) for name, detail in refused.items()]
        count = self._end(table, bad, already=len(already))
        again = f"to receive it again: --delivery {quote(another(delivery.name))}"
        if already:
            when = f"{max(already.values())[:16].replace('T', ' ')} UTC"
            whole = "this delivery" if len(already) == len(items) else f"{len(already)} of its rows"
            was = "was" if len(already) in (1, len(items)) else "were"
            _say(f"{table.file.name}: {whole} {was} already received on {when}; {again}")
        elif items and not self._dry_run:
            _say(f"{table.file.name}: this is the delivery “{delivery.name}”, which counts once;"
                 f" {again}")  # fmt: skip
        return count

    async def _refused(self, plan: Plan, items: dict[str, _Item]) -> dict[str, str]:
        """What the store would refuse, as far as queries can tell."""
        refused = {
            name: f"{plan.delivery.name} brought {each.amount} of {name}, not {items[name].amount}."
            for name, each in plan.before.items()
            if each.amount != items[name].amount
        }
        if plan.table.kind == "stock":
            skus = (await self._products()).skus
            for name in items:
                sku, _, _ = name.partition(" ")
                if sku not in skus:
                    refused[name] = f"There is no style {sku}."
        else:
            names = await self._names([name for name in items if name not in plan.before])
            for account, known in names.items():
                try:
                    refuse_other_name(account, items[account].name, known)
                except Problem as problem:
                    refused[account] = problem.detail
        return refused

    async def _names(self, accounts: Sequence[str]) -> dict[str, str | None]:
        """The owner's name by account; None for an account that does not exist yet."""

        async def name_of(account: str) -> str | None:
            try:
                query = StatementQuery(account=account, limit=1)
                return str((await self._caller.ask(STATEMENT, "settlement", query)).name)
            except Problem as problem:
                if problem.to_data().code != "unknown-account":
                    raise
                return None

        found: dict[str, str | None] = {}
        for start in range(0, len(accounts), _AT_ONCE):
            some = accounts[start : start + _AT_ONCE]
            found |= zip(some, await asyncio.gather(*map(name_of, some)), strict=True)
        return found

    def _remark(self, remarks: Sequence[str]) -> None:
        shown = remarks if self._dry_run else remarks[:_SHOWN]
        for remark in shown:
            _say(f"  {remark}")
        if len(shown) < len(remarks):
            _say(f"  and {len(remarks) - len(shown)} more (--dry-run shows all)")

    def _end(self, table: Table, bad: Sequence[BadRow], *, already: int = 0) -> int:
        """Print what was refused, and account for every line of the file."""
        for row in sorted(bad, key=lambda row: row.line):
            errors.print(f"{row.file}:{row.line}: {row.reason}", soft_wrap=True, markup=False)
        refused = len({row.line for row in bad})
        count = len(table.rows) + len(table.bad) - refused - already
        parts = {
            "header": table.header,
            "would be imported" if self._dry_run else "imported": count,
            "imported before": already,
            "refused": refused,
            "skipped": len(table.skipped),
            "empty": table.empty,
            "within cells": table.within,
        }
        told = " + ".join(f"{number} {name}" for name, number in parts.items() if number)
        sentence = (
            f"{refused} row{'s' * (refused > 1)} refused" if refused else "all rows were imported"
        )
        if not (table.rows or table.bad):
            sentence = "it has no rows to import"
        elif self._dry_run:
            sentence = "nothing was changed"
        _say(f"{table.file.name}: {sentence}: {table.lines} lines = {told or 'none'}.")
        return refused


def _advise(lines: Iterable[str]) -> None:
    for line in lines:
        errors.print(line, soft_wrap=True)


def _say(line: str) -> None:
    output.print(line, soft_wrap=True, markup=False)


@contextmanager
def _bar(table: Table, seeding: Seeding, total: int) -> Iterator[None]:
    """Show a progress bar if the output is a terminal.

    Args:
        table: the file.
        seeding: sends the rows.
        total: how many rows are sent.
    """
    with Progress(
        TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(),
        TimeElapsedColumn(), console=errors, disable=not errors.is_terminal,
    ) as bar:  # fmt: skip
        task = bar.add_task(table.file.name, total=total)
        seeding.progress = lambda count: bar.advance(task, count)
        yield


def _answer(question: AmbiguousFile) -> str:
    """Ask the user at the terminal.

    Raises:
        AmbiguousFile: there is no terminal.
    """
    if sys.stdin is None or not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise question
    errors.print(f"{question.file}: {question.question}", soft_wrap=True, markup=False)
    for value, shown in question.readings:
        errors.print(f"  {value}: {shown}", soft_wrap=True, markup=False)
    values = [value for value, _ in question.readings]
    return Prompt.ask("Which is meant?", choices=values, console=errors)
