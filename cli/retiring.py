"""`storebus retire`: take a product or style out of the range, or put it back."""

from typing import Annotated

import typer

from bus.contract.catalog import REINSTATE, RETIRE, Retire, RetireReply
from bus.contract.errors import Problem
from bus.contract.refusals import UnknownSku
from bus.runtime.caller import Caller
from bus.text.console import output
from cli import completion, options
from cli.clerk_requests import as_model, ask, connected, reason
from cli.run import run

_NOT_THERE = ("unknown-sku", "unknown-product", "invalid-field")
"""Codes of refusals for a name that is not a style's, or not a product's."""


def retire(
    what: Annotated[
        str,
        typer.Argument(
            metavar="SKU|PRODUCT", help="A style, or a product.", autocompletion=completion.skus
        ),
    ],
    why: options.Why = None,
    back: Annotated[bool, typer.Option("--back", help="Put it back into the range.")] = False,
    product: Annotated[
        bool,
        typer.Option("--product", help="The name is a product's, even if a style has it, too."),
    ] = False,
    by: options.By = options.CLERK,
    as_json: options.AsJson = False,
    broker: options.Broker = None,
    site: options.Site = None,
    data: options.Data = None,
) -> None:
    """Retire a style or a whole product: it is no longer offered, found or sold.

    Customers who scan its label are told so. Existing orders are not affected; its stock stays and
    can be counted. `storebus stock retired` lists what is retired.

    Example: storebus retire OXF-BLU-M --why "last season's"
    """
    why = reason(why, "last season's")
    clerk = connected(broker, site, data, by)
    reply = run(ask(clerk, lambda caller: _retire(caller, what, why, back=back, product=product)))
    if as_json:
        output.print_json(reply.model_dump_json())
        return
    now = "sold again" if back else "no longer sold"
    was = "is being sold" if back else "was retired before"
    if not reply.styles:
        output.print(f"Nothing changed: {what} {was}.", markup=False)
    for style in reply.styles:
        held = f", {style.reserved} of them for orders" if style.reserved else ""
        output.print(f"{style.sku} is {now}; {style.on_hand} on hand{held}.", markup=False)


async def _retire(caller: Caller, what: str, why: str, *, back: bool, product: bool) -> RetireReply:
    """Try the name as a style's first, then as a product's."""
    operation = REINSTATE if back else RETIRE
    fields = [{"product": what, "reason": why}]
    if not product:
        fields.insert(0, {"sku": what, "reason": why})
    for each in fields:
        try:
            reply: RetireReply = await caller.ask(operation, "catalog", as_model(Retire, each))
        except Problem as problem:
            if problem.to_data().code not in _NOT_THERE:
                raise
        else:
            return reply
    raise UnknownSku(f"There is no {'' if product else 'style and no '}product {what}.")
