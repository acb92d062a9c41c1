"""Scanners give one code after the other, whatever they hang on, and say what is missing."""

import importlib
import os
import sys
import tty
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from needs import require
from PIL import Image

from bus.contract.errors import ConfigurationError
from devices.terminal.scanner.camera import camera
from devices.terminal.scanner.input_device import KeyDecoder, evdev_scanner
from devices.terminal.scanner.lines import LineBuffer
from devices.terminal.scanner.serial_port import serial_scanner
from devices.terminal.scanner.wedge import wedge
from labels.label import Label, draw_png

Seen = TypeVar("Seen")
LINK = "https://shop.example/01/09506000134352"
OTHER = "https://shop.example/01/09506000134369"


@pytest.fixture
def pseudoterminal() -> Iterator[tuple[int, str]]:
    """The scanner's end, and where the program finds it."""
    scanner, port = os.openpty()
    tty.setraw(port)
    path = os.ttyname(port)
    yield scanner, path
    for descriptor in (scanner, port):
        try:
            os.close(descriptor)
        except OSError:
            assert descriptor == scanner  # unplugged by the test


async def all_of(codes: AsyncGenerator[Seen, None]) -> list[Seen]:
    return [code async for code in codes]


# Serial


async def test_a_serial_scanner_gives_codes_until_it_is_unplugged(
    pseudoterminal: tuple[int, str],
) -> None:
    scanner, path = pseudoterminal
    codes = serial_scanner(path)
    os.write(scanner, f"{LINK}\r\n]d20109506000134352".encode())

    assert await anext(codes) == LINK
    os.write(scanner, b"10A\x1d21X\r")
    assert await anext(codes) == "]d2010950600013435210A\x1d21X"
    os.write(scanner, b"4006381333931\r")
    assert await anext(codes) == "4006381333931"
    os.close(scanner)
    assert await all_of(codes) == []


async def test_a_serial_port_that_is_not_there_or_taken_is_one_sentence(
    pseudoterminal: tuple[int, str], tmp_path: Path
) -> None:
    scanner, path = pseudoterminal
    first = serial_scanner(path)
    os.write(scanner, b"1\n")
    assert await anext(first) == "1"

    for port in (path, str(tmp_path / "ttyUSB0")):
        with pytest.raises(ConfigurationError, match=f"no serial scanner at {port}"):
            serial_scanner(port)
    await first.aclose()


async def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for package, scanner, extra in (
        ("serial", serial_scanner, "storebus[serial]"),
        ("evdev", evdev_scanner, "storebus[evdev]"),
        ("av", camera, "storebus[camera]"),
    ):
        monkeypatch.setitem(sys.modules, package, None)
        with pytest.raises(ConfigurationError) as missing:
            await anext(scanner("/dev/any"))
        assert extra in str(missing.value)


# A scanner that types


async def test_a_wedge_gives_each_line_and_the_last_one_without_enter() -> None:
    read, write = os.pipe()
    codes = wedge(read)
    os.write(write, f"{LINK}\n\n".encode())

    assert await anext(codes) == LINK
    os.write(write, b"950600")
    os.write(write, b"0134352")
    os.close(write)
    assert await all_of(codes) == ["9506000134352"]
    os.close(read)


async def test_a_wedge_reads_a_file_as_well(tmp_path: Path) -> None:
    file = tmp_path / "codes.txt"
    file.write_text(f"{LINK}\n{OTHER}\n")
    with file.open() as opened:
        assert await all_of(wedge(opened.fileno())) == [LINK, OTHER]


@given(st.lists(st.text("ab1\x1d", min_size=1), max_size=5), st.data())
def test_codes_are_the_same_however_they_are_cut_into_pieces(
    codes: list[str], data: st.DataObject
) -> None:
    whole = b"".join(code.encode() + b"\r\n" for code in codes)
    lines, found = LineBuffer(), []
    while whole:
        length = data.draw(st.integers(1, len(whole)))
        found += lines.feed(whole[:length])
        whole = whole[length:]

    assert found == codes


def test_noise_and_lines_without_end_are_left_out() -> None:
    lines = LineBuffer()

    assert lines.feed(b"x" * 5000) == []
    assert lines.feed(b"x" * 5000 + b"\n123\x07\xff\n") == ["123\ufffd"]


def test_what_an_address_is_written_with_stays_in_it() -> None:
    address = "https://shop.example/\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"

    assert LineBuffer().feed(f"{address}\u202e\r".encode()) == [address]


# An input device


def typed(keys: KeyDecoder, *strokes: str) -> list[str]:
    codes = []
    for stroke in strokes:
        *modifiers, key = stroke.split("+")
        for modifier in modifiers:
            keys.press(f"KEY_{modifier}", down=True)
        code = keys.press(f"KEY_{key}", down=True)
        for each in (key, *modifiers):
            keys.press(f"KEY_{each}", down=False)
        codes += [code] if code is not None else []
    return codes


def test_keys_become_a_link() -> None:
    strokes = [*"HTTPS", "LEFTSHIFT+SEMICOLON", "SLASH", "SLASH", "A", "DOT", "RIGHTSHIFT+B"]

    assert typed(KeyDecoder(), *strokes, "ENTER") == ["https://a.B"]


def test_the_separator_of_gs1_is_typed_as_control_and_bracket() -> None:
    strokes = ["RIGHTBRACE", "D", "KP2", "LEFTCTRL+RIGHTBRACE", "1", "KPENTER", "TAB", "2", "TAB"]

    assert typed(KeyDecoder(), *strokes) == ["]d2\x1d1", "2"]


async def test_an_input_device_is_read_as_it_types() -> None:
    require("evdev", "uinput")
    evdev: Any = importlib.import_module("evdev")
    with evdev.UInput() as keyboard:
        codes = evdev_scanner(keyboard.device.path)
        waiting = anext(codes)
        for key in ("KEY_4", "KEY_2", "KEY_ENTER"):
            for value in (1, 0):
                keyboard.write(evdev.ecodes.EV_KEY, evdev.ecodes.ecodes[key], value)
        keyboard.syn()
        assert await waiting == "42"
        await codes.aclose()


@pytest.mark.needs("evdev")
async def test_an_input_device_that_is_not_there_is_one_sentence() -> None:
    with pytest.raises(ConfigurationError, match="no scanner at /dev/input/nothing"):
        await anext(evdev_scanner("/dev/input/nothing"))


# A camera


def film(folder: Path, *scenes: str) -> str:
    """A video: each scene is a second of a label held there, or of an empty table."""
    require("av")
    av: Any = importlib.import_module("av")
    path = folder / "film.avi"
    with av.open(str(path), "w") as opened:
        stream = opened.add_stream("mjpeg", rate=30)
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuvj420p"
        for scene in scenes:
            picture = Image.new("RGB", (640, 480), "white")
            if scene:
                (folder / "label.png").write_bytes(draw_png(Label(scene, "Shirt", "59.00 EUR")))
                with Image.open(folder / "label.png") as label:
                    picture.paste(label.convert("RGB").resize((320, 400)), (150, 30))
            for _ in range(30):
                opened.mux(stream.encode(av.VideoFrame.from_image(picture)))
        opened.mux(stream.encode(None))
    return str(path)


async def test_a_camera_tells_what_it_sees_once_while_it_is_held_there(tmp_path: Path) -> None:
    path = film(tmp_path, LINK, "", LINK, OTHER)

    assert await all_of(camera(path)) == [(LINK,), (), (LINK,), (OTHER,)]


@pytest.mark.needs("av")
async def test_a_camera_that_is_not_there_is_one_sentence() -> None:
    with pytest.raises(ConfigurationError, match="no camera at /dev/video99"):
        await anext(camera("/dev/video99"))
