"""Grounding in several threads and processes at once: every one gets the answers that it gets alone."""

from __future__ import annotations

import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from problog.extern import problog_export

import deepplp
from deepplp.formula import Formula
from deepplp.grounding import Grounder, GrounderName
from deepplp.program import Program, parse_goal
from tests.test_threads import _wait, needs_fork

THREADS = 8
stack_module = sys.modules["deepplp.compilation.stack"]
modules_module = sys.modules["deepplp.grounding.problog.modules"]


@pytest.fixture(autouse=True)
def frequent_switches() -> Iterator[None]:
    """Threads take turns every few instructions."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def at_once(work: Callable[[int], None], rounds: int = 1) -> None:
    """Work in eight threads that begin together; an exception of any is raised."""
    start = threading.Barrier(THREADS)

    def one(number: int) -> None:
        start.wait(60)
        for _ in range(rounds):
            work(number)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(one, range(THREADS)))


def changing(n: int) -> str:
    """A program that changes its clauses and records, while it is loaded and while its queries are ground."""
    return f"""
    :- use_module(library(assert)).
    :- use_module(library(record)).
    :- assertz(base({n})).
    :- recordz(k, {n}).
    0.5::c(1). 0.5::c(2).
    q(L) :- assertz(p({n})), assertz(p({n + 1})), retract(p({n})), findall(X, p(X), L).
    r(L) :- recorda(k, x{n}), findall(X, recorded(k, X), L).
    s(N) :- c(A), c(B), A < B, retract(base(N)), M is N + 1, assertz(base(M)).
    b(X) :- base(X).
    """


def changed(n: int) -> dict[str, float]:
    """Its answers, by hand."""
    return {f"q([{n + 1}])": 1.0, f"r([x{n}, {n}])": 1.0, f"s({n})": 0.25, f"b({n + 1})": 1.0}


def answers_of(model: deepplp.Model, queries: list[str]) -> dict[str, float]:
    """The answers of one call of several queries."""
    found = model.query(queries)
    return dict(zip(map(str, found.terms), found.probs[0].tolist(), strict=True))


def test_threads_with_a_model_each_that_changes_its_clauses() -> None:
    """What one thread asserts or records, no other one sees: loading, asking and asking again."""

    def ask(n: int) -> None:
        model = deepplp.Model(Program.from_string(changing(n)), cache=False)
        assert answers_of(model, ["q(L)", "r(L)", "s(N)", "b(X)"]) == pytest.approx(changed(n))
        assert answers_of(model, ["r(L)", "q(L)"]) == {t: 1.0 for t in changed(n) if t[0] in "qr"}
        assert answers_of(model, ["b(X)"]) == {f"b({n})": 1.0}, "an earlier call leaves no trace"

    at_once(ask, rounds=3)


@pytest.mark.parametrize("grounder", ["auto", "problog"])
def test_threads_share_a_grounder(grounder: GrounderName) -> None:
    """One grounder serves all threads: each gets the formula that it gets alone, cycles and negation included."""
    edges = " ".join(f"0.{1 + (a * b) % 9}::e({a},{b})." for a in range(6) for b in range(6) if a != b and (a + b) % 3)
    program = Program.from_string(
        f"{changing(1)} {edges} path(X, Y) :- e(X, Y). path(X, Y) :- path(X, Z), e(Z, Y)."
        " far(X, Y) :- path(X, Y), \\+ e(X, Y). all(X, L) :- findall(Y, e(X, Y), L)."
    )
    asked = [
        [parse_goal(f"path({n % 6}, X)"), parse_goal(f"far({n % 6}, X)"), parse_goal(f"all({n % 6}, L)"),
         parse_goal("q(L)"), parse_goal("b(X)")]
        for n in range(THREADS)
    ]  # fmt: skip
    asked += [[parse_goal(f"path({n % 6}, X)")] for n in range(THREADS)]
    expected = [Grounder(program, grounder=grounder).ground(goals) for goals in asked]
    shared = Grounder(program, grounder=grounder)

    def ask(n: int) -> None:
        assert shared.ground(asked[n]) == expected[n]
        assert shared.ground(asked[n + THREADS]) == expected[n + THREADS]

    at_once(ask, rounds=3)
    assert shared.ground(asked[0]) == expected[0]


def test_threads_that_load_python_files(tmp_path: Path) -> None:
    """Python files export to the program that loads them, and see the clauses of the run that calls them."""
    for n in range(THREADS):
        (tmp_path / f"own{n}.py").write_text(
            "from problog.extern import problog_export, problog_export_nondet\n"
            "from problog.logic import Constant, Term\n"
            f"@problog_export('+int', '-int')\ndef more(x):\n    return x + {n}\n"
            "@problog_export_nondet('-int')\ndef known():\n"
            "    database = problog_export.database\n"
            "    node = database.get_node(database.find(Term('here', None)))\n"
            "    return [int(database.get_node(c).args[0]) for c in node.children]\n"
        )

    def ask(n: int) -> None:
        text = f":- use_module('{tmp_path}/own{n}.py'). here({n}). here({n + 100}). q(X, Y) :- more(1, X), known(Y)."
        grounder = Grounder(Program.from_string(text), allow_python=True)
        for _ in range(2):
            formula = grounder.ground([parse_goal("q(X, Y)")])
            assert [str(g.term) for g in formula.queries] == [f"q({n + 1},{n})", f"q({n + 1},{n + 100})"]

    at_once(ask, rounds=3)


def test_the_libraries_leave_problogs_classes_alone() -> None:
    """No program leaves its data base behind where other threads would find it."""
    before = problog_export.database
    text = (
        ":- use_module(library(assert)). :- use_module(library(record)). :- use_module(library(lists))."
        " :- use_module(library(string)). q(L, T) :- assertz(p(1)), recordz(k, 2), memberchk(1, [1]),"
        " concat([a, b], T), findall(X, p(X), L)."
    )
    formula = Grounder(Program.from_string(text)).ground([parse_goal("q(L, T)")])
    assert [str(g.term) for g in formula.queries] == ["q([1],ab)"]
    assert problog_export.database is before


def test_parsing_in_threads_warns_of_nothing() -> None:
    """The operators of which ProbLog warns are read without a warning, and without a change of the warning filters."""
    filters = list(warnings.filters)

    def parse(n: int) -> None:
        Program.from_string(f"q(X, Y) :- p(X), p(Y), X == Y, X \\== {n}.")
        assert list(warnings.filters) == filters

    at_once(parse, rounds=20)


def test_a_grounder_is_of_use_after_an_interrupted_run() -> None:
    """What an exception interrupts in one thread changes no answer of another one."""
    grounder = Grounder(Program.from_string("0.5::c(1). p(X) :- c(X). q(X) :- c(X), Y is X / 0, p(Y)."))
    expected = grounder.ground([parse_goal("p(X)")])

    def ask(n: int) -> None:
        if n % 2:
            with pytest.raises(deepplp.DeepPLPError, match="1/0 divides by zero"):
                grounder.ground([parse_goal("q(X)")])
        else:
            assert grounder.ground([parse_goal("p(X)")]) == expected

    at_once(ask, rounds=10)


@needs_fork
def test_a_fork_while_others_ground_and_load(tmp_path: Path) -> None:
    """A process may be forked while other threads load programs and ground: the child loads and grounds, too."""
    (tmp_path / "own.py").write_text(
        "import time\nfrom problog.extern import problog_export\ntime.sleep(0.002)\n"
        "@problog_export('+int', '-int')\ndef more(x):\n    time.sleep(0.002)\n    return x + 1\n"
    )
    text = f":- use_module('{tmp_path}/own.py'). {changing(5)} w(X) :- c(Y), more(Y, X)."
    goals = [parse_goal("w(X)"), parse_goal("q(L)"), parse_goal("r(L)")]

    def load_and_ground() -> Formula:
        return Grounder(Program.from_string(text), allow_python=True).ground(goals)

    shared = Grounder(Program.from_string(text), allow_python=True)
    expected = shared.ground(goals)
    stop = threading.Event()

    def busy() -> None:
        while not stop.is_set():
            load_and_ground()
            shared.ground(goals)

    threads = [threading.Thread(target=busy) for _ in range(3)]
    for t in threads:
        t.start()
    try:
        for _ in range(8):
            child = os.fork()
            if child == 0:
                code = 1
                try:
                    code = 0 if load_and_ground() == expected and shared.ground(goals) == expected else 2
                finally:
                    os._exit(code)
            assert _wait(child, 60) == 0
    finally:
        stop.set()
        for t in threads:
            t.join(60)


@needs_fork
def test_a_fork_while_threads_hold_every_lock() -> None:
    """A process that is forked while threads of its parent hold a model's locks has answers from that model."""
    entered, held, go_on = threading.Event(), threading.Event(), threading.Event()

    def wait(number: int) -> int:
        entered.set()
        go_on.wait(60)
        return number

    model = deepplp.Model(Program.from_string("t(_, X)::a(X). q(Y) :- wait(1, Y), a(1). r(X) :- a(X)."), cache=False)
    model.register("wait", wait, inputs=1)

    def hold() -> None:
        with model.distributions._lock, model._registering, stack_module._LOCK, modules_module._TURN.lock:
            held.set()
            go_on.wait(60)

    threads = [threading.Thread(target=model.query, args=("q(Y)",)), threading.Thread(target=hold)]
    for t in threads:
        t.start()
    try:
        assert entered.wait(60)
        assert held.wait(60)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                model.register("more", lambda x: x, inputs=1)
                found = float(model.query("r(7)").probs.detach())
                circuit = deepplp.compile(deepplp.ground(Program.from_string("0.5::a."), "a"), compiler="sdd")
                code = 0 if found == 0.5 and circuit.columns == 2 else 2
            finally:
                os._exit(code)
        assert _wait(child, 30) == 0
    finally:
        go_on.set()
        for t in threads:
            t.join(60)
