"""Goals that do not end are stopped, in both engines, with their names and places; goals that end are not."""

from __future__ import annotations

import re

import pytest

from deepplp.errors import BudgetExceededError
from deepplp.grounding import GroundBudget, Grounder
from deepplp.grounding.grounder import GrounderName
from deepplp.program import Constant, Program, Term, abbreviated
from tests.clocks import processor_seconds

ENGINES: list[GrounderName] = ["auto", "problog"]
ENDLESS = {
    "n(0).\nn(X) :- n(Y), X is Y + 1.\nquery(n(_)).": ("2", "n(_)", r"n\(\d+\)"),
    "n(0).\nn(X) :- n(Y), Y >= 0, X is Y + 1.\n0.5::q :- n(7).\nquery(q).": ("2", "n(_)", r"n\(\d+\)"),
    "n(z).\nn(s(X)) :- n(X).\nquery(n(_)).": ("2", "n(_)", r"n\(s\(s\(s\(…\)\)\)\)"),
    "a(0).\na(X) :- b(Y), X is Y + 1.\nb(X) :- a(Y), X is Y + 1.\nquery(a(_)).": ("[23]", "(_)", r"\d+"),
    "e(a,b). e(b,a).\np(X,Y,[Y]) :- e(X,Y).\np(X,Z,[Y|P]) :- e(X,Y), p(Y,Z,P).\nquery(p(a,b,_)).": ("3", "p(", r"\| …"),
    "p(a).\np(X-Y) :- p(X), p(Y).\nquery(p(_)).": ("2", "p(_)", "-"),
    "n(0).\nn(X) :- n(Y), X is Y + 1.\nq(L) :- findall(X, n(X), L).\nquery(q(_)).": ("2", "n(_)", r"n\(\d+\)"),
    "n(0).\nn(X) :- n(Y), X is Y + 1.\nq :- \\+ n(a).\nquery(q).": ("2", "n(_)", r"n\(\d+\)"),
    "a.\nq(X) :- append(X, [1], _).\nquery(q(_)).": ("2", "append(_,[1],_)", r"append\(\["),
    "a.\nq(X) :- member(1, X).\nquery(q(_)).": ("2", "member(1,_)", r"member\(1,\["),
    "a.\nq(L) :- findall(X, append(X, [1], _), L).\nquery(q(_)).": ("2", "append(_,[1],_)", r"append\(\["),
    ":- use_module(library(string)).\np(a).\np(X) :- p(Y), concat([Y, b], X).\nquery(p(_)).": ("3", "p(_)", "abb"),
}


@pytest.mark.parametrize("grounder", ENGINES)
@pytest.mark.parametrize("text", ENDLESS)
def test_answers_without_end(text: str, grounder: GrounderName, monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers that are made of answers for ever: the error names the goal, its clause, and how far it has come."""
    monkeypatch.setattr("deepplp.grounding.ground_budget._MOST_GROWTH", 3000)
    line, goal, last = ENDLESS[text]
    with pytest.raises(BudgetExceededError) as caught:
        Grounder(Program.from_string(text, "p.pl"), grounder=grounder).ground()
    assert re.match(rf"p\.pl:{line}:\d+: ", str(caught.value))
    assert goal in caught.value.message
    assert re.search(rf"seems to go on without end.* has come to .*{last}", caught.value.message)


@pytest.mark.parametrize("grounder", ENGINES)
@pytest.mark.parametrize("asked", ["query(p(0)).", "q(L) :- findall(p, p(0), L). query(q(_))."])
@pytest.mark.parametrize("clause", ["p(X) :- p(s(X)).", "p(X) :- p([a|X]).", "p(N) :- M is N - 1, p(M)."])
def test_calls_without_end(clause: str, asked: str, grounder: GrounderName, monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls that make greater calls for ever."""
    monkeypatch.setattr("deepplp.grounding.ground_budget._MOST_GROWTH", 3000)
    monkeypatch.setattr("deepplp.grounding.ground_budget._MOST_OPEN", 3000)
    with pytest.raises(BudgetExceededError, match=r"^p\.pl:1:\d+: (more than 3000 goals wait for this one, )?p\("):
        Grounder(Program.from_string(f"{clause}\n{asked}", "p.pl"), grounder=grounder).ground()


def test_the_default_budget_stops_a_counter_in_seconds() -> None:
    """What counts up for ever takes seconds, not a minute; without a limit of goals the clock alone ends it."""
    program = Program.from_string("n(0). n(X) :- n(Y), X is Y + 1. query(n(_)).")
    started = processor_seconds()
    with pytest.raises(BudgetExceededError, match="without end"):
        Grounder(program).ground()
    assert processor_seconds() - started < 20
    with pytest.raises(BudgetExceededError, match=r"more than 0\.2 s"):
        Grounder(program, budget=GroundBudget(seconds=0.2, goals=None)).ground()


ENDING = {
    "n(0). n(X) :- n(Y), Y < 5000, X is Y + 1. query(n(5000)).": 1,
    "n(0). n(X) :- n(Y), X is (Y + 1) mod 500. query(n(_)).": 500,
    "n([]). n([a|X]) :- n(X), length(X, N), N < 300. query(n(_)).": 301,
    "p(0). p(N) :- N > 0, M is N - 1, p(M). query(p(1500)).": 1,
    "p(N, N). p(I, N) :- I < N, J is I + 1, p(J, N). query(p(0, 1000)).": 1,
    "b(0, L, L). b(N, A, L) :- N > 0, M is N - 1, b(M, [x|A], L). q(N) :- b(300, [], L), length(L, N). query(q(_)).": 1,
    "q(X) :- member(X, [f(_), g(_, _), f(a)]), X = f(a). query(q(_)).": 1,
    "q(N) :- length(L, 30), findall(X, member(X, L), R), length(R, N). query(q(_)).": 1,
    "q(N) :- length(L, 2000), length(L, N). query(q(_)).": 1,
    "e(X, Y) :- between(1, 60, X), Y is X mod 60 + 1. p(X) :- e(1, X). p(X) :- p(Y), e(Y, X). query(p(_)).": 60,
}  # fmt: skip


@pytest.mark.parametrize("grounder", ENGINES)
@pytest.mark.parametrize("text", ENDING)
def test_what_ends_is_not_refused(text: str, grounder: GrounderName) -> None:
    """Counting, building and closing over what is finite ends, however much it grows meanwhile."""
    assert len(Grounder(Program.from_string(text), grounder=grounder).ground().queries) == ENDING[text]


@pytest.mark.parametrize("grounder", ENGINES)
def test_calls_one_after_another_make_no_recursion(grounder: GrounderName, monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls that are greater than those before them, and are done before the next one is made, do not grow."""
    monkeypatch.setattr("deepplp.grounding.ground_budget._MOST_GROWTH", 3000)
    program = Program.from_string("p(1). p(X) :- X > 1. q(N) :- between(1, 500, N), p(N). query(q(_)).")
    assert len(Grounder(program, grounder=grounder).ground().queries) == 500


def test_long_terms_are_abbreviated() -> None:
    """What is nested deeply, far down a list or very long is left out of a message; the rest is as it is."""
    deep = Term("z")
    for _ in range(20_000):
        deep = Term("s", deep)
    long = Term("[]")
    for i in range(20_000):
        long = Term(".", Constant(i), long)
    assert abbreviated(Term("p", deep, long)) == "p(s(s(s(…))),[19999, 19998, 19997 | …])"
    assert abbreviated(Term("p", Term("a" * 100))) == f"p({'a' * 40}…)"
    assert abbreviated(Term("p", -1, Term("f", -1, -2))) == "p(A,f(A,_))"
