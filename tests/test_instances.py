r"""A call is not answered by a more general one where its goals look at what is bound, as ``var/1`` and ``\+`` do."""

from __future__ import annotations

import pytest

from deepplp.grounding.grounder import GrounderName, ground
from deepplp.program import Program
from tests.formulas import fixed_weights
from tests.oracles import enumerate_formula

ENGINES: list[GrounderName] = ["tabled", "problog"]
# Of a program, P(s) worked out by hand: what p(1) is, asked as such, whatever p(_) has found before.
LOOKING = {
    "p(X) :- var(X), a, X = 1. s :- p(_), \\+ p(1).": 0.5,
    "p(X) :- var(X), a, X = 1. s :- p(1), p(_).": 0.0,
    "p(X) :- var(X), a, X = 1. s :- p(_), p(1).": 0.0,
    "p(X) :- q(X). q(X) :- var(X), a, X = 1. s :- p(_), p(1).": 0.0,
    "p(X) :- q(Y), X = Y. q(X) :- var(X), a, X = 1. s :- p(_), p(1).": 0.5,
    "p(X) :- X = Y, q(Y). q(X) :- var(X), a, X = 1. s :- p(_), p(1).": 0.0,
    "p(X) :- X \\== 1, a, X = 1. s :- p(_), p(1).": 0.0,
    "p(X) :- X @< 1, a, X = 1. s :- p(_), p(1).": 0.0,
    "p(X) :- \\+ ground(X), a, X = 1. s :- p(_), p(1).": 0.0,
    "p(X) :- \\+ nonvar(X), a, X = 1. s :- p(_), p(1).": 0.0,
    "p(X) :- \\+ integer(X), a, X = 1. s :- p(_), p(1).": 0.0,
    "p(X) :- compare(>, 1, X), a, X = 1. s :- p(_), p(1).": 0.0,
    "p(X) :- (var(X), X = 1 ; X == 2), a. s :- p(_), p(1).": 0.0,
    "p(X) :- \\+ (X = 1, b), a, X = 1. p(1) :- c. s :- (p(_) ; true), p(1).": 1 - 0.7 * (1 - 0.5 * 0.8),
    "p(X) :- \\+ q(X), a. p(1) :- b. q(2). s :- (p(_) ; true), p(1).": 0.6,
    "p(X) :- X \\= 2, a. p(1) :- b. s :- (p(_) ; true), p(1).": 0.6,
    "p(X) :- X == 1, a. p(1) :- b. s :- (p(_) ; true), p(1).": 0.6,
    "p(X) :- p(Y), Y \\== X, X = 1. p(X) :- var(X), a, X = 2. s :- (p(_) ; true), p(2).": 0.0,
    "p(X) :- r(X), \\+ q(X, _), a. r(1). r(2). q(2, 3). s :- p(_), p(1).": 0.5,
    "p(X, Y) :- X == Y, a, X = 1. p(1, 2) :- b. s :- (p(_, 1) ; true), p(1, 1).": 0.5,
}  # fmt: skip


# By ProbLog's engine, which alone speaks most of it.
COLLECTING = {
    "p(X) :- findall(Y, q(X, Y), L), a, length(L, 2), X = 1. q(1, 1). q(2, 2). s :- p(_), \\+ p(1).": 0.5,
    "p(X) :- once(q(X)), a. q(2). q(1). s :- (p(_) ; true), p(1).": 0.5,
    "p(X) :- r(X). r(X) :- p(Y), Y > 5, X = 7. r(X) :- var(X), a, X = 3. s :- (p(_) ; true), p(3).": 0.0,
    "p(X) :- call(q, X). q(X) :- not(X = 2), a. p(1) :- b. s :- (p(_) ; true), p(1).": 0.6,
}


@pytest.mark.parametrize("grounder", ENGINES)
@pytest.mark.parametrize("text", LOOKING)
def test_what_looks_at_bindings_is_called_anew(text: str, grounder: GrounderName) -> None:
    """The instances of a call have proofs of their own."""
    program = Program.from_string("0.5::a. 0.2::b. 0.3::c. " + text)
    formula = ground(program, "s", grounder=grounder)
    assert enumerate_formula(formula, fixed_weights(formula))[0] == pytest.approx([LOOKING[text]])


@pytest.mark.parametrize("text", COLLECTING)
def test_what_collects_or_copies_is_called_anew(text: str) -> None:
    """Built-ins of ProbLog's engine that look at bindings, also below call/N and on cycles."""
    formula = ground(Program.from_string("0.5::a. 0.2::b. " + text), "s", grounder="problog")
    assert enumerate_formula(formula, fixed_weights(formula))[0] == pytest.approx([COLLECTING[text]])
