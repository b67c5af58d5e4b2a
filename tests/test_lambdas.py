r"""Lambda expressions mean what library(yall) says: parameters, copies of variables, further arguments."""

from __future__ import annotations

from pathlib import Path

import pytest

import deepplp
from deepplp import errors


def checked(tmp_path: Path, text: str) -> tuple[dict[str, float], list[str]]:
    """The answers of a program's queries, and the errors that `check` finds."""
    file = tmp_path / "p.pl"
    file.write_text(text)
    found = [f.message for f in deepplp.check_file(file).findings if f.severity == "error"]
    return deepplp.Model(file, cache=False).query().to_dict(), found


@pytest.mark.parametrize(
    ("clauses", "expected"),
    [
        ("q(M) :- maplist([X, Y]>>(Y is X * 2), [1, 2], M).", {"q([2, 4])": 1.0}),
        ("q(M) :- F = 3, maplist([X, Y]>>(Y is X * F), [1, 2], M).", {"q([3, 6])": 1.0}),
        ("q(M) :- maplist([X-Y, Z]>>(Z is X * Y), [1-2, 3-4], M).", {"q([2, 12])": 1.0}),
        ("q(M) :- maplist([X]>>succ(X), [1, 2], M).", {"q([2, 3])": 1.0}),
        ("q(M) :- maplist([X, f(X)]>>true, [1, 2], M).", {"q([f(1), f(2)])": 1.0}),
        ("q(M) :- maplist([X, Y]>>maplist([A, B]>>(B is A * X), [1, 2], Y), [3], M).", {"q([[3, 6]])": 1.0}),
        ("q(S) :- foldl([X, A, B]>>(B is A + X), [1, 2, 3], 0, S).", {"q(6)": 1.0}),
        ("q(M) :- include([X]>>(X > 1), [1, 2, 3], M).", {"q([2, 3])": 1.0}),
        ("q(M) :- exclude([X]>>(X > 1), [1, 2, 3], M).", {"q([1])": 1.0}),
        ("q(Y-N) :- partition([X]>>(X < 2), [1, 2, 3], Y, N).", {"q([1]-[2, 3])": 1.0}),
        ("q(Z) :- G = [X, Y]>>(Y is X + 1), call(G, 3, Z).", {"q(4)": 1.0}),
        ("q(Z) :- G = [X]>>succ(X), maplist(G, [1], Z).", {"q([2])": 1.0}),
        ("q(X) :- G = [X]>>member(X, [1]), call(G, Y), X = f(Y).", {"q(f(1))": 1.0}),
        ("q(a) :- forall(member(X, [1, 2]), call([Y]>>(Y > 0), X)).", {"q(a)": 1.0}),
        ("q(L) :- findall(Z, (member(X, [1, 2]), call([Y, W]>>(W is Y * Y), X, Z)), L).", {"q([1, 4])": 1.0}),
        # A variable that is free is copied for each call, unless it is bound by then or stands before /.
        ("q(Y) :- maplist([X]>>(X = Y), [1, 2]), Y = free.", {"q(free)": 1.0}),
        ("q(Y) :- maplist(Y/[X]>>(X = Y), [1, 1]).", {"q(1)": 1.0}),
        ("q(Y) :- maplist({Y, 0}/[X]>>(X = Y), [1, 1]).", {"q(1)": 1.0}),
        ("q(Y) :- maplist(Y/[X]>>(X = Y), [1, 2]).", {}),
        ("q(Y) :- call(f(Y)/(Z = Y, Z = 1)).", {"q(1)": 1.0}),
        (r"q(Y) :- maplist(\X^(X = Y), [1, 2]), Y = free.", {"q(free)": 1.0}),
        (r"q(Y) :- maplist(Y/(\X^(X = Y)), [1, 1]).", {"q(1)": 1.0}),
        (r"q(Y) :- maplist(Y/(\X^(X = Y)), [1, 2]).", {}),
        (r"q(M) :- maplist(\X^Y^(Y is X * 2), [1, 2, 3], M).", {"q([2, 4, 6])": 1.0}),
        (r"q(M) :- maplist(\X^(\Y^(Y is X * 2)), [1, 2, 3], M).", {"q([2, 4, 6])": 1.0}),
        (r"q(M) :- maplist(\X^Y^maplist(\A^B^(B is A * X), [1, 2], Y), [1, 2], M).", {"q([[1, 2], [2, 4]])": 1.0}),
        (r"q(S) :- foldl(\X^A^B^(B is A + X), [1, 2, 3], 0, S).", {"q(6)": 1.0}),
        (r"q(M) :- include(\X^(Z = X, Z > 1), [1, 2, 3], M).", {"q([2, 3])": 1.0}),
        (r"q(M) :- exclude(\X^(Z = X, Z > 1), [1, 2, 3], M).", {"q([1])": 1.0}),
        (r"q(Y-N) :- partition(\X^(Z = X, Z > 1), [1, 2, 3], Y, N).", {"q([2, 3]-[1])": 1.0}),
        (r"q(M) :- convlist(\X^Y^(X > 1, Y is X * 2), [1, 2, 3], M).", {"q([4, 6])": 1.0}),
        (r"q(a) :- forall(member(X, [1, 2]), call(\Y^Z^(Z is Y + 1), X, _)).", {"q(a)": 1.0}),
        (r"q(L) :- findall(Z, (member(X, [1, 2]), call(\A^B^(B is A + 1), X, Z)), L).", {"q([2, 3])": 1.0}),
        (r"q(M) :- maplist(F/(\X^Y^(Y = X-F)), [1, 2], M), F = 3.", {"q([1-3, 2-3])": 1.0}),
        (r"q(M) :- maplist(F/(\X^(\Y^(Y = X-F))), [1, 2], M), F = 3.", {"q([1-3, 2-3])": 1.0}),
        ("q(M) :- maplist(/(F, [X, Y]>>(Y = X-F)), [1, 2], M), F = 3.", {"q([1-3, 2-3])": 1.0}),
        (r"0.5::b(1). 0.4::b(2). q(M) :- maplist(\X^Y^(b(X), Y = X), [1, 2], M).", {"q([1, 2])": 0.2}),
        # X^Goal without a mark copies nothing.
        ("q(M) :- maplist(X^Y^(Y = X), [1, 1], M).", {"q([1, 1])": 1.0}),
        ("q(M) :- maplist(X^Y^(Y = X), [1, 2], M).", {}),
        (r"q(Z) :- call(\X^Y^(Y is X + 1), 3, Z).", {"q(4)": 1.0}),
        ("0.5::b(1). 0.4::b(2). q(a) :- maplist([X]>>b(X), [1, 2]).", {"q(a)": 0.2}),
        ("0.5::b(1). 0.4::b(2). q(a) :- maplist([X]>>(b(X) ; X > 1), [1, 2]).", {"q(a)": 0.5}),
        ("0.5::b(1). 0.4::b(2). q(M) :- include([X]>>b(X), [1], M).", {"q([])": 0.5, "q([1])": 0.5}),
        ("0.5::q(L) :- p(L), maplist([X]>>(X > 0), L). p([1, 2]).", {"q([1, 2])": 0.5}),
        (":- use_module(library(yall)).\nq(M) :- maplist([X, Y]>>(Y = X), [1], M).", {"q([1])": 1.0}),
    ],
)  # fmt: skip
def test_meaning(tmp_path: Path, clauses: str, expected: dict[str, float]) -> None:
    """Each call takes its arguments as parameters; `check` has nothing to say."""
    found, faults = checked(tmp_path, f"{clauses}\nquery(q(_)).\n")
    assert found == pytest.approx(expected)
    assert faults == []


@pytest.mark.parametrize(
    ("goal", "message"),
    [
        ("call([X, Y]>>(X < Y), 1)", r"1:17: .*takes 2 arguments, and is called with 1"),
        ("call(X>>(X < 1), 1)", r"1:12: the parameters of a lambda expression are a list such as \[X, Y\]"),
        ("maplist([X]>>missing(X), [1])", r"1:19: no clauses for missing/1"),
        ("maplist([X]>>missing(X), [1], _)", r"1:19: no clauses for missing/2"),
        ("maplist([X]>>(missing(X), X > 1), [1])", r"1:20: no clauses for missing/1"),
    ],
)
def test_errors(goal: str, message: str) -> None:
    """What is wrong has the place of the lambda expression, or of the goal in it."""
    with pytest.raises(errors.GroundingError, match=message):
        deepplp.Model(deepplp.Program.from_string(f"q :- {goal}."), cache=False).query("q")


@pytest.mark.parametrize(
    "goal",
    [
        "maplist([X]>>no(X), [1])", "maplist([X]>>no(X), [1], _)", "call([X]>>(no(X), p), 1)",
        "maplist(X^no(X), [1])", "maplist(f(F)/no(F), [1])", r"call(F/(\X^no(F)), 1, _)",
    ],
)  # fmt: skip
def test_check_looks_into_lambda_expressions(tmp_path: Path, goal: str) -> None:
    """A goal in a lambda expression that nothing defines is found without running anything."""
    file = tmp_path / "p.pl"
    file.write_text(f"p.\nq :- {goal}.\n")
    arity = 2 if goal.endswith("_)") or "/no" in goal else 1
    assert f"no clauses for no/{arity}" in [f.message for f in deepplp.check_file(file).findings]
