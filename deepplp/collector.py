"""Python's cycle collector, switched off while something makes millions of objects and hardly a cycle.

Grounding and compilation do. Looking for cycles among such objects takes a tenth of their time. It also calls what
other libraries hang on the collector, and Python drops a Ctrl-C that arrives while such a callback runs.
"""

from __future__ import annotations

import gc
import os
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["collector_paused"]


class _Pauses:
    """How many pauses each thread is in, and whether the collector ran before the first of them.

    The collector is one for the process, so its pauses are counted for the process.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._depths: Counter[int] = Counter()
        self._was_enabled = False

    def enter(self) -> None:
        with self._lock:
            if not self._depths:
                self._was_enabled = gc.isenabled()
                gc.disable()
            self._depths[threading.get_ident()] += 1

    def leave(self) -> None:
        thread = threading.get_ident()
        with self._lock:
            self._depths[thread] -= 1
            if not self._depths[thread]:
                del self._depths[thread]
            if not self._depths and self._was_enabled:
                gc.enable()

    def keep_own(self) -> None:
        """Forget the pauses of other threads: a forked child has none of them."""
        thread = threading.get_ident()
        self._lock = threading.Lock()  # another thread may have held it when the process was forked
        paused = bool(self._depths)
        self._depths = Counter({thread: self._depths[thread]} if self._depths[thread] else {})
        if paused and not self._depths and self._was_enabled:
            gc.enable()


_PAUSES = _Pauses()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_PAUSES.keep_own)


@contextmanager
def collector_paused() -> Iterator[None]:
    """Switch Python's cycle collector off for a block.

    Blocks may be nested, and several threads may be in one at once: the collector is switched on again when the last
    block ends, and only if it was on when the first began.
    """
    _PAUSES.enter()
    try:
        yield
    finally:
        _PAUSES.leave()
