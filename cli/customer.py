"""`storebus buy`: a customer at a headless terminal."""

from collections.abc import Mapping
from typing import Annotated

import typer
from rich.text import Text

from bus.contract.catalog import Style
from bus.contract.errors import ConfigurationError, Expired, Refused
from bus.contract.refusals import CardNumber
from bus.contract.settlement import AccountPayment, CardPayment, Receipt
from bus.contract.values import Model, looks_like_card_number
from bus.runtime.admission import validate
from bus.text.console import errors, output
from cli import completion, options
from cli.run import run
from devices.terminal.sales_receipt import as_text, sales_receipt, sold_lines
from store.address import broker_url
from store.exit_codes import REFUSED
from store.settings import Settings, read_settings
from store.terminal import TOO_LATE, running_terminal, terminal_name

TerminalName = Annotated[
    str,
    typer.Argument(
        metavar="TERMINAL",
        help="Such as terminal-7.",
        callback=terminal_name,
        autocompletion=completion.terminals,
    ),
]


def buy(
    terminal: TerminalName,
    items: Annotated[
        list[str],
        typer.Argument(
            metavar="SKU=QUANTITY...", help="What to buy.", autocompletion=completion.counted
        ),
    ],
    pay: options.Pay,
    pickup: Annotated[
        str | None,
        typer.Option(
            metavar="POINT",
            help="Pickup point; otherwise the store's default.",
            autocompletion=completion.points,
        ),
    ] = None,
    wait: Annotated[bool, typer.Option(help="Wait for the reminder to collect.")] = True,
    broker: options.Broker = None,
    site: options.Site = None,
    data: options.Data = None,
    as_json: options.AsJson = False,
) -> None:
    """Buy goods, print the receipt, and wait for the reminder to collect them.

    Example: storebus buy terminal-7 OXF-BLU-M=2 --pickup north --pay account:C-1001
    """
    settings = read_settings(site=site, data=data)
    cart, payment = parse_cart(items), parse_payment(pay)
    run(
        _buy(
            terminal, cart, payment, pickup, broker_url(broker, settings), settings,
            wait=wait, as_json=as_json,
        )
    )  # fmt: skip


async def _buy(
    name: str,
    cart: dict[str, int],
    payment: AccountPayment | CardPayment,
    pickup: str | None,
    url: str,
    settings: Settings,
    *,
    wait: bool,
    as_json: bool,
) -> None:
    async with running_terminal(name, url, settings) as terminal:
        styles = await terminal.styles(list(cart))
        overdue: list[bool] = []

        def wait_on() -> None:
            overdue.append(True)
            _say_overdue()

        try:
            receipt = await terminal.buy(cart, styles, payment, pickup, wait_on)
        except Refused as refused:
            if not overdue or refused.to_data().code != Expired.code:
                raise
            errors.print(f"Not bought: {TOO_LATE}", soft_wrap=True)
            raise typer.Exit(REFUSED) from None
        if as_json:
            output.print_json(receipt.model_dump_json())
        else:
            _print_receipt(receipt, styles)
        if not wait:
            return
        if not as_json:
            output.print("Waiting for the goods. Ctrl-C stops waiting; the order goes on.")
        reminder = await terminal.reminded(receipt.order)
        if as_json:
            output.print_json(reminder.model_dump_json())
        else:
            ready, code = ("Ready to collect", "bold"), (reminder.pickup_code, "bold")
            output.print(Text.assemble(ready, f" at {reminder.pickup_point_name}: code ", code))
            for line in reminder.missing:
                output.print(
                    f"  {line.quantity} x {line.sku} could not be found; the money goes back."
                )


def _say_overdue() -> None:
    errors.print(
        "No answer in time: it is not known yet whether this was bought. The terminal keeps asking."
        " Ctrl-C stops it; its next start continues.",
        soft_wrap=True,
    )


def _print_receipt(receipt: Receipt, styles: Mapping[str, Style]) -> None:
    lines = sold_lines(receipt, styles, {})  # the command knows articles by their SKU
    written = sales_receipt("en", "", receipt, lines, receipt.pickup_point)
    output.print(as_text(written), soft_wrap=True, end="")


def parse_cart(items: list[str]) -> dict[str, int]:
    """Parse `SKU=QUANTITY` arguments; a SKU alone means one piece.

    Raises:
        ConfigurationError: an argument has another form.
    """
    cart: dict[str, int] = {}
    for item in items:
        sku, _, quantity = item.partition("=")
        if not sku or not (quantity or "1").isdecimal() or int(quantity or "1") == 0:
            raise ConfigurationError(f"{item!r} is not of the form SKU=QUANTITY, such as SHIRT=2.")
        cart[sku] = cart.get(sku, 0) + int(quantity or "1")
    return cart


def parse_payment(pay: str) -> AccountPayment | CardPayment:
    """Parse `account:C-1001` or `card:tok_...`.

    Raises:
        ConfigurationError: it has another form.
        CardNumber: it contains a card number, which must not be sent.
    """
    if looks_like_card_number(pay):
        raise CardNumber("That looks like a card number; give the provider's token.", field="pay")
    method, _, value = pay.partition(":")
    payment: Model
    if method == "account" and value:
        payment = validate(AccountPayment, {"method": method, "account": value})
    elif method == "card" and value:
        payment = validate(CardPayment, {"method": method, "token": value})
    else:
        raise ConfigurationError("--pay takes account:C-1001 or card:tok_approve.")
    assert isinstance(payment, AccountPayment | CardPayment)
    return payment
