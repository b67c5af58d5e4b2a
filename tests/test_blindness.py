"""Names of inputs change no answer: not those of a query whose goal, facts, evidence or functions look into them."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch

import deepplp
from deepplp.grounding import reserved_signatures
from deepplp.queries.blindness import BLIND

PROGRAM = """
    nn(net, [X], Y, [yes, no]) :: seen(X, Y).
    before(X) :- b @< X.
    ordered(O, X) :- compare(O, b, X).
    sorted(L, X) :- sort([X, b], L).
    kept(L, X) :- msort([X, b], L).
    least(L, X) :- min_member(L, [X, b]).
    named(N, X) :- functor(X, N, _).
    parts(L, X) :- X =.. L.
    holds(G) :- call(G).
    all_hold(P, L) :- maplist(P, L).
    count(N, X) :- findall(Y, (member(Y, [a, d]), Y @< X), L), length(L, N).
"""
# Programs that look into nothing by themselves, so that what is asked decides.
PLAIN = "nn(net, [X], Y, [yes, no]) :: seen(X, Y). q(X) :- seen(X, yes). r(x)."
CALLING = f"{PLAIN} holds(G) :- call(G). every(P, L) :- maplist(P, L). it(G) :- G."


def net(images: torch.Tensor) -> torch.Tensor:
    """Two probabilities a row."""
    return torch.softmax(images, dim=1)


def found(program: str, query: str, inputs: Mapping[str, torch.Tensor], **more: object) -> dict[str, float]:
    """The answers of a query and their probabilities."""
    model = deepplp.Model(deepplp.Program.from_string(program), networks={"net": net}, cache=False)
    return dict(model.query(query, inputs, extra="ignore", **more).to_dict())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("program", "query"),
    [
        *((PLAIN, q) for q in ("b @< c", "c @> b", "b @=< c", "c @>= b", "compare(O, b, c)", "compare(>, c, b)")),
        *((PLAIN, q) for q in ("sort([c, b], L)", "functor(c, N, A)", "c =.. L", "call(b @< c)", "\\+ c @< b")),
        *((PLAIN, q) for q in ("findall(X, sort([c, b], X), L)", "atom(c)", "f(c) @> f(b)", "once(b @< c)")),
        *((CALLING, q) for q in ("holds(b @< c)", "every('@<'(b), [c])", "it(b @< c)", "holds(sort([c, b], _))")),
        *((PROGRAM, q) for q in ("before(c)", "ordered(O, c)", "sorted(L, c)", "kept(L, c)", "least(L, c)")),
        *(
            (PROGRAM, q)
            for q in ("named(N, c)", "parts(L, c)", "holds(b @< c)", "all_hold('@<'(b), [c])", "count(N, c)")
        ),
        (f"{PLAIN} rule(G, X) :- G = (b @< X), call(G).", "rule(_, c)"),
    ],
)
def test_an_input_of_a_name_is_that_name(program: str, query: str) -> None:
    """What looks into terms says the same of a name whether or not a tensor has it."""
    assert found(program, query, {"c": torch.zeros(1, 2)}) == found(program, query, {})


def test_facts_of_a_query_may_look_into_names() -> None:
    """A query's own rules are asked, too: the same rules in the program say the same."""
    inputs = {"c": torch.zeros(1, 2), "a": torch.zeros(1, 2)}
    for facts, query in (("r(X) :- b @< X.", "r(c)"), ("r(O) :- compare(O, c, a).", "r(O)"), ("p :- b @< c.", "p")):
        apart = found(PLAIN, query, inputs, facts=facts)
        assert apart == found(f"{PLAIN} {facts}", query, inputs) == found(f"{PLAIN} {facts}", query, {})


def test_evidence_may_look_into_names() -> None:
    """Evidence that compares names is as true as it is without tensors."""
    inputs = {"c": torch.zeros(1, 2)}
    assert found(PLAIN, "q(c)", inputs, evidence={"b @< c": True}) == pytest.approx({"q(c)": 0.5})
    assert found(PROGRAM, "seen(c, yes)", inputs, evidence={"before(c)": True}) == pytest.approx({"seen(c,yes)": 0.5})


def test_functions_in_python_see_names() -> None:
    """A registered function gets the names that the query has."""
    for name in ("named", "last"):  # of these, library(lists) has one that is blind
        program = f"{PLAIN} s(X, Y) :- {name}(X, Y)."
        model = deepplp.Model(deepplp.Program.from_string(program), networks={"net": net}, cache=False)
        model.register(name, lambda x: f"name_{x}", inputs=1)
        inputs = {"c": torch.zeros(1, 2)}
        assert model.query("s(c, Y)", inputs, extra="ignore").terms == ("s(c,name_c)",)
        assert model.query(f"{name}(c, Y)", inputs, extra="ignore").terms == (f"{name}(c,name_c)",)


def test_blind_programs_share_their_patterns() -> None:
    """Where nothing looks into names, queries that differ by them alone are compiled once."""
    model = deepplp.Model(deepplp.Program.from_string(CALLING), networks={"net": net}, cache=False)
    for name in ("c", "d", "e"):
        for query in (f"q({name})", f"seen({name}, no)", f"holds(q({name}))"):
            model.query(query, {name: torch.zeros(1, 2)})
    info = model.cache_info()
    assert (info.built, info.patterns) == (3, 6)


def test_what_is_blind_is_a_short_list() -> None:
    """No built-in that orders, takes apart, types or prints terms is on it."""
    looking = {
        s for s in reserved_signatures() if s.startswith(("@", "write", "atom", "functor", "arg", "$", "clause"))
    }
    looking |= {"sort/2", "sort/4", "msort/2", "keysort/2", "predsort/3", "compare/3", "=../2", "list_to_ord_set/2"}
    looking |= {"max_member/2", "min_member/2", "is_set/1", "assertz/1", "recorda/2", "number/1", "concat/2"}
    assert len(looking) > 35
    assert looking <= reserved_signatures()
    assert not looking & BLIND
