"""`storebus buy`: a customer at a headless terminal."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Annotated

import typer
from rich.text import Text

from bus.contract.catalog import Style
from bus.contract.channel import role_of
from bus.contract.settlement import AccountPayment, CardPayment, Receipt
from bus.contract.terminal import Remind
from bus.contract.values import Model, Money, looks_like_card_number
from bus.errors import CardNumber, ConfigurationError, Expired, Refused, first_error
from bus.gate import validate
from bus.link import MqttConnector
from bus.node import Place
from cli import options
from cli.address import broker_url
from cli.run import REFUSED, errors, output, run
from cli.settings import Settings, read_settings
from cli.tester import completion
from devices.terminal.domain import Bought
from devices.terminal.price import price_text
from devices.terminal.receipt import as_text, paper, sold_lines
from devices.terminal.role import Terminal

_TOO_LATE = "the store could not begin it in time. Nothing was charged."


def terminal_name(name: str) -> str:
    """The name, if it is a terminal's.

    Raises:
        ConfigurationError: it is not.
    """
    if role_of(name) != "terminal":
        raise ConfigurationError(f"{name} is not the name of a terminal, such as terminal-7.")
    return name


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
            help="Pickup point; the store's default if none.",
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
            errors.print(f"Not bought: {_TOO_LATE}", soft_wrap=True)
            raise typer.Exit(REFUSED) from None
        if as_json:
            output.print_json(receipt.model_dump_json())
        else:
            _print_receipt(receipt, styles)
        if not wait:
            return
        if not as_json:
            output.print("Waiting for the goods; Ctrl-C leaves, the order goes on.")
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


def show_outcome(bought: Bought) -> None:
    """What a purchase has come to for which nobody waited any more; beside the output."""
    if bought.receipt is not None:
        order, code = bought.receipt.order, bought.receipt.pickup_code
        what = f" order {order}; pickup code "
        settled = ("An earlier purchase is settled:", "bold")
        errors.print(Text.assemble(settled, what, (code, "bold")))
    elif bought.problem is not None:
        problem = bought.problem
        why = _TOO_LATE if problem.code == Expired.code else problem.detail
        errors.print(
            Text.assemble(("An earlier purchase was not made:", "bold"), f" {why}"), soft_wrap=True
        )


def _say_overdue() -> None:
    errors.print(
        "No answer in time: whether this was bought is not known yet. The terminal goes on asking;"
        " Ctrl-C leaves, and its next start goes on.",
        soft_wrap=True,
    )


def _print_receipt(receipt: Receipt, styles: Mapping[str, Style]) -> None:
    lines = sold_lines(receipt, styles, {})  # the command knows articles by their SKU
    written = paper("en", "", receipt, lines, receipt.pickup_point)
    output.print(as_text(written), soft_wrap=True, end="")


def money_text(money: Money) -> str:
    """Money as people read it."""
    return price_text(money.amount, money.currency)


def parse_cart(items: list[str]) -> dict[str, int]:
    """`SKU=QUANTITY` arguments; a SKU alone is one piece.

    Raises:
        ConfigurationError: not of this form.
    """
    cart: dict[str, int] = {}
    for item in items:
        sku, _, quantity = item.partition("=")
        if not sku or not (quantity or "1").isdecimal() or int(quantity or "1") == 0:
            raise ConfigurationError(f"{item!r} is not of the form SKU=QUANTITY, such as SHIRT=2.")
        cart[sku] = cart.get(sku, 0) + int(quantity or "1")
    return cart


def parse_payment(pay: str) -> AccountPayment | CardPayment:
    """`account:C-1001` or `card:tok_...`.

    Raises:
        ConfigurationError: not of this form.
        CardNumber: it holds a card number, which must not be sent.
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


@asynccontextmanager
async def running_terminal(
    name: str, url: str, settings: Settings, show: Callable[[Remind], None] = lambda _: None
) -> AsyncIterator[Terminal]:
    """A terminal that is on the bus inside the context; `show` is told its reminders.

    Raises:
        BrokerError: there is no broker at the URL.
        RoleTakenError: the same terminal runs elsewhere.
        ConfigurationError: not the name of a terminal.
    """
    terminal_name(name)
    place = Place(MqttConnector(url), settings.site, settings.data, settings.runtime)
    async with running_at(place, name, settings.purchase_patience, show) as terminal:
        yield terminal


@asynccontextmanager
async def running_at(
    place: Place,
    name: str = "terminal-1",
    patience: float = 60.0,
    show: Callable[[Remind], None] = lambda _: None,
) -> AsyncIterator[Terminal]:
    """A terminal at a place; see `running_terminal`."""
    terminal = Terminal(name, place, show, patience, learned=show_outcome)
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(terminal.run(), name=name)
            await terminal.node.ready.wait()
            try:
                yield terminal
            finally:
                terminal.node.stop()
    except ExceptionGroup as group:
        raise first_error(group) from None
