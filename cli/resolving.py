"""`storebus resolve`: end a refund or step that was refused, as a person decides."""

import json
from typing import Annotated

import typer

from bus.contract.errors import ConfigurationError
from bus.contract.settlement import (
    REFUSALS,
    RESOLVE,
    RefundRefusal,
    RefusalList,
    Refusals,
    Resolve,
    Resolved,
    StepRefusal,
)
from bus.runtime.caller import Caller
from bus.text.console import output
from cli import options
from cli.clerk_requests import as_model, ask, connected, reason
from cli.run import run
from commerce.price import money_text


def resolve(
    order: Annotated[
        str | None, typer.Argument(metavar="[ORDER]", help="The order; without it, list all.")
    ] = None,
    by_hand: Annotated[
        bool,
        typer.Option(
            "--refunded-by-hand",
            "--by-hand",
            help="Done by hand: the customer has the money, in cash or by transfer.",
        ),
    ] = False,
    retry: Annotated[
        bool, typer.Option("--retry", help="Ask the provider or role that refused again.")
    ] = False,
    refund: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="One of several refunds or steps; otherwise all."),
    ] = None,
    why: options.Why = None,
    by: options.By = options.CLERK,
    as_json: options.AsJson = False,
    broker: options.Broker = None,
    site: options.Site = None,
    data: options.Data = None,
) -> None:
    """Resolve refunds that the payment provider refused, and other refused compensating steps.

    Without an order, list what waits for a person, and why. Then pay the customer or do the step by
    hand, and say so; or correct the cause and have the request sent again. The order then
    continues, and records who did what and why.

    Example: storebus resolve o-4fmmjyzje4 --refunded-by-hand --why "transferred on Monday"
    """
    clerk = connected(broker, site, data, by)
    if order is None or not (by_hand or retry or why is not None):
        waiting: RefusalList = run(ask(clerk, _waiting))
        both: list[RefundRefusal | StepRefusal] = [*waiting.refusals, *waiting.steps]
        _list([each for each in both if order is None or each.order == order], as_json=as_json)
        return
    if by_hand == retry:
        raise ConfigurationError("Say how to resolve it: --refunded-by-hand or --retry.")
    why = reason(why, "paid in cash")
    how = "by-hand" if by_hand else "retry"
    wanted = as_model(Resolve, {"order": order, "how": how, "refund": refund, "reason": why})
    done: Resolved = run(ask(clerk, lambda caller: caller.ask(RESOLVE, "settlement", wanted)))
    if as_json:
        output.print_json(done.model_dump_json())
        return
    said = [f"{money_text(done.amount)} {_MONEY[how]}"] if done.amount.amount else []
    said += [f"{name} {_STEP[how]}" for name in done.refunds if ".refund." not in name]
    said += [f"{done.order} is {done.state}."]
    output.print("; ".join(said), soft_wrap=True, markup=False)


_MONEY = {"by-hand": "counts as paid back by hand", "retry": "is asked of the provider again"}
_STEP = {"by-hand": "counts as done by hand", "retry": "is asked for again"}


async def _waiting(caller: Caller) -> RefusalList:
    found: RefusalList = await caller.ask(REFUSALS, "settlement", Refusals())
    return found


def _list(found: list[RefundRefusal | StepRefusal], *, as_json: bool) -> None:
    if as_json:
        output.print_json(json.dumps([each.model_dump() for each in found]))
        return
    if not found:
        output.print("No refused refund or step waits for a person.")
    for each in found:
        if isinstance(each, StepRefusal):
            output.print(
                f"{each.order}: {each.callee} refused to {each.operation} ({each.reason}),"
                f" since {each.since}; {each.step}",
                soft_wrap=True, markup=False,
            )  # fmt: skip
            continue
        output.print(
            f"{each.order}: {money_text(each.amount)} did not go back ({each.reason}),"
            f" since {each.since}; {each.refund}",
            soft_wrap=True, markup=False,
        )  # fmt: skip
    if found:
        output.print(
            "Do it by hand, or correct the cause. Then: storebus resolve ORDER"
            " --by-hand | --retry --why TEXT",
            soft_wrap=True, markup=False,
        )  # fmt: skip
