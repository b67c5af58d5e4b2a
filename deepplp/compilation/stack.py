"""Room on the stack for libsdd, whose operations recurse as deep as the vtree."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from deepplp.locks import ForkSafeLock

__all__ = ["call_with_deep_stack"]

T = TypeVar("T")

_SMALLEST = 64 << 20
_LARGEST = 8 << 30
_BYTES_PER_LEVEL = 96 << 10  # several times what was seen: about 13 KiB a level
_LOCK = ForkSafeLock()  # threading.stack_size is a setting of the process


def call_with_deep_stack(function: Callable[[threading.Event], T], levels: int) -> T:
    """Call a function in a thread whose stack holds ``levels`` levels of libsdd's recursion.

    The stack is address space, not memory: only the pages that are touched cost anything. The function is given an
    event that is set where the caller is interrupted, and must then come to its end.
    """
    stop = threading.Event()
    outcome: list[T] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(function(stop))
        except BaseException as error:  # handed on to the caller, KeyboardInterrupt too
            failure.append(error)

    size = min(max(_SMALLEST, levels * _BYTES_PER_LEVEL), _LARGEST)
    thread = _start(run, size)
    try:
        thread.join()
    except BaseException:
        stop.set()
        raise
    if failure:
        try:
            raise failure[0]
        finally:
            failure.clear()  # the traceback must not keep itself alive
    return outcome[0]


def _start(run: Callable[[], None], size: int) -> threading.Thread:
    while True:
        with _LOCK:
            before = threading.stack_size(size)
            try:
                thread = threading.Thread(target=run, name="deepplp-compilation", daemon=True)
                thread.start()
                return thread
            except RuntimeError:  # the system refuses so much address space
                if size <= _SMALLEST:
                    raise
                size //= 2
            finally:
                threading.stack_size(before)
