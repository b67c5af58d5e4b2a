"""A thread pool for the kernel that survives forks and serves several Python threads at once.

numba's own parallel layers do neither everywhere: the default one aborts the process when two threads enter it, others
when a process forks after its first use. The kernels release the GIL, so that plain threads are as good.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

__all__ = ["available_cpus", "for_ranges"]


class _Pool:
    """One executor a process, made at first use and forgotten after a fork (its threads do not live in the child)."""

    def __init__(self) -> None:
        self.forget()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self.forget)

    def forget(self) -> None:
        self._lock = threading.Lock()
        self._executor: ThreadPoolExecutor | None = None

    def executor(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._executor is None:
                self._executor = ThreadPoolExecutor(max(1, available_cpus() - 1), thread_name_prefix="deepplp")
            return self._executor


_POOL = _Pool()


def available_cpus() -> int:
    """The processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def for_ranges(function: Callable[[int, int], None], count: int, threads: int, piece: int | None = None) -> None:
    """Call ``function(first, last)`` so that the ranges cover 0 … count - 1, on several threads at once.

    The caller's thread takes a share. No call covers more than ``piece`` numbers: between two calls an interrupt or an
    error in any share ends the other shares, too. The first error is raised after all of them ended.
    """
    threads = max(1, min(threads, count))
    step = max(1, count if piece is None else piece)
    over = threading.Event()

    def share(start: int, end: int) -> None:
        try:
            for first in range(start, end, step):
                if over.is_set():
                    return
                function(first, min(first + step, end))
        except BaseException:
            over.set()
            raise

    if threads == 1:
        share(0, count)
        return
    bounds = [count * i // threads for i in range(threads + 1)]
    executor = _POOL.executor()
    futures = [executor.submit(share, bounds[i], bounds[i + 1]) for i in range(1, threads)]
    try:
        share(bounds[0], bounds[1])
    finally:
        errors = [f.exception() for f in futures]
    for error in errors:
        if error is not None:
            raise error
