"""Disks of a few megabytes that fill up or fail; they need root and are always unmounted."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    if done.returncode:
        pytest.skip(f"{command[0]} is not possible here: {done.stderr.strip()[:200]}")


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
    _run("mkfs.ext4", "-q", str(image))
    with _mounted(folder, "-o", "loop,errors=remount-ro", str(image)):
        yield folder


@contextmanager
def _mounted(folder: Path, *what: str) -> Iterator[None]:
    folder.mkdir(exist_ok=True)
    if os.geteuid() != 0:
        pytest.skip("only root can mount a disk")
    _run("mount", *what, str(folder))
    try:
        yield
    finally:
        lazily = subprocess.run(("umount", str(folder)), check=False, capture_output=True)
        if lazily.returncode:
            subprocess.run(("umount", "-l", str(folder)), check=True)


def fail(folder: Path) -> None:
    """Let a failing disk find an error: from now on it can only be read."""
    device = next(
        Path(line.split()[0]).name
        for line in Path("/proc/mounts").read_text().splitlines()
        if line.split()[1] == str(folder)
    )
    switch = Path(f"/sys/fs/ext4/{device}/trigger_fs_error")
    if not switch.exists():
        pytest.skip("this kernel cannot let an ext4 fail")
    switch.write_text("a test's error")


def repair(folder: Path) -> None:
    """What an operator does: unmount, check, mount again."""
    image = folder.with_suffix(".image")
    subprocess.run(("umount", str(folder)), check=True)
    # Its exit code is 1 for what it corrected.
    subprocess.run(("fsck.ext4", "-p", str(image)), check=False, capture_output=True)
    _run("mount", "-o", "loop,errors=remount-ro", str(image), str(folder))


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
