r"""A probability stands before a head. Anywhere else it is an error with its place, never dropped in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

import deepplp
from deepplp import errors
from deepplp.program import Constant, Term

BODY = "a probability stands before a head, not in a body; write "


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("q :- 0.5::a.", (1, 6), BODY + "0.5::a. q :- a. (a fact of its own) or 0.5::q :- a. (a rule's)"),
        ("q :- 0.5::a, b.", (1, 6), BODY + "0.5::a. q :- a."),
        ("0.3::a.\nq(X) :-\n  b(X),\n  0.5 :: c(X,\n  d).", (4, 3), "write 0.5::c(X, d). q(X) :- c(X, d)."),
        ("q :- \\+ 0.5::a.", (1, 9), "write 0.5::a. q :- \\+a. (a fact of its own) or 0.5::q :- \\+a."),
        ("q :- not 0.5::a.", (1, 10), "0.5::q :- \\+a."),
        ("q :- 0.01::\\+a.", (1, 6), BODY + "0.01::q :- \\+a."),
        ("q :- 0.9::a; 0.1::b.", (1, 6), "0.9::q :- a."),
        ("q :- (c ; 0.1::b).", (1, 11), "0.1::q :- b."),
        ("q :- (c -> 0.1::b ; d).", (1, 12), "0.1::q :- b."),
        ("q :- 0.5::(a, b).", (1, 6), BODY + "0.5::q :- (a, b)."),
        ("q(L) :- findall(X, 0.5::a(X), L).", (1, 20), "0.5::q(L) :- a(X)."),
        ("q :- forall(b, 0.5::c).", (1, 16), "0.5::q :- c."),
        ("q :- call(0.5::c).", (1, 11), "0.5::q :- c."),
        ("q :- call((b, 0.5::c)).", (1, 15), "0.5::q :- c."),
        ("q :- once(0.5::c).", (1, 11), "0.5::q :- c."),
        ("q :- X = p(0.5::c), r(X).", (1, 12), "0.5::q :- c."),
        ("0.3::q :- 0.2::a.", (1, 11), "0.2::q :- a."),
        ("0.3::q(1); 0.2::q(2) :- 0.4::a.", (1, 25), "0.4::q(1) :- a."),
        ("q :- t(0.5)::a.", (1, 6), "t(0.5)::q :- a."),
        ("q :- 1/2::a.", (1, 6), "1/2::q :- a."),
        ("q :- P::a, p(P).", (1, 6), "P::q :- a."),
        ("q(X) :- nn(net, [X])::a(X).", (1, 9), "nn(net, [X])::q(X) :- a(X)."),
        ("q <- 0.5::a.", (1, 6), BODY),
        (":- 0.5::a.", (1, 4), "not in a directive: state 0.5::a as a clause"),
        (":- assertz((q :- 0.5::a)).", (1, 18), "not in a directive"),
        (":- assertz(0.5::a).", (1, 12), "a clause as an argument stands in parentheses: assertz((0.5::a))"),
        ("a. query(0.5::a).", (1, 10), "not in query: state 0.5::a as a clause, and write query(a)"),
        ("a. evidence(0.5::a).", (1, 13), "not in evidence: state 0.5::a as a clause, and write evidence(a)"),
        ("a. evidence(0.5::a, true).", (1, 13), "not in evidence"),
        ("p(0.5::a).", (1, 3), "not within the arguments of p"),
        ("0.2::p(f(0.5::a)) :- b.", (1, 10), "not within the arguments of f"),
        ("p([b, 0.5::a]).", (1, 7), "not within a list"),
    ],
)
def test_a_probability_in_another_place(tmp_path: Path, text: str, place: tuple[int, int], message: str) -> None:
    """It is found when the text is parsed, by `check` too, and the message says what to write."""
    with pytest.raises(errors.ProgramSyntaxError) as caught:
        deepplp.Program.from_string(text, "p.pl")
    position = caught.value.position
    assert position is not None
    assert (position.line, position.column) == place
    assert message in caught.value.message
    file = tmp_path / "p.pl"
    file.write_text(text)
    found = [f for f in deepplp.check_file(file).findings if f.message == caught.value.message]
    assert [(f.position.line, f.position.column) for f in found if f.position is not None] == [place]


def test_facts_of_a_query() -> None:
    """A clause that comes with a query is read as those of the program are."""
    model = deepplp.Model(deepplp.Program.from_string("0.5::a."))
    with pytest.raises(errors.ProgramSyntaxError, match=r"<facts>:2:6: a probability stands before a head"):
        model.query("q", facts="b.\nq :- 0.3::a.")


@pytest.mark.parametrize(
    ("query", "evidence"), [("0.5::a", {}), ("a", {"0.5::a": True}), (Term("a", p=Constant(0.5)), {})]
)
def test_queries_and_evidence(query: str | Term, evidence: dict[str, bool]) -> None:
    """What is asked or known is no clause."""
    with pytest.raises(errors.DeepPLPError, match=r"0\.5::a is a clause.*what is asked or known"):
        deepplp.ground(deepplp.Program.from_string("0.5::a."), query, evidence=evidence)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(0.5::a). query(a).", 0.5),
        ("0.5::\\+a. 0.3::a. query(a).", 0.15),
        ("0.5::\\+a; 0.2::b. a. query(a).", 0.5),
        ("0.5::\\+a :- b. 0.4::b. a. query(a).", 0.8),
        (":- use_module(library(assert)).\n:- assertz((0.5::a)).\nquery(a).", 0.5),
        (":- use_module(library(assert)).\n:- assertz((0.5::a :- b)).\n0.4::b. query(a).", 0.2),
    ],
)
def test_where_a_probability_may_stand(text: str, expected: float) -> None:
    """Before heads, also negated ones, and before those of clauses that are asserted."""
    assert deepplp.Model(deepplp.Program.from_string(text)).query()["a"].tolist() == pytest.approx([expected])


@pytest.mark.parametrize("text", ["0.5::a :- x ~ normal(0, 1).", "q(x ~ beta(1, 1))."])
def test_distributions_in_other_places(text: str) -> None:
    """A distribution in a body or an argument is one of a continuous variable, which there are none of."""
    with pytest.raises(errors.UnsupportedConstructError, match=r"1:\d+: ~ is for continuous random variables"):
        deepplp.Program.from_string(text)
