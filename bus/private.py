"""Files and folders with customers' data: for their owner only, whatever the umask.

They hold pickup codes, account numbers and card tokens.
"""

import os
import stat
from contextlib import suppress
from pathlib import Path

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


def sync(path: Path) -> None:
    """Wait until a file, or a folder's list of files, is on the disk.

    Raises:
        OSError: the disk refuses.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_open_to_others(path: Path) -> bool:
    """Whether another user of this machine may read or change it."""
    with suppress(OSError):
        return bool(stat.S_IMODE(path.stat().st_mode) & _OTHERS)
    return False


def tighten(path: Path) -> bool:
    """Take an older file away from others; whether there was something to take.

    Nothing is done to another user's file: its node says so when it cannot write it.
    """
    if not is_open_to_others(path):
        return False
    with suppress(OSError):
        path.chmod(_FOLDER if path.is_dir() else _FILE)
        return True
    return False
