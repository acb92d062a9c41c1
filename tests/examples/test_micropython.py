"""What is promised of the terminal for MicroPython, whose memory is small."""

from device_process import MICROPYTHON


def test_the_terminal_for_micropython_has_less_than_150_lines_of_code() -> None:
    lines = [line.strip() for line in MICROPYTHON.script.read_text().splitlines()]
    assert len([line for line in lines if line and not line.startswith(("#", '"""'))]) < 150
