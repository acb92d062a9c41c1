"""Disks of a few megabytes that fill up or fail; they need `disk`, and are always unmounted."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from needs import find, leave_out


def _run(program: str, *arguments: str) -> int:
    """Run one of an administrator's programs; its exit code."""
    command = (find(program) or program, *arguments)
    done = subprocess.run(command, capture_output=True, check=False, timeout=20)
    return done.returncode


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """2 MiB of memory as a file system."""
    with _mounted(folder, "-t", "tmpfs", "-o", "size=2m", "storebus-test"):
        yield folder


@contextmanager
def failing_disk(folder: Path) -> Iterator[Path]:
    """8 MiB of an ext4 file system in a file, which turns read-only at its first error."""
    image = folder.with_suffix(".image")
    with image.open("wb") as file:
        file.truncate(8 << 20)
    assert _run("mkfs.ext4", "-q", str(image)) == 0
    with _mounted(folder, "-o", "loop,errors=remount-ro", str(image)):
        if not os.access(_switch(folder), os.W_OK):
            leave_out("failing-disk")
        yield folder


@contextmanager
def _mounted(folder: Path, *what: str) -> Iterator[None]:
    folder.mkdir(exist_ok=True)
    if _run("mount", *what, str(folder)):
        leave_out("disk")  # not every container lets its root do it
    try:
        yield
    finally:
        if _run("umount", str(folder)):
            assert _run("umount", "-l", str(folder)) == 0


def fail(folder: Path) -> None:
    """Let a failing disk find an error: from now on it can only be read."""
    _switch(folder).write_text("a test's error")


def _switch(folder: Path) -> Path:
    """Where the kernel lets an ext4 fail, if it does."""
    device = next(
        Path(line.split()[0]).name
        for line in Path("/proc/mounts").read_text().splitlines()
        if line.split()[1] == str(folder)
    )
    return Path(f"/sys/fs/ext4/{device}/trigger_fs_error")


def repair(folder: Path) -> None:
    """What an operator does: unmount, check, mount again."""
    image = folder.with_suffix(".image")
    assert _run("umount", str(folder)) == 0
    _run("fsck.ext4", "-p", str(image))  # its exit code is 1 for what it corrected
    assert _run("mount", "-o", "loop,errors=remount-ro", str(image), str(folder)) == 0


def fill(folder: Path) -> Path:
    """Write until not one byte more fits; the file to remove to make room."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (65_536, 4096, 1):
            try:
                while file.write(b"\0" * size) == size:
                    pass
            except OSError:
                continue
    return ballast
