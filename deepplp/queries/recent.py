"""What caches are made of: a bounded dictionary."""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

__all__ = ["Recent"]

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
