"""What long work says of itself: a line on a terminal, and records of the logger ``deepplp``.

The thread that watches the work tells of it, so that the work itself pays nothing. There is one line at a time, that of
the work which began first. Records are at INFO; each comes after twice the time of the one before.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["PROGRESS", "Progress", "Task"]

_LATE = 1.0  # seconds that work takes before anything is said
_REDRAWN = 0.2  # seconds
_LOGGER = logging.getLogger("deepplp")


@dataclass(eq=False, slots=True)
class Task:
    """A piece of work. ``doing`` says in words what it is at: it is called by another thread, and is to be quick."""

    doing: Callable[[], str]
    start: float
    is_told: bool = False
    next_record: float = 0.0  # seconds after the start
    is_over: bool = False
    has_no_line: bool = False

    def is_late(self, now: float) -> bool:
        """Whether the work has taken so long that it is told of."""
        return now >= self.start + _LATE


class Progress:
    """Tells of tasks. No exception comes out of it: neither one of a terminal's nor one of ``doing``."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._shown: Task | None = None
        self._console: Console | None = None
        self._next_line = 0.0
        self._is_forked = False

    def at_forks(self) -> None:
        """From now on have forks wait, so that no process begins with a line or an import that is half done."""
        if hasattr(os, "register_at_fork"):
            lock = self._lock
            os.register_at_fork(before=lock.acquire, after_in_parent=lock.release, after_in_child=self._renew)

    def tell(self, tasks: Sequence[Task], now: float) -> None:
        """Tell of the tasks that are late, the first one first; called again and again, by one thread."""
        for task in tasks:
            seconds = now - task.start
            if seconds >= task.next_record:
                task.next_record = 2 * seconds
                if _LOGGER.isEnabledFor(logging.INFO):
                    self._record(task, seconds)
        with self._lock:
            first = next((task for task in tasks if not task.is_over), None)
            if self._shown is not None and self._shown is not first:
                self._erase()
            if first is not None and not first.has_no_line and (self._shown is None or now >= self._next_line):
                self._next_line = now + _REDRAWN
                self._draw(first, now)

    def end(self, task: Task) -> None:
        """Tell no more of a task: its line is gone when this returns."""
        with self._lock:
            task.is_over = True
            if self._shown is task:
                self._erase()

    def _record(self, task: Task, seconds: float) -> None:
        with self._lock:
            self._erase()  # a handler may write to the terminal
        # The lock is not held meanwhile, as handlers have locks of their own.
        with contextlib.suppress(Exception):
            _LOGGER.info("%s (after %.0f s)", task.doing(), seconds)

    def _draw(self, task: Task, now: float) -> None:
        try:
            if self._console is None:
                self._console = None if self._is_forked else _terminal()
            if self._console is None:
                task.has_no_line = True
                return
            try:
                text = task.doing()
            except Exception:  # the work has changed what was read: the next look is another chance
                return
            self._shown = task
            _write(self._console, f"{text}, {now - task.start:.0f} s")
        except Exception:  # of a terminal that has gone, or of whatever stands for one
            task.has_no_line = True
            self._shown = self._console = None

    def _erase(self) -> None:
        if self._shown is not None and self._console is not None:
            with contextlib.suppress(Exception):
                _write(self._console, "")
        self._shown = self._console = None  # at last, so that an interrupt before leaves it to the next call

    def _renew(self) -> None:
        """In a forked process there is no line: the terminal is its parent's."""
        self._shown = self._console = None
        self._is_forked = True
        self._lock.release()


def _terminal() -> Console | None:
    """Standard error, where it is a terminal on which a line can be written anew."""
    stream = sys.stderr
    if stream is None or not stream.isatty():
        return None
    import multiprocessing

    if multiprocessing.parent_process() is not None:  # one of several, of which only the parent has a line
        return None
    from rich.console import Console

    console = Console(file=stream)
    return console if console.is_terminal and not console.is_dumb_terminal else None


def _write(console: Console, line: str) -> None:
    """Write a line in place of the one that the cursor is on. It is cut to the terminal's width."""
    from rich.control import Control
    from rich.segment import ControlType
    from rich.text import Text

    text = Text("".join(c if c.isprintable() else " " for c in line), end="", no_wrap=True)
    text.truncate(console.width - 1, overflow="crop")
    with console:  # written at once
        console.control(Control(ControlType.CARRIAGE_RETURN, (ControlType.ERASE_IN_LINE, 2)))
        console.print(text, end="", highlight=False)


PROGRESS = Progress()
PROGRESS.at_forks()
