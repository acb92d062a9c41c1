"""For processes of tests: a wall clock that the test sets while they run. See faked_time.py.

libfaketime cannot do that under a running process: its sleeps and waits fail when it does.
"""

import os
import time
from pathlib import Path

_FILE = Path(os.environ["STOREBUS_TEST_CLOCK"])
_time_ns = time.time_ns


def _ahead() -> int:
    return int(_FILE.read_text(encoding="ascii")) * 1_000_000_000


time.time_ns = lambda: _time_ns() + _ahead()
time.time = lambda: time.time_ns() / 1e9
