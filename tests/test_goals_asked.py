"""Built-ins, higher-order predicates and goals with variables of their own may be asked, not only a program's atoms."""

from __future__ import annotations

import pytest
import torch

import deepplp
from deepplp import errors

PROGRAM = "0.3::a. 0.5::p(1). 0.4::p(2). nn(net, [X], Y, [0..1]) :: d(X, Y)."
# By enumeration of the worlds of a, p(1) and p(2).
LISTS = {"[]": 0.3, "[1]": 0.3, "[2]": 0.2, "[1, 2]": 0.2}


def model() -> deepplp.Model:
    """A model of the program, whose network gives back its input."""
    return deepplp.Model(deepplp.Program.from_string(PROGRAM), {"net": lambda x: x}, cache=False)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("findall(X, p(X), L)", {f"findall(A,p(A),{k})": v for k, v in LISTS.items()}),
        ("findall(X, p(X), [H|T])", {f"findall(A,p(A),{k})": v for k, v in LISTS.items() if k != "[]"}),
        ("include([X]>>p(X), [1, 2], L)", {f"include([A]>>p(A),[1, 2],{k})": v for k, v in LISTS.items()}),
        ("forall(p(X), a)", {"forall(p(_),a)": 0.3 + 0.7 * 0.3}),
        ("forall(p(X), X > 1)", {"forall(p(A),A>1)": 0.5}),
        ("\\+forall(p(X), X > 1)", {"\\+forall(p(A),A>1)": 0.5}),
        ("\\+findall(X, p(X), [])", {"\\+findall(A,p(A),[])": 0.7}),
        ("maplist([X]>>p(X), [1, 2])", {"maplist([A]>>p(A),[1, 2])": 0.2}),
        ("foldl([X, A, B]>>(p(X), B is A + X), [1, 2], 0, S)", {"foldl([A, B, C]>>(p(A), C is B+A),[1, 2],0,3)": 0.2}),
        ("between(1, 2, X)", {"between(1,2,1)": 1.0, "between(1,2,2)": 1.0}),
        ("X is 1 + 2", {"3 is 1+2": 1.0}),
        ("2 < 1", {"2<1": 0.0}),
        ("call(p(X))", {"call(p(1))": 0.5, "call(p(2))": 0.4}),
        ("once(a)", {"once(a)": 0.3}),
        # What a library exports, though the program calls nothing of it.
        ("member(X, [1, 2])", {"member(1,[1, 2])": 1.0, "member(2,[1, 2])": 1.0}),
        ("\\+member(3, [1, 2])", {"\\+member(3,[1, 2])": 1.0}),
        ("findall(X, member(X, [1, 2]), L)", {"findall(A,member(A,[1, 2]),[1, 2])": 1.0}),
        ("msort([c, a], L)", {"msort([c, a],[a, c])": 1.0}),
    ],
)  # fmt: skip
def test_goals(query: str, expected: dict[str, float]) -> None:
    """A goal has its answers, whose own variables stay as they are; the program may ask it as well."""
    asked = model()
    found = asked.query(query).to_dict()
    assert found == pytest.approx(expected)
    assert asked.query(query).to_dict() == found  # of the compiled form that is kept
    program = deepplp.Program.from_string(f"0.3::a. 0.5::p(1). 0.4::p(2). query({query}).")
    assert deepplp.probabilities(program, cache=False) == pytest.approx(expected)


def test_networks() -> None:
    """Lists of a network's values are answers row by row, found by any names of their variables."""
    rows = torch.tensor([[0.2, 0.8], [0.5, 0.5]])
    answers = model().query("findall(Y, d(c, Y), L)", {"c": rows})
    torch.testing.assert_close(answers["findall(Z, d(c, Z), [1])"], rows[:, 1].double())
    assert answers.argmax() == ["findall(A,d(c,A),[1])", "findall(A,d(c,A),[0])"]
    assert "findall(Z, d(c, W), [1])" not in answers


def test_evidence() -> None:
    """What has variables of its own may be known, too."""
    answers = model().query("findall(X, p(X), L)", evidence={"forall(p(X), X > 1)": True})
    assert answers["findall(X, p(X), [2])"].item() == pytest.approx(0.4)
    assert answers["findall(X, p(X), [1])"].item() == 0.0


def test_libraries_stay_apart() -> None:
    """A library that a query needs changes nothing for the queries after it, nor for the program's own predicates."""
    own = deepplp.Model(deepplp.Program.from_string("0.5::p(1). member(X, _) :- p(X). b :- c(1). c(1)."), cache=False)
    assert own.query("last([1, 2], X)").terms == ("last([1, 2],2)",)
    assert own.query("member(X, [7])").to_dict() == {"member(1,[7])": 0.5}
    assert own.query("b").to_dict() == {"b": 1.0}
    with pytest.raises(errors.UnknownPredicateError, match="no clauses for nothing/1"):
        own.query("nothing(X)")


@pytest.mark.parametrize(
    ("query", "error", "message"),
    [
        ("\\+X", errors.ProgramSyntaxError, "expected one atom or its negation: X is a variable"),
        ("\\+ \\+ a", errors.ProgramSyntaxError, "it is negated twice; write a"),
        ("a, p(1)", errors.ProgramSyntaxError, "a conjunction needs a rule of the program as its name"),
        ("\\+p(X)", errors.NonGroundError, r"the negated query \\\+p\(X\) must be ground"),
        ("\\+member(X, [1])", errors.NonGroundError, "must be ground"),
        ("p(X) -> a", errors.UnknownPredicateError, r"ProbLog has no ->/2; write \(C, A\) for C -> A"),
        ("!", errors.UnknownPredicateError, "ProbLog has no !/0; the cut has no meaning"),
        ("setof(X, p(X), L)", errors.UnknownPredicateError, "ProbLog has no setof/3; findall"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked(query: str, error: type[errors.DeepPLPError], message: str) -> None:
    """What is no goal is an error that says what to write."""
    with pytest.raises(error, match=message):
        model().query(query)


def test_a_call_that_leaves_a_variable_is_refused() -> None:
    """Variables that an answer would have to bind are no variables of the goal's own."""
    open_one = deepplp.Model(deepplp.Program.from_string("0.5::a. q(X) :- a."), cache=False)
    for query in ("q(X)", "call(q(X))", "maplist(q, [X])", "maplist(X/[Y]>>q(X), [1])", "findall(X, a, [Y|L])"):
        with pytest.raises(errors.NonGroundError, match="still holds a variable"):
            open_one.query(query)
