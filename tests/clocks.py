"""Ctrl-C at a chosen place and time by the processor's clock: tests that do not ask how busy the machine is."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

__all__ = ["interrupt_at", "processor_seconds"]

# What this thread has computed for. It stands still while other processes have the processor.
processor_seconds = time.thread_time


@contextmanager
def interrupt_at(call: int) -> Iterator[Callable[[], float]]:
    """Ctrl-C for this process, as a terminal sends it, at the ``call``-th call of Python code of deepplp in the block.

    A signal that comes by the clock may come while Python calls what hangs on a weak reference, or a finaliser, and
    Python drops what is raised there. This one comes where a function of deepplp is entered. Yields a function that
    says how many seconds of the processor this thread has used since then.
    """
    left = call
    pressed: list[float] = []

    def count(frame: FrameType, event: str, _: Any) -> None:
        nonlocal left
        if event != "call" or not frame.f_globals.get("__name__", "").startswith("deepplp."):
            return
        left -= 1
        if left == 0:
            pressed.append(processor_seconds())
            signal.raise_signal(signal.SIGINT)  # Python runs the handler at the end of this call, on this thread

    def since() -> float:
        assert pressed, f"the block made only {call - left} calls"
        return processor_seconds() - pressed[0]

    profile = sys.getprofile()
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background has none
    sys.setprofile(count)
    try:
        yield since
    finally:
        sys.setprofile(profile)
        signal.signal(signal.SIGINT, handler)
