"""Programs that compare, sort, collect and deny terms, against all their worlds, each worked out on plain tuples."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import deepplp
from deepplp.grounding.grounder import GrounderName
from deepplp.grounding.problog import collect
from tests.test_order import TERM, Plain, distinct, in_order, text

RULES = """
below(X, Y) :- n(X), n(Y), X @< Y.
between(X, Y) :- n(X), n(Z), n(Y), X @< Z, Z @< Y.
next(pair(X, Y)) :- below(X, Y), \\+ between(X, Y).
least(X) :- n(X), \\+ below(_, X).
sorted(L) :- findall(X, n(X), Found), sort(Found, L).
falling(L) :- findall(X, n(X), Found), sort(0, @>=, Found, L).
many(N) :- findall(X, n(X), Found), length(Found, N).
extremes(X, Y) :- findall(Z, n(Z), Found), Found = [_|_], sort(Found, [X|_]), msort(Found, L), last(L, Y).
none :- \\+ n(_).
all_below(X) :- n(X), forall((n(Y), Y \\== X), Y @< X).
"""
QUERIES = ["next(_)", "least(_)", "sorted(_)", "falling(_)", "many(_)", "extremes(_,_)", "all_below(_)", "none"]


def listed(terms: list[Plain]) -> str:
    """A list as a program writes it."""
    return f"[{','.join(map(text, terms))}]"


def holding(terms: list[Plain]) -> set[str]:
    """The atoms that hold in the world of these facts, which are in any order and distinct."""
    ordered = sorted(terms, key=in_order)
    pairs = list(itertools.pairwise(ordered))
    found = {f"sorted({listed(ordered)})", f"falling({listed(ordered[::-1])})", f"many({len(terms)})"}
    found |= {f"next(pair({text(a)},{text(b)}))" for a, b in pairs}
    if ordered:
        found |= {f"least({text(ordered[0])})", f"all_below({text(ordered[-1])})"}
        found.add(f"extremes({text(ordered[0])},{text(ordered[-1])})")
    return found if ordered else found | {"none"}


@pytest.mark.parametrize("grounder", ["auto", "problog"])
@given(
    st.lists(TERM, min_size=1, max_size=4).map(distinct),
    st.lists(st.sampled_from([0.5, 0.25, 0.9, None]), min_size=4, max_size=4),
    st.lists(st.sampled_from(QUERIES), min_size=1, max_size=3, unique=True),
)
@settings(max_examples=25)
def test_all_worlds(
    grounder: GrounderName, terms: list[Plain], probabilities: list[float | None], queries: list[str]
) -> None:
    """Every answer has the summed probability of the worlds in which it holds, and nothing else has any."""
    facts = list(zip(terms, probabilities, strict=False))
    lines = [f"{'' if p is None else f'{p}::'}n({text(term)})." for term, p in facts]
    program = deepplp.Program.from_string("\n".join([*lines, RULES]))
    answers = deepplp.Model(program, cache=False, grounder=grounder).query(queries)
    expected: Counter[str] = Counter()
    for world in itertools.product(*([True] if p is None else [True, False] for _, p in facts)):
        p = math.prod(q if holds else 1 - q for (_, q), holds in zip(facts, world, strict=True) if q is not None)
        here = holding([term for (term, _), holds in zip(facts, world, strict=True) if holds])
        for atom in here:
            if any(atom.split("(")[0] == query.split("(")[0] for query in queries):
                expected[atom] += p
    found = {term: float(p) for term, p in answers.items() if float(p) > 0.0}
    assert len(found) == len(expected)
    for atom, p in expected.items():
        assert float(answers[atom]) == pytest.approx(p, abs=1e-12)


COLLECTING = [
    "q(L) :- findall(X, f(X), L).",
    "q(L) :- all(X, f(X), L).",
    "q(L) :- all_or_none(X, f(X), L).",
    "q(L) :- findall(X, (v(X), \\+ f(X)), L).",
    "q(N) :- findall(X, f(X), L), length(L, N).",
    "q(X) :- v(X), \\+ f(X).",
    ":- use_module(library(aggregate)). q(sum<X>) :- f(X).",
]


@pytest.mark.parametrize("rule", COLLECTING)
@pytest.mark.parametrize(
    ("program", "closed"),
    [
        ("{0}::f(1). {1}::f(2). v(1). v(2). ", False),
        ("P::f(X) :- w(X, P). v(X) :- w(X, _). w(1, {0}). w(2, {1}). ", False),
        ("P::f(X) :- v(X), Q is 2 * X, w(Q, P). v(1). v(2). w(2, {0}). w(4, {1}). ", False),
        ("{0}::f(1); {1}::f(2). v(1). v(2). ", True),
        ("P::f(1); Q::f(2) :- w(P, Q). v(1). v(2). w({0}, {1}). ", True),
        ("{0}::g; {1}::h; 0.0::i. f(1) :- g. f(2) :- h. v(1). v(2). ", True),
    ],
)
def test_no_number_decides_which_answers_there_are(program: str, closed: bool, rule: str) -> None:
    """Probabilities of 0 and 1 give the answers that others give, whoever states them; they have probability 0 or 1."""
    found: list[tuple[str, ...]] = []
    pairs = [(0.5, 0.5), (1.0, 0.0), (0.0, 1.0)]
    for numbers in pairs if closed else [*pairs, (0.25, 0.5), (1.0, 1.0), (0.0, 0.0)]:
        model = deepplp.Model(deepplp.Program.from_string(program.format(*numbers) + rule), cache=False)
        answers = model.query("q(X)")
        found.append(answers.terms)
        certain = set(numbers) <= {0.0, 1.0}
        assert not certain or {round(p, 12) for p in answers.probs[0].tolist()} <= {0.0, 1.0}
    assert len(set(found)) == 1


def test_proofs_hold_what_is_uncertain_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proof of chained answers is as long as its uncertain facts are many, so that memory does not grow by depth."""
    lengths: list[int] = []
    branches = collect._branches

    def counted(
        formula: collect.FormulaWriter, roots: list[collect.Key], cyclic: frozenset[int]
    ) -> Callable[[collect.Key], list[collect.Proof]]:
        proofs = branches(formula, roots, cyclic)
        lengths.extend(len(literals) for root in roots for _, literals in proofs(root))
        return proofs

    monkeypatch.setattr(collect, "_branches", counted)
    text = "0.5::s(4). up(X, X). up(X, Y) :- X < 8, (X \\= 4 ; s(X)), Z is X + 1, up(Z, Y). "
    rule = "q(N) :- findall(Y, up(0, Y), L), length(L, N)."
    model = deepplp.Model(deepplp.Program.from_string(text + rule), cache=False)
    assert model.query("q(N)")["q(9)"].tolist() == [0.5]
    assert sorted(lengths) == [0] * 5 + [1] * 4
