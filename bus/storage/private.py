"""Files and folders with customers' data: for their owner only, whatever the umask.

They hold pickup codes, account numbers and card tokens.
"""

import logging
import os
import stat
from contextlib import suppress
from pathlib import Path

logger = logging.getLogger("storebus.files")

_FILE, _FOLDER = 0o600, 0o700
_OTHERS = 0o077


def opener(name: str, flags: int) -> int:
    """For `open` and `FileIO`: a file that is made is its owner's alone."""
    return os.open(name, flags, _FILE)


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it, for its owner only; one that is there stays as it is.

    Raises:
        OSError: it cannot be made.
    """
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(mode=_FOLDER, exist_ok=True)


def is_open_to_others(path: Path) -> bool:
    """Whether another user of this machine may read or change it."""
    with suppress(OSError):
        return bool(path.stat().st_mode & _OTHERS)
    return False


def tighten(*paths: Path) -> None:
    """Take files and folders of an older Storebus away from other users; that is said, once.

    Nothing is done to another user's file: whoever cannot write it says so. A folder that all
    may write to, such as /tmp, and a home stay as they are.
    """
    tightened = []
    for path in filter(is_open_to_others, paths):
        if path.stat().st_mode & stat.S_ISVTX or path.absolute() == Path.home():
            continue
        with suppress(OSError):
            path.chmod(_FOLDER if path.is_dir() else _FILE)
            tightened.append(path)
    if tightened:
        names = ", ".join(path.name for path in tightened)
        logger.warning(
            "Other users of this machine could read %s in %s; now only the owner can",
            names, tightened[0].parent,
        )  # fmt: skip


def write_text(path: Path, text: str) -> None:
    """Write a file that is its owner's alone, also where it was there before.

    Raises:
        OSError: it cannot be written.
    """
    with open(path, "w", encoding="utf-8", opener=opener) as file:
        os.fchmod(file.fileno(), _FILE)
        file.write(text)
