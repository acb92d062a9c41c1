"""Simulations side by side: one process for each core, as they share nothing."""

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager

CORES = os.cpu_count() or 1


@contextmanager
def workers(count: int = CORES) -> Iterator[Executor]:
    """So many processes; what they have not begun when the block ends, they never begin."""
    fresh = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(count, mp_context=fresh)
    try:
        yield executor
    finally:
        executor.shutdown(cancel_futures=True)
