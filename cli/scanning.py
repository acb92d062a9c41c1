"""`storebus scan`: look up a label, a picture, or what a scanner sees."""

import sys
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Annotated, cast

import typer
from rich.text import Text

from bus.contract.catalog import Found, Product
from bus.contract.errors import ConfigurationError, Problem
from bus.contract.refusals import SeveralProducts
from bus.text.console import errors, output
from cli import options
from cli.customer import TerminalName
from cli.run import exit_code, run
from commerce.price import money_text
from store.address import broker_url
from store.exit_codes import REFUSED
from store.settings import Settings, read_settings
from store.terminal import running_terminal


def scan(
    terminal: TerminalName,
    code: Annotated[
        str | None,
        typer.Argument(help="A label's image file, a URL, or a GTIN; - for a scanner that types."),
    ] = None,
    serial: Annotated[
        str | None, typer.Option(metavar="PORT", help="A serial scanner, such as /dev/ttyUSB0.")
    ] = None,
    evdev: Annotated[
        str | None, typer.Option(metavar="DEVICE", help="A scanner at /dev/input/by-id/...")
    ] = None,
    camera: Annotated[
        str | None, typer.Option(metavar="DEVICE", help="A camera, such as /dev/video0.")
    ] = None,
    broker: options.Broker = None,
    site: options.Site = None,
    data: options.Data = None,
    as_json: options.AsJson = False,
) -> None:
    """Scan a label: show its product, the styles, and how many are left.

    With a scanner, continue until the scanner ends or Ctrl-C is pressed.

    Example: storebus scan terminal-7 labels/oxford-shirt.png
    """
    from devices.terminal.scanner import codes_from, scanner  # noqa: PLC0415 - pictures: only here

    settings = read_settings(site=site, data=data)
    if sum(each is not None for each in (code, serial, evdev, camera)) != 1:
        raise ConfigurationError("Give one of: a code, -, --serial, --evdev, --camera.")
    url = broker_url(broker, settings)
    if code is not None and code != "-":
        found = _of_one(lambda: run(_look_up(terminal, codes_from(code), url, settings)))
        _print_found(found, as_json=as_json)
        return
    sights = scanner(serial=serial, evdev=evdev, camera=camera)
    if run(_scan(terminal, sights, url, settings, as_json=as_json)):
        raise SystemExit(REFUSED)


def _of_one(look_up: Callable[[], Found]) -> Found:
    """Look up; if a picture shows several products, ask the customer which one."""
    try:
        return look_up()
    except SeveralProducts as several:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise
        for number, each in enumerate(several.found, 1):
            errors.print(f"  {number}  {each.product.name}", soft_wrap=True)
        numbers = {str(number): found for number, found in enumerate(several.found, 1)}
        while (chosen := typer.prompt("Which one?", err=True).strip()) not in numbers:
            errors.print(f"Type a number from 1 to {len(numbers)}.")
        return cast("Found", numbers[chosen])


async def _look_up(name: str, codes: Sequence[str], url: str, settings: Settings) -> Found:
    async with running_terminal(name, url, settings) as terminal:
        return await terminal.scan(*codes)


async def _scan(
    name: str,
    sights: AsyncGenerator[tuple[str, ...], None],
    url: str,
    settings: Settings,
    *,
    as_json: bool,
) -> int:
    """Look up what a scanner sees, one label after another; return how many were refused.

    While a label is held there it is shown once, although a camera's view changes with each frame.
    """
    refused = 0
    told: set[object] = set()
    async with running_terminal(name, url, settings) as terminal, aclosing(sights):
        async for codes in sights:
            if not codes:
                told.clear()
                continue
            try:
                found = await terminal.scan(*codes)
            except (Problem, SeveralProducts) as refusal:
                if str(refusal) not in told:
                    told.add(str(refusal))
                    exit_code(refusal)
                    refused += 1
                continue
            product = found.product.id
            if (product, found.scanned) not in told:
                told |= {(product, found.scanned), (product, None)}
                _print_found(found, as_json=as_json)
    return refused


def _print_found(found: Found, *, as_json: bool) -> None:
    if as_json:
        output.print_json(found.model_dump_json())
    else:
        _print_product(found.product, found.scanned)
        if found.retired is not None:
            output.print(f"{found.retired} is no longer sold.")


def _print_product(product: Product, scanned: str | None) -> None:
    output.print(Text.assemble((product.name, "bold"), f"  {product.url}"), soft_wrap=True)
    if product.description:
        output.print(product.description)
    for style in product.styles:
        mark = ">" if style.sku == scanned else " "
        attributes = ", ".join(style.attributes.values())
        left = f"{style.available} left" if style.available else "sold out"
        price = money_text(style.price)
        output.print(f"{mark} {style.sku:<18} {attributes:<24} {price:>14}  {left}")
