"""`storebus asyncapi`: the contract as a document, for device builders and their tools."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from bus.contract.errors import ConfigurationError
from bus.text.console import output
from cli import options


def asyncapi(
    as_json: options.AsJson = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Write all files into DIR instead of printing."),
    ] = None,
    release: Annotated[
        bool,
        typer.Option("--release", help="With --out: compare later contracts with this one."),
    ] = False,
) -> None:
    """Print the contract as an AsyncAPI 3.0 document in YAML.

    With --out, write it as YAML and JSON, with a JSON Schema for each message and a page to read.
    The exit code is 2 if a device of the released contract would break.

    Example: storebus asyncapi --out docs/contract
    """
    from schema import document, published  # noqa: PLC0415 - no other command needs YAML

    if out is None:
        if release:
            raise ConfigurationError("--release needs --out.")
        described = document.document()
        text = published.as_json(described) if as_json else published.as_yaml(described)
        sys.stdout.write(text)
        return
    if release:
        output.print(f"{published.release(out)} is what later contracts are compared with.")
    output.print(f"{published.write(out)} files of the contract are in {out}.", soft_wrap=True)
    published.require_compatible(out)
