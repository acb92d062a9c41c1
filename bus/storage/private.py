"""Files and folders with customers' data: only their owner can read them, whatever the umask.

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
    """An opener for `open` and `FileIO` that makes files for their owner only."""
    return os.open(name, flags, _FILE)


def make_folder(folder: Path) -> None:
    """Make a folder and its parents for their owner only; existing ones stay as they are.

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
    """Make files and folders of an older Storebus private, and log that once.

    Another user's files stay as they are, and so do a home and folders that all may write to, such
    as /tmp.
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
    """Write a file for its owner only, also where it exists.

    Raises:
        OSError: it cannot be written.
    """
    with open(path, "w", encoding="utf-8", opener=opener) as file:
        os.fchmod(file.fileno(), _FILE)
        file.write(text)
