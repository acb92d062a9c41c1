"""`storebus restore`: replace a store's files by a backup."""

from pathlib import Path
from typing import Annotated

import typer

from bus.text.console import output
from cli import options
from store.restore import Restored, restore_store
from store.settings import read_settings

_NAMED = 20


def restore(
    backup: Annotated[
        Path, typer.Argument(metavar="DIR", help="The folder that `storebus backup` wrote.")
    ],
    data: options.Data = None,
) -> None:
    """Replace a closed store's files by a backup; the previous files are moved aside.

    The backup is verified first; if anything is wrong with it, nothing is changed.

    Example: storebus restore /backup/monday --data /var/lib/storebus
    """
    folder = read_settings(data=data).data
    for line in _told(restore_store(backup, folder), folder):
        output.print(line, soft_wrap=True, markup=False)


def _told(done: Restored, folder: Path) -> list[str]:
    made = f" of {done.made}" if done.made else ""
    lines = [f"{len(done.files)} files of the backup{made} are verified and in {folder}."]
    if done.made is None:
        lines.append(
            "An older Storebus made it: each file is whole, but it cannot be checked whether all"
            " are of one moment."
        )
    if done.aside is not None:
        lines.append(f"What was there before was moved to {done.aside}.")
    if done.later is None:
        lines.append(
            "It cannot be known which orders came after the backup: the old files cannot be read."
            " Check the terminals' receipts and the payment provider's list."
        )
    elif done.later:
        named = ", ".join(done.later[:_NAMED])
        more = f" and {len(done.later) - _NAMED} more" if len(done.later) > _NAMED else ""
        lines.append(
            f"{len(done.later)} orders came after the backup, and the store no longer knows them:"
            f" {named}{more}. Settle their payments and parcels by hand."
        )
    elif done.aside is not None:
        lines.append("No order of the old files is missing from the backup.")
    lines.append(f"Now: storebus audit --data {folder}; storebus up --data {folder}")
    return lines
