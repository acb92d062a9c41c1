"""Simulations side by side: one process for each core, as they share nothing."""

import _thread
import multiprocessing
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager

CORES = os.cpu_count() or 1
_TIDYING = 2.0
"""Seconds that a simulation which is broken off has to remove its files."""


@contextmanager
def workers(count: int = CORES) -> Iterator[Executor]:
    """So many processes; what they have not begun when the block ends, they never begin.

    They end with the process that started them, however that ends.
    """
    fresh = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(count, mp_context=fresh, initializer=_end_with_parent)
    try:
        yield executor
    finally:
        executor.shutdown(cancel_futures=True)


def _end_with_parent() -> None:
    threading.Thread(target=_watch, daemon=True).start()


def _watch() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    _thread.interrupt_main()
    time.sleep(_TIDYING)
    os._exit(1)
