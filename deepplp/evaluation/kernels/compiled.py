"""Compiling with numba: what is kept on disk, when it is made anew, and a word to the user while it is made."""

from __future__ import annotations

import contextlib
import hashlib
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
from numba.core import event

from deepplp.errors import CacheWarning

__all__ = ["compiled", "inlined"]

_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
_PACKAGE = Path(__file__).parents[2]
# What compiled code is made of: numba itself looks at the file of the function that is called, and at no other.
_SOURCES = ("circuit/*.py", "evaluation/readings.py", "evaluation/kernels/[ci]*.py")


def _digest_of_sources() -> str:
    """A digest of the sources."""
    digest = hashlib.sha256()
    for path in sorted(path for pattern in _SOURCES for path in _PACKAGE.glob(pattern)):
        with contextlib.suppress(OSError):  # installed without its sources: they do not change there
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


_DIGEST = _digest_of_sources()


def compiled(function: Callable[..., Any]) -> Any:
    """Compile a function for calls from Python, without the GIL, and keep its machine code on disk.

    The code is kept beside the source, or in a cache folder of the user's. Where neither can be written, every process
    compiles anew. Code that was kept serves until one of the sources changes.
    """
    function.__qualname__ += f"-{_DIGEST}"  # numba names its files by it
    try:
        made = numba.njit(cache=True, **_OPTIONS)(function)
    except RuntimeError:  # no folder that can be written
        _NOTICE.kept = False
        return numba.njit(**_OPTIONS)(function)
    made._cache = _Cache(made._cache)
    return made


class _Cache:
    """Numba's cache of one function, whose failures cost time and nothing else: a full disk, a file that is no code."""

    _has_warned = False

    def __init__(self, cache: Any) -> None:
        self._cache = cache

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cache, name)

    def load_overload(self, signature: Any, target: Any) -> Any:
        """The machine code that was kept, or None."""
        try:
            return self._cache.load_overload(signature, target)
        except Exception as error:  # whatever reading and unpickling may raise
            self._warn("read", error)
            return None

    def save_overload(self, signature: Any, code: Any) -> None:
        """Keep machine code, if that can be."""
        try:
            self._cache.save_overload(signature, code)
        except Exception as error:  # of the file system, or of a file that was there before
            self._warn("keep", error)

    def _warn(self, what: str, error: Exception) -> None:
        if not _Cache._has_warned:
            _Cache._has_warned = True
            warnings.warn(
                f"cannot {what} the kernels' machine code in {self._cache.cache_path}: {error}; it is made anew. Clear "
                "that folder, or name another one by NUMBA_CACHE_DIR",
                CacheWarning,
                stacklevel=3,
            )


def inlined(function: Callable[..., Any], *, forceinline: bool = False) -> Any:
    """Compile a function for calls from compiled ones, as a part of which it is kept."""
    return numba.njit(forceinline=forceinline, **_OPTIONS)(function)


class _Notice(event.Listener):
    """Says once, on a terminal, that machine code is being made: the first query of a machine waits for it."""

    def __init__(self) -> None:
        self.kept = True
        self._said = False

    def on_start(self, event: event.Event) -> None:
        """Called when numba starts to compile a function of anybody's; not when it finds one on disk."""
        ours = event.data["dispatcher"].py_func.__module__.startswith(f"{__package__}.")
        if self._said or not ours or sys.stderr is None or not sys.stderr.isatty():
            return
        self._said = True
        how = "once" if self.kept else "in every process, as no folder can be written; NUMBA_CACHE_DIR names one"
        print(f"deepplp: compiling its kernels for this machine, {how}; this takes some seconds", file=sys.stderr)

    def on_end(self, event: event.Event) -> None:
        """Nothing is said at the end."""


_NOTICE = _Notice()
event.register("numba:compile", _NOTICE)  # type: ignore[no-untyped-call]
