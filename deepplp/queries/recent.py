"""What caches are made of: a bounded dictionary, and a lock that a forked process does not inherit locked."""

from __future__ import annotations

import contextlib
import os
import threading
from collections import OrderedDict
from collections.abc import Hashable
from types import TracebackType
from typing import Generic, TypeVar

__all__ = ["ForkSafeLock", "Recent"]

Key = TypeVar("Key", bound=Hashable)
Kept = TypeVar("Kept")


class Recent(Generic[Key, Kept]):
    """A bounded dictionary that forgets what was not used for longest. Threads may use it at once."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[Key, Kept] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, key: Key) -> bool:
        return key in self._kept

    def find(self, key: Key) -> Kept | None:
        """The value, which counts as used, or None."""
        found = self._kept.get(key)
        if found is not None:
            with contextlib.suppress(KeyError):  # another thread has just let it go
                self._kept.move_to_end(key)
        return found

    def keep(self, key: Key, value: Kept) -> None:
        """Add a value."""
        self._kept[key] = value
        while len(self._kept) > self._most:
            try:
                self._kept.popitem(last=False)
            except KeyError:  # another thread was faster
                return


class ForkSafeLock:
    """A lock for one thread at a time, which may take it again.

    A process that is forked while another thread holds the lock gets one that is free: that thread is not in it.
    """

    def __init__(self) -> None:
        self._renew()

    def _renew(self) -> None:
        self._lock = threading.RLock()
        self._process = os.getpid()

    def __enter__(self) -> None:
        if self._process != os.getpid():
            self._renew()
        self._lock.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()
