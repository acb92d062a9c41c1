"""The lock of a database: one process plays a node, and none while its files are replaced."""

import fcntl
import os
from pathlib import Path

from bus.contract.errors import JournalError, RoleTakenError
from bus.storage.private import make_folder, opener

RESTORING = "restore-under-way"
"""Lies in a folder whose files are just being exchanged; see `store.restore`."""


def hold(path: Path, *, restoring: bool = False) -> int:
    """Hold a lock file as long as this process lives, also through a crash.

    Args:
        path: the file.
        restoring: the caller replaces the files, and may find that half done.

    Returns:
        The file's descriptor; closing it lets go.

    Raises:
        RoleTakenError: another process holds it.
        JournalError: the folder cannot be used.
    """
    try:
        make_folder(path.parent)
        lock = opener(str(path), os.O_RDWR | os.O_CREAT)
    except OSError as error:
        raise JournalError(f"cannot use the folder {path.parent}: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise RoleTakenError(
            f"another process is running on {path.with_suffix('')}; stop it first"
        ) from None
    if not restoring and path.with_name(RESTORING).exists():
        os.close(lock)
        raise JournalError(
            f"a restore into {path.parent} was interrupted; run it again:"
            f" storebus restore BACKUP --data {path.parent}"
        )
    return lock
