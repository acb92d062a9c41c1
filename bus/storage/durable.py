"""Writes that outlast a power cut: once a function returns, its data is on the disk.

The only place that calls `os.fsync`; databases are SQLite's.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedWriter, FileIO
from pathlib import Path
from typing import BinaryIO

from bus.storage.private import opener


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


def flush(file: FileIO | BufferedWriter) -> None:
    """Wait until all that was written to an open file is on the disk.

    Raises:
        OSError: the disk refuses.
    """
    file.flush()
    os.fsync(file.fileno())


@contextmanager
def new_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write, its owner's alone; what was in it is gone. At the end it is on the disk.

    The folder is not synced: see `sync`.

    Raises:
        OSError: it cannot be written.
    """
    with open(path, "wb", opener=opener) as file:
        yield file
        flush(file)


def append(file: FileIO, line: bytes, end: int) -> int:
    """Write a line at the end of a file, and wait until it is on the disk.

    Args:
        file: open for appending.
        line: what to write.
        end: how long the file is, in bytes.

    Returns:
        How long it is then.

    Raises:
        OSError: the disk is full or broken; nothing of the line is kept.
    """
    rest = memoryview(line)
    try:
        while rest:
            rest = rest[file.write(rest) :]
        flush(file)
    except OSError:
        file.truncate(end)  # half a line would make the whole file unreadable
        raise
    return end + len(line)
