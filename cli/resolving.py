"""`storebus resolve`: ends what the payment provider refused, as a person says."""

import json
from typing import Annotated

import typer

from bus.caller import Caller
from bus.contract.settlement import REFUSALS, RESOLVE, RefundRefusal, Refusals, Resolve, Resolved
from bus.contract.values import Money
from bus.errors import ConfigurationError
from cli import options
from cli.clerk import as_model, ask, connected, reason
from cli.run import output, run
from devices.terminal.price import price_text


def resolve(
    order: Annotated[
        str | None, typer.Argument(metavar="[ORDER]", help="Whose refund; without it, all of them.")
    ] = None,
    by_hand: Annotated[
        bool,
        typer.Option(
            "--refunded-by-hand", help="The customer has the money, in cash or by transfer."
        ),
    ] = False,
    retry: Annotated[bool, typer.Option("--retry", help="Ask the provider again.")] = False,
    refund: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Which of several refunds; all of the order's."),
    ] = None,
    why: options.Why = None,
    by: options.By = options.CLERK,
    as_json: options.AsJson = False,
    broker: options.Broker = None,
    site: options.Site = None,
    data: options.Data = None,
) -> None:
    """See to money that the payment provider refused to give back.

    Without an order it lists what waits for a person, with the provider's words. Pay the customer
    first, then say so; or mend what was wrong and have the provider asked again. The order goes on
    from there, and remembers who did what and why.

    Example: storebus resolve o-4fmmjyzje4 --refunded-by-hand --why "transferred on Monday"
    """
    clerk = connected(broker, site, data, by)
    if order is None or not (by_hand or retry or why is not None):
        found = [each for each in run(ask(clerk, _waiting)) if order is None or each.order == order]
        _list(found, as_json=as_json)
        return
    if by_hand == retry:
        raise ConfigurationError("Say what became of it: --refunded-by-hand, or --retry.")
    why = reason(why, "paid in cash")
    how = "by-hand" if by_hand else "retry"
    wanted = as_model(Resolve, {"order": order, "how": how, "refund": refund, "reason": why})
    done: Resolved = run(ask(clerk, lambda caller: caller.ask(RESOLVE, "settlement", wanted)))
    if as_json:
        output.print_json(done.model_dump_json())
        return
    what = "counts as paid back by hand" if by_hand else "is asked of the provider again"
    output.print(
        f"{_price(done.amount)} {what}; {done.order} is {done.state}.", soft_wrap=True, markup=False
    )


async def _waiting(caller: Caller) -> list[RefundRefusal]:
    found: list[RefundRefusal] = (await caller.ask(REFUSALS, "settlement", Refusals())).refusals
    return found


def _list(found: list[RefundRefusal], *, as_json: bool) -> None:
    if as_json:
        output.print_json(json.dumps([each.model_dump() for each in found]))
        return
    if not found:
        output.print("No refund waits for a person.")
    for each in found:
        output.print(
            f"{each.order}: {_price(each.amount)} did not go back ({each.reason}),"
            f" since {each.since}; {each.refund}",
            soft_wrap=True, markup=False,
        )  # fmt: skip
    if found:
        output.print(
            "Pay it by hand, or mend what is wrong; then: storebus resolve ORDER"
            " --refunded-by-hand | --retry --why TEXT",
            soft_wrap=True, markup=False,
        )  # fmt: skip


def _price(money: Money) -> str:
    return price_text(money.amount, money.currency)
