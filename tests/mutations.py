"""Files as disks, editors and careless people damage them: each from a seed."""

import random
from collections.abc import Callable
from pathlib import Path

Mutation = Callable[[random.Random, bytearray], None]


def _place(chance: random.Random, content: bytearray) -> int:
    return chance.randrange(len(content)) if content else 0


def _flip(chance: random.Random, content: bytearray) -> None:
    for _ in range(chance.choice((1, 1, 3, 30))):
        content[_place(chance, content)] ^= 1 << chance.randrange(8)


def _garble(chance: random.Random, content: bytearray) -> None:
    at = _place(chance, content)
    content[at : at + 8] = chance.randbytes(chance.randrange(1, 16))


def _cut(chance: random.Random, content: bytearray) -> None:
    at = _place(chance, content)
    del content[at : at + chance.choice((1, 7, 100, len(content)))]


def _double(chance: random.Random, content: bytearray) -> None:
    at = _place(chance, content)
    content[at:at] = content[at : at + chance.choice((1, 20, 500))]


def _blank(chance: random.Random, content: bytearray) -> None:
    at, length = _place(chance, content), chance.choice((1, 64, 4096))
    length = min(length, len(content) - at)
    content[at : at + length] = chance.choice((b"\0", b"\xff")) * length


def _swap(chance: random.Random, content: bytearray) -> None:
    """A piece of what belongs into such a file, at another place: still half sensible."""
    words = (
        b"null", b"-1", b"1e999", b'""', b"[]", b"{}", b"[[[[[[[[", b"\xff\xfe", b"\xed\xa0\x80",
        b"9" * 40, b"\n", b'"', b"\0", b"true", b"NaN", b"[" * 5000, b"\\ud800",
        b": *x", b"&x [*x]",
    )  # fmt: skip
    at = _place(chance, content)
    content[at : at + chance.choice((0, 1, 4))] = chance.choice(words)


MUTATIONS: tuple[Mutation, ...] = (_flip, _garble, _cut, _double, _blank, _swap, _swap)


def damage(path: Path, seed: int, whole: bytes) -> None:
    """Write a file anew, damaged; the same seed damages it the same way."""
    chance = random.Random(f"{path.name} {seed}")
    content = bytearray(whole)
    for _ in range(chance.choice((1, 1, 2))):
        chance.choice(MUTATIONS)(chance, content)
    path.write_bytes(content)
