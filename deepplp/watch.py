"""Ending Python code from outside: when its time is up, or when it has taken too much memory.

Engines count their steps and look at the clock between them. Between two looks they may call code that knows of no
clock: a predicate of ProbLog's that makes a list of a million terms, or one of a user's. A second thread watches such
work. It raises `StoppedError` in the thread at work, as Python itself raises KeyboardInterrupt there on a Ctrl-C, so
that the work ends at its next instruction of Python code. One call of a function in C is not ended within.

The same thread tells of work that takes long.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic, sleep
from typing import Literal, TypeAlias, TypeVar

from deepplp.progress import PROGRESS, Task

__all__ = ["StoppedError", "Used", "call_watched", "resident_memory"]

T = TypeVar("T")
Used: TypeAlias = Literal["seconds", "memory"]
"""What was used up."""

_PERIOD = 0.05  # seconds between two looks
_GRACE = 0.2  # seconds
_IDLE = 2.0  # seconds after which the watching thread ends
_AGAIN = 0.5  # seconds until the exception is raised again, where something has swallowed it
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 0


class StoppedError(BaseException):
    """Raised in the middle of work that has used up what it may use.

    It is no Exception: code that handles what a predicate raises does not handle this. ``notes`` are what the work adds
    as the exception passes: the place and the goal that it was at, the innermost first.
    """

    def __init__(self) -> None:
        super().__init__()
        self.notes: list[object] = []


def call_watched(
    work: Callable[[], T],
    seconds: float | None,
    memory: float | None,
    exceeded: Callable[[Used, list[object]], Exception],
    doing: Callable[[], str] | None = None,
) -> T:
    """The result of ``work()``, which ends soon after some ``seconds`` and in ``memory`` bytes.

    Work that looks at the clock by itself is given a little more time, as it can say better what it was at. The bytes
    are those by which the process grows while the work is done. ``exceeded`` makes the exception for what was used up,
    from the notes of the `StoppedError`; None is no limit. ``doing`` says in words what the work is at: another thread
    tells the user, once the work takes long.
    """
    held = None if memory is None else resident_memory()
    limit = None if memory is None or held is None else held + memory
    now = monotonic()
    deadline = None if seconds is None else now + seconds + _GRACE
    if deadline is None and limit is None and doing is None:
        return work()
    watched = _Watched(threading.get_ident(), deadline, limit, None if doing is None else Task(doing, now))
    try:
        try:
            _WATCHER.begin(watched)
            return work()
        finally:
            _WATCHER.end(watched)
    except StoppedError as stop:
        _WATCHER.end(watched)
        used, notes = watched.used, stop.notes
    except MemoryError:
        used, notes = "memory", []
    except BaseException:
        _WATCHER.end(watched)  # once more, as a Ctrl-C may have come in between
        raise
    # Not within the block above: the exception would keep what the work has made, by way of its traceback.
    raise exceeded(used, notes)


@dataclass(eq=False, slots=True)
class _Watched:
    """Work of a thread, its limits, and what it has used up; ``raised`` is when that was last raised in the thread."""

    thread: int
    deadline: float | None
    limit: float | None
    task: Task | None = None
    used: Used = "seconds"
    raised: float | None = None

    def has_used_up(self, now: float, resident: int | None) -> bool:
        if self.deadline is not None and now >= self.deadline:
            self.used = "seconds"
            return True
        if self.limit is not None and resident is not None and resident > self.limit:
            self.used = "memory"
            return True
        return False


class _Watcher:
    """The thread that watches all others. It ends when it has had nothing to watch for a while."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._work: set[_Watched] = set()
        self._is_running = False

    def begin(self, work: _Watched) -> None:
        with self._lock:
            self._work.add(work)
            if not self._is_running:
                try:
                    threading.Thread(target=self._run, name="deepplp-watch", daemon=True).start()
                    self._is_running = True
                except RuntimeError:  # no thread can be started: the engines' own looks at the clock remain
                    return

    def end(self, work: _Watched) -> None:
        """Let the thread alone from now on."""
        with self._lock:
            self._work.discard(work)
            if work.raised is not None:  # it may be on its way, too late
                _take_back(work.thread)
        if work.task is not None and work.task.is_told:  # which is said under the lock, so that it is not said later
            PROGRESS.end(work.task)

    def _run(self) -> None:
        idle = 0.0
        while idle < _IDLE:
            sleep(_PERIOD)
            with self._lock:
                idle = 0.0 if self._work else idle + _PERIOD
                if idle >= _IDLE:
                    self._is_running = False
                    return
                self._look()
                now = monotonic()
                late = self._late(now)
            PROGRESS.tell(late, now)

    def _look(self) -> None:
        now, resident = monotonic(), resident_memory()
        for work in self._work:
            if work.has_used_up(now, resident) and (work.raised is None or now > work.raised + _AGAIN):
                work.raised = now
                _raise_in(work.thread, StoppedError)

    def _late(self, now: float) -> list[Task]:
        """What is to be told of, the first one first."""
        tasks = [work.task for work in self._work if work.task is not None and work.task.is_late(now)]
        for task in tasks:
            task.is_told = True
        return sorted(tasks, key=lambda task: task.start)

    def renew(self) -> None:
        """Forget other threads: a forked process has none of them, nor the watching one."""
        self._lock = threading.Lock()
        self._work = {work for work in self._work if work.thread == threading.get_ident()}
        self._is_running = False


_WATCHER = _Watcher()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_WATCHER.renew)


def _raise_in(thread: int, exception: type[BaseException] | None) -> None:
    """Raise an exception in a thread at its next instruction, or None, in place of one that is on its way there."""
    handed = ctypes.py_object() if exception is None else ctypes.py_object(exception)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), handed)


class _TakenBackError(BaseException):
    """Comes in place of an exception that is no longer wanted."""


def _take_back(thread: int) -> None:
    """Take back what may be on its way to a thread.

    Python can be told that there is nothing on its way. Python 3.11 then looks for it for ever, before each call, and
    calls nothing any more where a profiler is on. So this thread is sent something else, which it receives.
    """
    if thread != threading.get_ident():
        _raise_in(thread, None)
        return
    interrupt: BaseException | None = None
    is_sent = False
    while True:
        try:
            if not is_sent:
                _raise_in(threading.get_ident(), _TakenBackError)
                is_sent = True
            while True:
                pass
        except _TakenBackError:
            break
        except BaseException as error:  # a Ctrl-C that comes first
            interrupt = error
    if interrupt is not None:
        raise interrupt


def resident_memory(process: int | None = None) -> int | None:
    """The bytes of memory that a process holds now, by default this one; None where the system does not say.

    Where only that is known, it is the most that this process has held.
    """
    try:
        with open(f"/proc/{process or 'self'}/statm", "rb") as file:
            return int(file.read().split()[1]) * _PAGE
    except (OSError, ValueError, IndexError):
        pass
    if sys.platform == "win32" or process is not None:
        return None
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most << 10
