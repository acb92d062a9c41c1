"""`storebus account`: show a customer's account, and correct it."""

import json
from typing import Annotated

import typer

from bus.contract.errors import ConfigurationError
from bus.contract.settlement import (
    ADJUST,
    RENAME,
    STATEMENT,
    AccountName,
    AdjustAccount,
    Balance,
    RenameAccount,
    Statement,
    StatementQuery,
)
from bus.runtime.caller import Caller
from bus.text.console import output
from cli import options
from cli.clerk_requests import as_model, ask, connected, print_table, reason
from cli.run import run
from commerce.price import price_text
from store.shop.money import amount_from

account = typer.Typer(
    name="account",
    help="Show a customer's account, and correct it.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Number = Annotated[str, typer.Argument(metavar="ACCOUNT", help="Such as C-1001.", parser=str.upper)]


@account.command()
def show(
    number: Number,
    limit: Annotated[int, typer.Option(min=1, max=100, help="At most this many entries.")] = 20,
    as_json: options.AsJson = False,
    broker: options.Broker = None,
    site: options.Site = None,
    data: options.Data = None,
) -> None:
    """Show an account's balance and its entries, newest first.

    Example: storebus account show C-1001
    """
    wanted = as_model(StatementQuery, {"account": number, "limit": limit})
    clerk = connected(broker, site, data, options.CLERK)
    found: Statement = run(ask(clerk, lambda caller: caller.ask(STATEMENT, "settlement", wanted)))
    if as_json:
        output.print_json(found.model_dump_json())
        return
    held = price_text(found.balance, found.currency)
    output.print(f"{found.account}, {found.name}: {held}", soft_wrap=True, markup=False)
    rows: list[tuple[str, ...]] = [
        (each.at, each.kind, price_text(each.amount, found.currency), each.order or "",
         each.by or "", each.reason or (f"delivery {each.delivery}" if each.delivery else ""))
        for each in found.entries
    ]  # fmt: skip
    rows += [
        (each.at, "renamed", "", "", each.by, f"from {each.name}: {each.reason}")
        for each in found.renamed
    ]
    rows.sort(key=lambda row: row[0], reverse=True)
    print_table(rows, "when", "what", "amount", "order", "who", "why")


@account.command()
def adjust(
    word: Annotated[
        str,
        typer.Argument(
            metavar="ACCOUNT=CHANGE", help="The amount to add, or with a minus to subtract."
        ),
    ],
    why: options.Why = None,
    by: options.By = options.CLERK,
    as_json: options.AsJson = False,
    broker: options.Broker = None,
    site: options.Site = None,
    data: options.Data = None,
) -> None:
    """Correct a mistake in an account's balance.

    The change is added; with a minus it is subtracted. The balance cannot become negative. The
    account records who did it and why.

    Example: storebus account adjust C-1001=-135.00 --why "150.00 was typed for 15.00"
    """
    number, _, change = word.partition("=")
    number = number.upper()
    if not change:
        raise ConfigurationError(f"{word!r} is not written like C-1001=-135.00.")
    why = reason(why, "a typing error")
    clerk = connected(broker, site, data, by)
    done = run(ask(clerk, lambda caller: _adjust(caller, number, change, why)))
    if as_json:
        output.print_json(json.dumps(done.model_dump()))
        return
    held = price_text(done.balance, done.currency)
    output.print(f"{done.account} holds {held} now.", soft_wrap=True, markup=False)


@account.command()
def rename(
    number: Number,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The customer's new name.")],
    why: options.Why = None,
    by: options.By = options.CLERK,
    as_json: options.AsJson = False,
    broker: options.Broker = None,
    site: options.Site = None,
    data: options.Data = None,
) -> None:
    """Change the name on an account.

    Use it if the customer's name has changed or was misspelt. From then on, money that is imported
    for the account must have this name, or none.

    Example: storebus account rename C-1001 "Ann Costa" --why "she has married"
    """
    why = reason(why, "a typing error")
    wanted = as_model(RenameAccount, {"account": number, "name": name, "reason": why})
    clerk = connected(broker, site, data, by)
    done: AccountName = run(ask(clerk, lambda caller: caller.ask(RENAME, "settlement", wanted)))
    if as_json:
        output.print_json(done.model_dump_json())
        return
    output.print(f"{done.account} is {done.name} now.", soft_wrap=True, markup=False)


async def _adjust(caller: Caller, number: str, change: str, why: str) -> Balance:
    """Adjust by an amount in the account's own currency."""
    wanted = as_model(StatementQuery, {"account": number, "limit": 1})
    held: Statement = await caller.ask(STATEMENT, "settlement", wanted)
    currency = held.currency
    sign, digits = (-1, change[1:]) if change[:1] in "-−" else (1, change.removeprefix("+"))
    if not digits.strip("0."):
        raise ConfigurationError(f"{number}={change}: the change must not be 0.")
    try:
        amount = sign * amount_from(digits, currency)
    except ValueError as error:
        said = str(error).removeprefix("price: ")
        raise ConfigurationError(f"{number}={change}: {said}") from error
    if held.balance + amount < 0:
        there = price_text(held.balance, currency)
        raise ConfigurationError(f"{number} holds {there}: no more than that can be taken out.")
    fields = {"account": number, "change": amount, "currency": currency, "reason": why}
    done: Balance = await caller.ask(ADJUST, "settlement", as_model(AdjustAccount, fields))
    return done
