"""Budgets reach into built-ins, directives and libraries in C: time and memory end whatever is at work."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest

import deepplp
from deepplp import CompileBudget, GroundBudget
from deepplp.apart import ApartError, call_apart
from deepplp.compilation import compile_with_report
from deepplp.errors import BudgetExceededError, QueryError
from deepplp.grounding import Grounder, GrounderName
from deepplp.program import Program, parse_goal
from deepplp.watch import _WATCHER, StoppedError, Used, _Watched, call_watched, resident_memory
from tests.clocks import processor_seconds
from tests.test_budgets import hard, matrix
from tests.test_threads import _wait, needs_fork

both = pytest.mark.parametrize("grounder", ["auto", "problog"])

# Programs that ran far past their budget within one built-in, a query, and what the message says of where that was.
LONG = {
    "length": ("q(N) :- length(L, 9000000), length(L, N).", "q(N)", r":1:9: .*in length/2"),
    "between": ("q(X) :- between(1, 9000000, X), X > 8999998.", "q(X)", r":1:9: .*in between/3"),
    "findall": ("q(N) :- findall(X, between(1, 9000000, X), L), length(L, N).", "q(N)", r":1:20: .*in between/3"),
    "negated": ("q :- \\+ (between(1, 9000000, X), X < 0).", "q", r":1:\d+: .*between/3"),
    "numlist": (":- use_module(library(lists)). q(N) :- numlist(1, 900000, L), length(L, N).", "q(N)", r"numlist/3"),
    "strings": (
        ":- use_module(library(string)). d(0, a). d(N, A) :- N > 0, M is N - 1, d(M, B), concat([B, B], A)."
        " q(A) :- d(60, A).", "q(A)", r":1:\d+: .*in concat/2",
    ),
    "terms": ("d(0, a). d(N, f(B, B)) :- N > 0, M is N - 1, d(M, B). q(A) :- d(60, A).", "q(A)", r"<string>:1:\d+: "),
    "a query of its own": ("query(X) :- between(1, 9000000, X), X > 8999998. q.", "q", r":1:13: .*in between/3"),
    "a directive": (":- length(L, 9000000), length(L, N). q.", "q", r":1:4: .*in length/2"),
    "a subquery": (f"q(P) :- subquery(all, P). {matrix(12)}", "q(P)", r"<string>:1:9: .*in subquery/2"),
}  # fmt: skip


@both
@pytest.mark.parametrize("case", LONG)
def test_a_budget_ends_built_ins(case: str, grounder: GrounderName) -> None:
    """What would take long within one built-in ends soon after its time, where the user's program called it."""
    text, query, says = LONG[case]
    Grounder(Program.from_string("a."), grounder=grounder).ground([parse_goal("a")])  # what is made once is made
    held, start = resident_memory(), processor_seconds()
    with pytest.raises(BudgetExceededError, match=rf"(?s){says}") as caught:
        Grounder(Program.from_string(text), budget=GroundBudget(seconds=0.8), grounder=grounder).ground(
            [parse_goal(query)]
        )
    assert "more than 0.8 s" in str(caught.value)
    assert processor_seconds() - start < 4
    assert held is not None
    assert (resident_memory() or 0) - held < 2e9


@both
@pytest.mark.parametrize(
    "goal", ["length(X, 30000000)", "between(1, 30000000, X)", "functor(X, f, 1000000000)", "between(0, 10**300, X)"]
)
def test_what_no_memory_holds_is_not_begun(goal: str, grounder: GrounderName) -> None:
    """A built-in that would make more than ten million things refuses at once; a test of as much is none."""
    goal = goal.replace("10**300", str(10**300))
    start = processor_seconds()
    with pytest.raises(BudgetExceededError, match=r"<string>:1:9: .* would make more than 10,000,000"):
        Grounder(Program.from_string(f"q(X) :- {goal}."), grounder=grounder).ground([parse_goal("q(X)")])
    assert processor_seconds() - start < 1
    text = "q(X) :- X = 5, between(1, 10000000000, X), length([a, b], 2)."
    (found,) = Grounder(Program.from_string(text), grounder=grounder).ground([parse_goal("q(X)")]).queries
    assert str(found.term) == "q(5)"


@both
def test_a_budget_of_memory_ends_grounding(grounder: GrounderName) -> None:
    """Memory is counted, whatever takes it."""
    budget = GroundBudget(seconds=None, memory=50_000_000)
    for text in ("q(X) :- between(1, 9000000, X).", "q(X) :- length(L, 9000000), length(L, X)."):
        held = resident_memory() or 0
        with pytest.raises(BudgetExceededError, match=r"more than 0\.05 GB of memory.*more memory"):
            Grounder(Program.from_string(text), budget=budget, grounder=grounder).ground([parse_goal("q(X)")])
        assert (resident_memory() or 0) - held < 1e9


def test_a_grounder_answers_after_its_budget_was_exceeded() -> None:
    """What was stopped in the middle leaves nothing behind that changes an answer."""
    text = "0.5::c(1). q(N) :- c(X), between(1, 9000000, N), N < 0. p(X) :- c(X), between(1, 3, X)."
    for grounder in ("auto", "problog"):
        made = Grounder(Program.from_string(text), budget=GroundBudget(seconds=0.6), grounder=grounder)  # type: ignore[arg-type]
        for _ in range(2):
            with pytest.raises(BudgetExceededError):
                made.ground([parse_goal("q(N)")])
            formula = made.ground([parse_goal("p(X)")])
            assert [str(g.term) for g in formula.queries] == ["p(1)"]


@pytest.mark.parametrize("compiler", ["portfolio", "sdd"])
def test_a_budget_ends_pysdd(compiler: str) -> None:
    """libsdd knows no limit within an operation: it is ended from outside, and so is what it has begun."""
    start = time.monotonic()
    with pytest.raises(BudgetExceededError, match=r"more than 1 s.*the part that decides all and reads"):
        compile_with_report(hard(12), budget=CompileBudget(seconds=1.0, nodes=None), compiler=compiler)  # type: ignore[arg-type]
    assert time.monotonic() - start < 5
    with pytest.raises(BudgetExceededError, match=r"more than 0\.03 GB of memory"):
        compile_with_report(
            hard(12), [*range(144)], budget=CompileBudget(seconds=60, nodes=None, memory=30_000_000), compiler=compiler  # type: ignore[arg-type]
        )  # fmt: skip


def test_models_and_budgets() -> None:
    """The model's budget is that of loading, grounding and compiling, memory included."""
    text = "q(X) :- between(1, 9000000, X), X < 0."
    for budget, says in (
        (CompileBudget(seconds=0.2), "more than 0.2 s"),
        (CompileBudget(memory=20_000_000), "more than 0.02 GB"),
    ):
        with pytest.raises(BudgetExceededError, match=says):
            deepplp.Model(Program.from_string(text), budget=budget, cache=False).query("q(X)")
        with pytest.raises(BudgetExceededError, match=says):
            deepplp.probabilities(Program.from_string(f"{text} query(q(_))."), budget=budget, cache=False)
    for wrong in (GroundBudget, CompileBudget):
        with pytest.raises(QueryError, match="a budget's memory must be a number above 0"):
            wrong(memory=0)


def refused(used: Used, notes: list[object]) -> RuntimeError:
    """The error of the tests below."""
    return RuntimeError(used, *notes)


def spin(seconds: float = 60.0) -> str:
    """Compute for some time."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass
    return "done"


def test_watched_work_ends_in_time() -> None:
    """The exception comes after the time, with what was used up; what ends before hears of nothing, then or later."""
    start = time.monotonic()
    with pytest.raises(RuntimeError, match="seconds"):
        call_watched(spin, 0.2, None, refused)
    assert 0.2 <= time.monotonic() - start < 5
    for _ in range(20):
        assert call_watched(lambda: spin(0.01), 10.0, 10**12, refused) == "done"
    with pytest.raises(ZeroDivisionError):
        call_watched(lambda: 1 // 0, 0.01, None, refused)
    spin(0.7)  # nothing follows


def test_watched_work_that_handles_everything_ends() -> None:
    """What handles every Exception does not handle the end, and what drops one is told again."""

    def stubborn() -> None:
        dropped = 0
        while True:
            try:
                spin(0.01)
            except Exception:
                raise AssertionError("it is no Exception") from None
            except BaseException:
                dropped += 1
                if dropped > 1:
                    raise

    with pytest.raises(RuntimeError, match="seconds"):
        call_watched(stubborn, 0.1, None, refused)


def test_watched_work_at_the_edge_of_its_time() -> None:
    """Work that ends about when its time does is ended or not, and neither is heard of afterwards."""
    ended = 0
    for i in range(60):
        try:
            assert call_watched(lambda i=i: spin(0.15 + 0.002 * i), 0.01, None, refused) == "done"  # type: ignore[misc]
        except RuntimeError:
            ended += 1
    assert 0 < ended < 60
    spin(0.6)


def test_an_end_that_comes_too_late_is_taken_back() -> None:
    """Where work is done while the exception is on its way to its thread, what follows does not meet it."""
    outcomes: list[str] = []
    ready, go = threading.Event(), threading.Lock()

    def work() -> None:
        try:
            ready.set()
            go.acquire()  # a call in C, within which no exception is raised
            spin(0.1)
            outcomes.append("done")
        except StoppedError:
            outcomes.append("stopped")

    go.acquire()
    thread = threading.Thread(target=work)
    thread.start()
    ready.wait(60)
    time.sleep(0.5)  # it is in that call
    assert thread.ident is not None
    late = _Watched(thread.ident, deadline=0.0, limit=None)
    with _WATCHER._lock:
        _WATCHER._work.add(late)
        _WATCHER._look()
    assert late.raised is not None
    _WATCHER.end(late)
    go.release()
    thread.join(60)
    assert outcomes == ["done"]


def test_threads_are_watched_one_by_one() -> None:
    """Each thread has its own end."""
    outcomes: dict[int, str] = {}

    def work(number: int) -> None:
        try:
            outcomes[number] = call_watched(lambda: spin(0.6), 0.1 if number % 2 else 60.0, None, refused)
        except RuntimeError as error:
            outcomes[number] = str(error.args[0])

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert outcomes == {0: "done", 1: "seconds", 2: "done", 3: "seconds"}


@needs_fork
def test_a_forked_process_watches_anew() -> None:
    """A process that is forked while the watching thread looks has a lock of its own, and work in it is watched."""
    with _WATCHER._lock:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                try:
                    call_watched(spin, 0.1, None, refused)
                except RuntimeError:
                    code = 0
            finally:
                os._exit(code)
    assert _wait(child, 30) == 0


def test_work_apart() -> None:
    """A process of its own returns a value or an exception, changes nothing here, and is gone afterwards."""
    changed: list[int] = []
    assert call_apart(lambda: [changed.append(1), "x" * 3_000_000][1], 60.0) == "x" * 3_000_000
    with pytest.raises(QueryError, match="of the work"):
        call_apart(lambda: _raised(QueryError("of the work")), 60.0)
    assert not changed or not hasattr(os, "fork")


def test_memory_of_work_apart_is_what_it_takes_itself() -> None:
    """What the process held when it was copied counts for nothing."""
    assert (resident_memory() or 0) > 4 * 10**7
    assert call_apart(lambda: time.sleep(0.2) or 7, 60.0, 4 * 10**7) == 7


@pytest.mark.skipif(sys.platform != "linux", reason="what ends it is Linux's")
def test_work_apart_ends_with_its_parent(tmp_path: Path) -> None:
    """Where the parent is killed, its process does not work on."""
    text = """
import os, pathlib, sys, time
from deepplp.apart import call_apart
call_apart(lambda: (pathlib.Path(sys.argv[1]).write_text(str(os.getpid())), time.sleep(60)), None)
"""
    file = tmp_path / "child"
    parent = subprocess.Popen([sys.executable, "-c", text, str(file)])
    while not (file.exists() and file.read_text()):
        time.sleep(0.02)
    parent.kill()
    parent.wait()
    child, start = int(file.read_text()), time.monotonic()
    while Path(f"/proc/{child}").exists() and "State:\tZ" not in Path(f"/proc/{child}/status").read_text():
        assert time.monotonic() - start < 10
        time.sleep(0.02)


def _raised(error: Exception) -> None:
    raise error


@needs_fork
@pytest.mark.parametrize(
    ("work", "seconds", "memory", "reason"),
    [(spin, 0.2, None, "seconds"), (lambda: bytearray(10**9) and spin(), 60.0, 10**8, "memory"),
     (lambda: os._exit(3), 60.0, None, "died"), (lambda: os.kill(os.getpid(), signal.SIGKILL), 60.0, None, "died")],
)  # fmt: skip
def test_work_apart_is_ended(work: Callable[[], object], seconds: float, memory: int | None, reason: str) -> None:
    """What uses up its time or its memory is ended, and a death is told; no process is left."""
    start = time.monotonic()
    with pytest.raises(ApartError, match=reason):
        call_apart(work, seconds, memory)
    assert time.monotonic() - start < 10
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_the_command_line_takes_budgets(tmp_path: Path) -> None:
    """--seconds and --memory end the work with one message and exit status 1."""
    file = tmp_path / "p.pl"
    file.write_text("q(X) :- between(1, 9000000, X), X < 0.\nquery(q(_)).\n")
    for options, says in ((["--seconds", "0.3"], "more than 0.3 s"), (["--memory", "0.05"], "0.05 GB of memory")):
        done = subprocess.run(
            [sys.executable, "-m", "deepplp", "prob", *options, str(file)], capture_output=True, text=True, timeout=60
        )
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith(f"{file}:1:9: grounding takes more than")
        assert says in done.stderr


@pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="this system has no signals of this kind")
@pytest.mark.parametrize("delay", [0.15, 0.3, 0.6, 1.2])
def test_ctrl_c_ends_the_command_line(tmp_path: Path, delay: float) -> None:
    """A Ctrl-C at any time, during the start too, ends with status 130 and one word, at once."""
    file = tmp_path / "p.pl"
    file.write_text(f":- use_module(library(lists)). {matrix(24)} query(all). q :- numlist(1, 900000, _). query(q).")
    process = subprocess.Popen(
        [sys.executable, "-c", "print(flush=True); from deepplp.cli import main; main()", "prob", str(file)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.readline()  # Python itself has started
    time.sleep(delay)
    pressed = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, "", "interrupted\n")
    assert time.monotonic() - pressed < 1


@pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="this system has no signals of this kind")
def test_ctrl_c_is_not_for_a_job_in_the_background(tmp_path: Path) -> None:
    """Where a shell has the signal ignored, a Ctrl-C that is meant for another job ends nothing."""
    file = tmp_path / "p.pl"
    file.write_text("0.25::a. query(a).")
    process = subprocess.Popen(
        [sys.executable, "-c", "print(flush=True); from deepplp.cli import main; main()", "prob", str(file)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.readline()
    while process.poll() is None:
        process.send_signal(signal.SIGINT)
        time.sleep(0.02)
    assert (process.returncode, process.stdout.read(), process.communicate()[1]) == (0, "a:\t0.25      \n", "")


def test_what_was_stopped_is_given_back() -> None:
    """The error of work that was stopped keeps nothing that the work has made."""

    class Made:
        pass

    def work() -> None:
        made = Made()
        kept.append(weakref.ref(made))
        spin()

    kept: list[weakref.ref[Made]] = []
    with pytest.raises(RuntimeError, match="seconds") as caught:
        call_watched(work, 0.1, None, refused)
    assert caught.value.__context__ is None
    assert kept[0]() is None


@both
def test_the_message_names_the_goal(grounder: GrounderName) -> None:
    """The goal that grounding was stopped in is named as the program calls it, a choice by its head."""
    text = "0.5::e(A, B) :- between(1, 3000, A), between(1, 3000, B). q(N) :- e(N, M), N < 0."
    budget = GroundBudget(seconds=0.8)
    with pytest.raises(BudgetExceededError, match=r"<string>:1:\d+: .*stopped in (e/2|between/3):") as caught:
        Grounder(Program.from_string(text), budget=budget, grounder=grounder).ground([parse_goal("q(N)")])
    assert not re.search(r"body_|choice\(", str(caught.value).splitlines()[0])
    lists = ":- use_module(library(lists)). q(N) :- numlist(1, 900000, L), length(L, N)."
    with pytest.raises(BudgetExceededError, match=r"in numlist/3|of numlist/3"):
        Grounder(Program.from_string(lists), budget=budget, grounder=grounder).ground([parse_goal("q(N)")])


def test_the_message_shows_choices_as_atoms() -> None:
    """A network's choice is the atom of which it decides one argument, not the domain's values."""
    text = (
        matrix(14).replace("0.5::head(I, J) :- row(I), row(J).", "head(I, J) :- row(I), row(J), label(x(I, J), red).")
        + "nn(net, [X], Y, [red, green]) :: label(X, Y)."
    )
    formula = deepplp.ground(Program.from_string(text), "all")
    with pytest.raises(BudgetExceededError, match=r"reads 196 choices: label\(x\(\d+,\d+\), ·\), label"):
        compile_with_report(formula, budget=CompileBudget(seconds=None, nodes=3000))
    several = Program.from_string(
        "nn(a, [X], Y, [0..3], independent) :: has(X, Y). nn(b, [X]) :: on(X). 0.1::c(1); 0.2::d. 0.5::e. "
        "q :- has(u, 2), on(v), c(1), e."
    )
    choices = deepplp.ground(several, "q").choices
    assert {c.shown() for c in choices} == {"has(u, ·)", "on(v)", "c(1); d", "e"}


def test_an_end_that_was_taken_back_leaves_nothing() -> None:
    """After work was stopped, a profiler may be on: Python does not go on looking for what was taken back.

    It would do so for ever before the first call; the process is one of its own, so that the test could end it.
    """
    text = """
import sys, time
from deepplp.watch import StoppedError, call_watched

def work():
    try:
        while True:
            time.sleep(0.01)
    except StoppedError:
        return 1

assert call_watched(work, 0.1, None, lambda used, notes: RuntimeError(used)) == 1
sys.setprofile(lambda *event: None)
(lambda: None)()
print("went on")
"""
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == ["went", "on"]
