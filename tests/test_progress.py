"""What long work says of itself: a line on a terminal that is gone at the end, and records of a logger."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import TextIO

import pytest

from deepplp import progress
from deepplp.compilation import CompileBudget, compile_formula
from deepplp.errors import BudgetExceededError
from deepplp.progress import PROGRESS, Progress, Task
from deepplp.watch import Used, call_watched
from tests.test_budgets import hard
from tests.test_threads import _wait, needs_fork

needs_terminals = pytest.mark.skipif(not hasattr(os, "openpty"), reason="this system has no pseudo-terminals")

ERASE = "\r\x1b[2K"

# A process that grounds slowly or quickly, and then prints on standard error, prints an error or is interrupted.
GROUND = """
import _thread, sys, threading, time
from deepplp.grounding import Grounder, PythonFunction
from deepplp.program import Program, parse_goal

def slow(x):
    if {interrupted}:
        threading.Timer(1.5, _thread.interrupt_main).start()
    for _ in range(int({seconds} / 0.01)):
        time.sleep(0.01)
    return x

program = Program.from_string("0.4::a(1). q(Y) :- a(X), slow(X, Y).")
grounder = Grounder(program, functions=[PythonFunction("slow", slow, 1, False, False)])
try:
    grounder.ground([parse_goal("q(Y)")])
    text = "end"
except KeyboardInterrupt:
    text = "interrupted"
print(text, "rich" in sys.modules, file=sys.stderr)
"""


@pytest.fixture(autouse=True)
def some_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the terminal is does not depend on where the tests run."""
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "NO_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")


def read(terminal: int) -> str:
    """All that has been written to a terminal."""
    os.set_blocking(terminal, False)
    parts: list[bytes] = []
    with contextlib.suppress(BlockingIOError):
        while part := os.read(terminal, 1 << 16):
            parts.append(part)
    return b"".join(parts).decode()


def said(seconds: float, terminal: bool, interrupted: bool = False) -> str:
    """What a new process says on standard error, which is a terminal or not."""
    command = [sys.executable, "-c", GROUND.format(seconds=seconds, interrupted=interrupted)]
    if not terminal:
        return subprocess.run(command, stderr=subprocess.PIPE, text=True, timeout=60, check=True).stderr
    ours, theirs = os.openpty()
    try:
        subprocess.run(command, stderr=theirs, timeout=60, check=True)
        return read(ours)
    finally:
        os.close(ours)
        os.close(theirs)


def seen(text: str) -> str:
    """The lines that a terminal shows in the end."""
    return "\n".join(line.rpartition(ERASE)[2] for line in text.split("\r\n"))


@needs_terminals
def test_a_slow_grounding_has_a_line_which_is_gone_before_what_follows() -> None:
    """The line says what is asked and how long it has taken, is written anew, and leaves nothing behind."""
    text = said(1.6, terminal=True)
    assert text.startswith(f"{ERASE}grounding q(Y): ")
    assert re.search(r"grounding q\(Y\): \d+ goals, 1 s", text)
    assert text.count("grounding") >= 2
    assert seen(text) == "end True\n"


@needs_terminals
def test_an_interrupt_leaves_a_clean_line() -> None:
    """What is written after a Ctrl-C stands alone."""
    text = said(3, terminal=True, interrupted=True)
    assert "grounding q(Y)" in text
    assert seen(text) == "interrupted True\n"


@needs_terminals
def test_nothing_is_said_in_vain() -> None:
    """A quick query says nothing, nor does a slow one that no terminal sees; then nothing is imported for it."""
    assert said(0, terminal=True) == "end False\r\n"
    assert said(1.2, terminal=False) == "end False\n"


@contextlib.contextmanager
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], str]]:
    """Standard error is a terminal within the block. Yields a function that reads what has been written since."""
    ours, theirs = os.openpty()
    with os.fdopen(ours, "rb", buffering=0), os.fdopen(theirs, "w") as stream, monkeypatch.context() as patch:
        patch.setattr(sys, "stderr", stream)
        yield lambda: read(ours)


def refused(used: Used, notes: list[object]) -> RuntimeError:
    """The error of the tests below."""
    return RuntimeError(used, *notes)


@needs_terminals
def test_compiling_says_how_and_an_error_stands_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line of a compilation says what is tried; it is erased before the error is raised."""
    formula = hard()
    monkeypatch.setattr(progress, "_LATE", 0.2)
    with terminal(monkeypatch) as written:
        with pytest.raises(BudgetExceededError):
            compile_formula(formula, "depth first", budget=CompileBudget(seconds=0.8, nodes=500_000))
        text = written()
    assert re.search(rf"compiling 1 query over {len(formula.choices)} choices: depth first, [\d,]+ steps, \d s", text)
    assert text.endswith(ERASE)


@needs_terminals
def test_two_threads_have_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line is the first one's; when that is done, the other one's, and in the end nobody's."""
    monkeypatch.setattr(progress, "_LATE", 0.1)
    with terminal(monkeypatch) as written:
        works = {"first": 0.5, "second": 1.0}
        threads = [
            threading.Thread(target=call_watched, args=(lambda s=s: time.sleep(s), None, None, refused, lambda n=n: n))
            for n, s in works.items()
        ]
        for thread in threads:
            thread.start()
            time.sleep(0.02)
        for thread in threads:
            thread.join()
        text = written()
    lines = [line.partition(",")[0] for line in text.split(ERASE) if line]
    assert list(dict.fromkeys(lines)) == ["first", "second"]
    assert lines == sorted(lines)
    assert text.endswith(ERASE)


def test_records_come_at_growing_intervals(caplog: pytest.LogCaptureFixture) -> None:
    """At INFO each long work is told of after 1, 2, 4, … seconds, also where none could come in time."""
    told, task = Progress(), Task(lambda: "at it", 0.0)
    with caplog.at_level(logging.INFO, "deepplp"):
        assert [now for now in (0.5, 0.99, 1.0) if task.is_late(now)] == [1.0]
        for tenth in range(10, 100):
            told.tell([task], tenth / 10)
        told.tell([task], 40.0)
    assert caplog.messages == [f"at it (after {seconds} s)" for seconds in (1, 2, 4, 8, 40)]
    assert {record.levelno for record in caplog.records} == {logging.INFO}


def test_a_record_of_watched_work(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work without limits is told of, too; quick work is not."""
    monkeypatch.setattr(progress, "_LATE", 0.3)
    with caplog.at_level(logging.INFO, "deepplp"):
        for _ in range(3):
            call_watched(lambda: time.sleep(0.1), None, None, refused, lambda: "quick")
        call_watched(lambda: time.sleep(0.6), None, None, refused, lambda: "slow")
    assert {message.partition(" ")[0] for message in caplog.messages} == {"slow"}


@needs_terminals
def test_a_long_or_broken_text_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text is cut to the terminal's width, and characters that would move the cursor are not written."""
    monkeypatch.setenv("COLUMNS", "20")
    told, task = Progress(), Task(lambda: "a\nb\x1b[3A" + "[red]" * 30, 0.0)
    with terminal(monkeypatch) as written:
        told.tell([task], 1.0)
        line = written().removeprefix(ERASE)
        told.end(task)
    assert line == "a b [3A[red][red][r"


class _Broken:
    """A terminal that has gone."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True

    def __getattr__(self, name: str) -> object:
        raise OSError(5, "Input/output error")


@pytest.mark.parametrize("stream", [None, _Broken()], ids=["none", "broken"])
def test_a_broken_terminal_is_no_matter(stream: TextIO | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without standard error, or where it has gone, work is done and watched as ever."""
    monkeypatch.setattr(progress, "_LATE", 0.1)
    monkeypatch.setattr(sys, "stderr", stream)
    assert call_watched(lambda: time.sleep(0.3) or "done", None, None, refused, lambda: "at it") == "done"
    with pytest.raises(RuntimeError, match="seconds"):
        call_watched(lambda: [time.sleep(0.01) for _ in range(1000)], 0.3, None, refused, lambda: "at it")


@needs_terminals
def test_a_failure_to_say_is_no_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the words fail, nothing is said at that time."""
    words = iter([KeyError("changed"), "at it"])

    def doing() -> str:
        word = next(words)
        if isinstance(word, Exception):
            raise word
        return str(word)

    told, task = Progress(), Task(doing, 0.0)
    with terminal(monkeypatch) as written:
        told.tell([task], 1.0)
        assert written() == ""
        told.tell([task], 1.3)
        assert written() == f"{ERASE}at it, 1 s"
        told.end(task)
        assert written() == ERASE
        told.tell([task], 1.6)  # it was on its way
        assert written() == ""


@needs_fork
@needs_terminals
def test_a_forked_process_has_no_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that is forked while its parent has a line writes none, and neither of them hangs."""
    monkeypatch.setattr(progress, "_LATE", 0.1)

    def work() -> int:
        time.sleep(0.4)
        child = os.fork()
        if child == 0:
            code = 1
            with contextlib.suppress(BaseException):
                call_watched(lambda: time.sleep(0.4), None, None, refused, lambda: "child")
                code = 0 if PROGRESS._shown is None else 2
            os._exit(code)
        return _wait(child, 30)

    with terminal(monkeypatch) as written:
        assert call_watched(work, None, None, refused, lambda: "parent") == 0
        text = written()
    assert "parent" in text
    assert "child" not in text
