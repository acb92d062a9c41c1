"""`storebus backup`: copy a store's files while it runs."""

from pathlib import Path
from typing import Annotated

import typer

from bus.text.console import output
from cli import options
from store.backup import copy_store
from store.settings import read_settings


def backup(
    target: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")],
    data: options.Data = None,
) -> None:
    """Copy a store's databases and effect logs into DIR while it runs.

    To restore it: storebus restore DIR

    Example: storebus backup /backup/monday --data /var/lib/storebus
    """
    copied = copy_store(read_settings(data=data).data, target)
    size = sum((target / name).stat().st_size for name in copied)
    output.print(f"{len(copied)} files, {size / 1e6:.1f} MB, are in {target}.", soft_wrap=True)
