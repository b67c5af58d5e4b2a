"""Work in a process of its own, which can be ended at any time: libraries in C know no limit within one call.

The process is a copy of this one (fork), so that the work needs no description that could travel. What it returns
travels back. Where a system cannot copy a process, the work is done here, and ends when it ends.
"""

from __future__ import annotations

import ctypes
import os
import pickle
import selectors
import signal
import sys
import time
from collections.abc import Callable
from typing import TypeVar

from deepplp.watch import resident_memory

__all__ = ["ApartError", "call_apart"]

T = TypeVar("T")

_PERIOD = 0.05  # seconds between two looks at the process
_CHUNK = 1 << 20
_PR_SET_PDEATHSIG = 1  # of Linux's prctl


class ApartError(Exception):
    """The work was ended: it has used up its ``seconds`` or its ``memory``, or its process has ``died``."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def call_apart(work: Callable[[], T], seconds: float | None, memory: float | None = None) -> T:
    """The result of ``work()``, done in a process of its own. What the work changes is lost but for the result.

    The process ends with this call, however that ends: by the result, by an exception of the work's, after some
    ``seconds``, at ``memory`` bytes more than it has soon after its start, or by a Ctrl-C.

    Raises:
        ApartError: the work has used up what it may use, or its process has died.
    """
    if not hasattr(os, "fork"):
        return work()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _work_and_exit(work, writer, seconds)
    try:
        os.close(writer)
        answer = _answer(reader, child, seconds, memory)
    finally:
        os.close(reader)
        os.kill(child, signal.SIGKILL)  # it has ended or is to end
        os.waitpid(child, 0)
    if not answer:
        raise ApartError("died")
    result, error = pickle.loads(answer)
    if error is not None:
        raise error
    found: T = result
    return found


def _answer(reader: int, child: int, seconds: float | None, memory: float | None) -> bytes:
    """What the process writes until it closes its end."""
    deadline = None if seconds is None else time.monotonic() + seconds
    held: int | None = None  # when the process is looked at first
    chunks: list[bytes] = []
    with selectors.DefaultSelector() as selector:
        selector.register(reader, selectors.EVENT_READ)
        while True:
            if selector.select(_PERIOD):
                chunk = os.read(reader, _CHUNK)
                if not chunk:
                    return b"".join(chunks)
                chunks.append(chunk)
            if deadline is not None and time.monotonic() > deadline:
                raise ApartError("seconds")
            resident = None if memory is None else resident_memory(child)
            if memory is not None and resident is not None:
                held = resident if held is None else held
                if resident - held > memory:
                    raise ApartError("memory")


def _work_and_exit(work: Callable[[], object], writer: int, seconds: float | None) -> None:
    """The life of the process."""
    try:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a terminal sends a Ctrl-C to it, too
        if sys.platform == "linux":  # it ends where its parent has ended
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if seconds is not None:  # the system ends it where the parent is not there any more
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_REAL, seconds + 1)
        try:
            answer = pickle.dumps((work(), None))
        except Exception as error:
            answer = pickle.dumps((None, error))
        while answer:
            answer = answer[os.write(writer, answer) :]
    finally:
        os._exit(0)
