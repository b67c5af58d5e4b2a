"""ProbLog's own answers: the second oracle for programs without networks."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from problog.eval_nodes import NegativeCycle

from tests.oracles import FirstOrderProgram, PlainProgram, problog_probabilities
from tests.strategies import first_order_programs, programs
from tests.test_grounding import answers, first_order_answers, plain_answers


def agree(text: str, found: dict[str, float] | None) -> None:
    """ProbLog's answers are ours, where it has any.

    It takes some positive cycles for negative ones, and breaks off some programs with an assertion of its own.
    """
    assume(found is not None)
    try:
        expected = problog_probabilities(text)
    except (NegativeCycle, AssertionError):
        assume(False)
    assert found is not None
    # ProbLog lists queries with free variables and without an answer; for us they have none.
    assert {q: found.get(q, 0.0) for q in expected} == pytest.approx(expected, abs=1e-9)
    assert found.keys() <= expected.keys()


@given(programs())
def test_propositional_programs(program: PlainProgram) -> None:
    """Programs without variables get ProbLog's answers."""
    agree(program.text(), plain_answers(program))


@given(first_order_programs())
def test_programs_with_variables(program: FirstOrderProgram) -> None:
    """Programs with variables get ProbLog's answers."""
    agree(program.text(), first_order_answers(program))


PROGRAMS = {
    "alarm": """
        0.1::burglary. 0.05::earthquake.
        0.9::alarm :- burglary, earthquake.
        0.8::alarm :- burglary, \\+earthquake.
        0.3::alarm :- \\+burglary, earthquake.
        person(john). person(mary).
        0.7::calls(X) :- alarm, person(X).
        0.05::calls(X) :- \\+alarm, person(X).
        evidence(calls(john)). evidence(calls(mary), false).
        query(burglary). query(earthquake). query(alarm).
    """,
    "weather": """
        0.5::weather(sun, 0); 0.3::weather(clouds, 0); 0.2::weather(rain, 0).
        0.6::weather(sun, T); 0.3::weather(clouds, T); 0.1::weather(rain, T) :- T > 0, S is T - 1, weather(sun, S).
        0.2::weather(sun, T); 0.4::weather(clouds, T); 0.4::weather(rain, T) :- T > 0, S is T - 1, weather(clouds, S).
        0.3::weather(sun, T); 0.3::weather(clouds, T); 0.4::weather(rain, T) :- T > 0, S is T - 1, weather(rain, S).
        wet(T) :- weather(rain, T).
        evidence(wet(1)). evidence(\\+wet(3)).
        query(weather(_, 2)). query(wet(4)).
    """,
    "dice": """
        1/6::die(D, 1); 1/6::die(D, 2); 1/6::die(D, 3); 1/6::die(D, 4); 1/6::die(D, 5); 1/6::die(D, 6) :- name(D).
        name(a). name(b).
        total(S) :- die(a, A), die(b, B), S is A + B.
        odd :- total(S), 1 is S mod 2.
        pair :- die(a, X), die(b, X).
        evidence(\\+odd).
        query(total(_)). query(pair).
    """,
    "urn without replacement": """
        1/4::first(B) ; 3/4::none(B) :- ball(B).
        ball(red). ball(blue). ball(green).
        chosen(B) :- first(B), \\+other(B).
        other(B) :- ball(C), B \\= C, first(C).
        query(chosen(_)). query(other(red)).
    """,
    "undirected graph": """
        0.6::edge(1,2). 0.1::edge(1,3). 0.4::edge(2,5). 0.3::edge(2,6). 0.3::edge(3,4). 0.8::edge(4,5). 0.2::edge(5,6).
        linked(X, Y) :- edge(X, Y).
        linked(X, Y) :- edge(Y, X).
        path(X, Y) :- linked(X, Y).
        path(X, Y) :- linked(X, Z), path(Z, Y).
        evidence(path(1, 5)).
        query(path(1, 6)). query(edge(_, 5)).
    """,
    "mutual recursion below negation": """
        0.4::a0. 0.5::b0. 0.6::c0.
        a :- a0. a :- b.
        b :- b0, c0. b :- a.
        d :- \\+a, c0. e :- \\+d.
        query(a). query(b). query(d). query(e).
    """,
    "probabilities from facts": """
        chance(x, 0.2). chance(y, 0.7).
        P::event(X) :- chance(X, P).
        0.5::other(X) :- event(X).
        query(event(_)). query(other(_)).
    """,
    "built-ins": """
        :- use_module(library(lists)).
        0.5::item(3). 0.5::item(1). 0.5::item(2).
        chosen(L) :- findall(X, item(X), L).
        few(N) :- chosen(L), length(L, N), N < 3.
        every :- forall(member(X, [1, 2]), item(X)).
        some :- ( item(1) ; item(2) ), \\+item(3).
        large(X) :- item(X), between(2, 5, X).
        query(few(_)). query(every). query(some). query(large(_)).
    """,
    "negative heads and evidence on disjunctions": """
        0.3::a; 0.4::b; 0.2::c.
        q :- a. q :- c. r :- \\+b.
        evidence(\\+a). evidence(r).
        query(a). query(b). query(c). query(q).
    """,
}


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_programs(name: str) -> None:
    """A classic program gets ProbLog's answers."""
    found = answers(PROGRAMS[name])
    assert found == pytest.approx(problog_probabilities(PROGRAMS[name]), abs=1e-9)
    assert any(0 < p < 1 for p in found.values())
