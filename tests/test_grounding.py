"""From programs to answers: random programs against enumeration, and what is easily got wrong in a logic program."""

from __future__ import annotations

import itertools
import math
import random
import re
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

import deepplp
from deepplp import errors
from deepplp.errors import DeepPLPError, GroundingError, InconsistentEvidenceError, NegativeCycleError, QueryError
from deepplp.formula import And, Atom, Fixed, Formula, Neural
from deepplp.grounding import Grounder, GrounderName
from deepplp.program import Program, parse_goal
from tests.oracles import FirstOrderProgram, PlainProgram
from tests.strategies import first_order_programs, programs

MAX_WORLDS = 2000


def answers(text: str, query: str | list[str] | None = None) -> dict[str, float]:
    """The answers of a program without networks."""
    found = deepplp.Model(Program.from_string(text)).query(query)
    return dict(zip(found.terms, found.probs[0].tolist(), strict=True))


def plain_answers(program: PlainProgram) -> dict[str, float] | None:
    """The answers of a random program; None where its evidence is impossible."""
    rows = {r.network: r.probabilities for r in program.rules if r.network}

    def net(x: torch.Tensor) -> torch.Tensor:
        return x[:, 1 : 1 + int(x[0, 0])]

    model = deepplp.Model(Program.from_string(program.text()), {"net": net} if rows else {})
    inputs = {n: torch.tensor([[len(p), *p]], dtype=torch.float64) for n, p in rows.items()}
    try:
        found = model.query(None, inputs)
    except InconsistentEvidenceError:
        return None
    return dict(zip(found.terms, found.probs[0].tolist(), strict=True))


def first_order_answers(program: FirstOrderProgram) -> dict[str, float] | None:
    """The answers of a random program with variables; each network reads its columns of the input."""
    text = program.text()
    networks: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {}
    width = 0
    for clause in program.clauses:
        if clause.network:
            start, width = width, width + len(clause.outputs[0][1])
            networks[clause.network] = lambda x, start=start, stop=width: x[:, start:stop]
    inputs = {
        name: torch.tensor([row], dtype=torch.float64)
        for name, row in program.inputs().items()
        if re.search(rf"\b{name}\b", text)
    }
    try:
        found = deepplp.Model(Program.from_string(text), networks).query(None, inputs)
    except InconsistentEvidenceError:
        return None
    return dict(zip(found.terms, found.probs[0].tolist(), strict=True))


def same(found: dict[str, float] | None, expected: dict[str, float] | None) -> None:
    """The answers are those of the enumeration; instances that are not among them have probability 0 there."""
    if expected is None or found is None:
        assert found is expected
        return
    assert found.keys() <= expected.keys()
    assert {q: found.get(q, 0.0) for q in expected} == pytest.approx(expected, abs=1e-12)


@given(programs())
def test_propositional_programs(program: PlainProgram) -> None:
    """P(query | evidence) is the share of worlds, counted one by one."""
    same(plain_answers(program), program.enumerate())


@given(programs(networks=True))
def test_neural_choices_are_choices(program: PlainProgram) -> None:
    """A network's output is the distribution of a choice, in rules, under negation, in cycles and under evidence."""
    same(plain_answers(program), program.enumerate())


@given(first_order_programs())
def test_programs_with_variables(program: FirstOrderProgram) -> None:
    """Every grounding of a clause with probabilities is a choice of its own; the share of worlds is the answer."""
    ground = program.grounded()
    assume(ground.worlds <= MAX_WORLDS)
    same(first_order_answers(program), ground.enumerate())


@given(first_order_programs(networks=True))
def test_neural_predicates_with_variables(program: FirstOrderProgram) -> None:
    """nn/4 and nn/2 with variables, with and without bodies: each grounding is a choice of its own."""
    ground = program.grounded()
    assume(ground.worlds <= MAX_WORLDS)
    same(first_order_answers(program), ground.enumerate())


@given(first_order_programs(), st.randoms(use_true_random=False))
def test_the_order_of_clauses_means_nothing(program: FirstOrderProgram, rng: random.Random) -> None:
    """Clauses in another order have the same meaning."""
    clauses = list(program.clauses)
    rng.shuffle(clauses)
    shuffled = FirstOrderProgram(tuple(clauses), program.constants, program.queries, program.evidence, program.strata)
    first, second = first_order_answers(program), first_order_answers(shuffled)
    assert (first is None) == (second is None)
    if first is not None and second is not None:
        assert list(first) == list(second), "answers come in the standard order"
        assert first == pytest.approx(second, abs=1e-12)


@given(first_order_programs())
def test_formulas_are_well_formed(program: FirstOrderProgram) -> None:
    """Literals refer to nodes, atoms to values of choices, and what a program states is a distribution."""
    formula = Grounder(Program.from_string(program.text())).ground()
    assert formula.nodes[0] == And(())
    for node in formula.nodes:
        if isinstance(node, Atom):
            assert 0 <= node.value < len(formula.choices[node.choice].values)
        else:
            assert all(1 <= abs(c) <= len(formula.nodes) for c in node.children)
    for choice in formula.choices:
        assert isinstance(choice.origin, Fixed)
        assert len(choice.origin.probabilities) == len(choice.values)
        assert math.fsum(choice.origin.probabilities) == pytest.approx(1, abs=1e-15)
        assert all(p >= 0 for p in choice.origin.probabilities)
    terms = [g.term for g in formula.queries]
    assert len(terms) == len(set(terms))


@given(first_order_programs())
def test_a_grounder_remembers_nothing(program: FirstOrderProgram) -> None:
    """What was ground before, and what failed before, does not matter to what comes after."""
    parsed = Program.from_string(program.text())
    used = Grounder(parsed)
    used.ground()
    with pytest.raises(DeepPLPError):
        used.ground([parse_goal("no_such_predicate(a)")])

    def plain(formula: Formula) -> tuple[object, ...]:
        return formula.nodes, formula.queries, formula.evidence, [c.values for c in formula.choices]

    assert plain(used.ground()) == plain(Grounder(parsed).ground())


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[tuple[int, int]], list[float]]:
    """Directed graphs on four vertices with random edges, cycles included."""
    pairs = [(a, b) for a in range(4) for b in range(4)]
    edges = draw(st.lists(st.sampled_from(pairs), min_size=1, max_size=9, unique=True))
    return edges, [draw(st.sampled_from([0.1, 0.5, 0.8, 1.0])) for _ in edges]


RECURSIONS = {
    "left": "path(X,Y) :- path(X,Z), edge(Z,Y).",
    "right": "path(X,Y) :- edge(X,Z), path(Z,Y).",
    "double": "path(X,Y) :- path(X,Z), path(Z,Y).",
}


@given(graphs(), st.sampled_from(sorted(RECURSIONS)), st.booleans())
def test_reachability_in_cyclic_graphs(
    graph: tuple[list[tuple[int, int]], list[float]], recursion: str, base_last: bool
) -> None:
    """Left, right and double recursion over cyclic graphs count the same paths as enumeration of the edges."""
    edges, probabilities = graph
    facts = "".join(f"{p}::edge({a},{b}).\n" for (a, b), p in zip(edges, probabilities, strict=True))
    clauses = ["path(X,Y) :- edge(X,Y).", RECURSIONS[recursion]]
    found = answers(facts + "\n".join(clauses[::-1] if base_last else clauses), "path(0, X)")
    expected = dict.fromkeys(range(4), 0.0)
    for world in range(1 << len(edges)):
        present = [e for i, e in enumerate(edges) if world >> i & 1]
        p = float(np.prod([q if world >> i & 1 else 1 - q for i, q in enumerate(probabilities)]))
        reached: set[int] = set()
        frontier = {0}
        while frontier:
            frontier = {b for a, b in present if a in frontier} - reached
            reached |= frontier
        for v in reached:
            expected[v] += p
    same(found, {f"path(0,{v})": p for v, p in expected.items()})


def test_smokers() -> None:
    """Friends who make each other smoke, in a ring of three: counted over the 64 worlds by hand."""
    text = (
        "0.3::stress(X) :- person(X). 0.2::influences(X,Y) :- person(X), person(Y). smokes(X) :- stress(X)."
        " smokes(X) :- friend(X,Y), influences(Y,X), smokes(Y). person(a). person(b). person(c). friend(a,b)."
        " friend(b,c). friend(c,a). evidence(smokes(b))."
    )
    friends = {"a": "b", "b": "c", "c": "a"}
    joint = dict.fromkeys("abc", 0.0)
    total = 0.0
    for stress, influence in itertools.product(itertools.product([0, 1], repeat=3), repeat=2):
        p = math.prod(0.3 if s else 0.7 for s in stress) * math.prod(0.2 if i else 0.8 for i in influence)
        smokes = {x for x, s in zip("abc", stress, strict=True) if s}
        for _ in range(3):
            smokes |= {x for x, i in zip("abc", influence, strict=True) if i and friends[x] in smokes}
        if "b" in smokes:
            total += p
            for x in smokes:
                joint[x] += p
    expected = {f"smokes({x})": p / total for x, p in joint.items()}
    assert answers(text, "smokes(X)") == pytest.approx(expected, rel=1e-12)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=6, unique=True))
def test_games(moves: list[tuple[int, int]]) -> None:
    """A position is won if a move leads to one that is not: right where games end, an error where they may not."""
    facts = " ".join(f"0.5::move({a},{b})." for a, b in moves)
    text = f"{facts} position(X) :- between(0, 3, X). win(X) :- move(X,Y), \\+win(Y)."
    after: dict[int, set[int]] = {v: {b for a, b in moves if a == v} for v in range(4)}
    reached: set[int] = set()
    frontier = {0}
    while frontier:
        reached |= frontier
        frontier = {b for v in frontier for b in after[v]} - reached
    rest = set(reached)
    while ends := {v for v in rest if not after[v] & rest}:
        rest -= ends
    if rest:  # some game from 0 goes round in a circle
        with pytest.raises(NegativeCycleError) as caught:
            answers(text, "win(0)")
        assert any(re.search(rf"win\({v}\)", atom) for v in rest for atom in caught.value.cycle)
        return
    expected = 0.0
    for world in itertools.product([0, 1], repeat=len(moves)):
        present = [m for m, w in zip(moves, world, strict=True) if w]

        def wins(v: int, present: list[tuple[int, int]] = present) -> bool:
            return any(a == v and not wins(b, present) for a, b in present)

        expected += 0.5 ** len(moves) * wins(0)
    assert answers(text, ["win(0)"]) == pytest.approx({"win(0)": expected}, abs=1e-12)


def test_four_terms() -> None:
    """1, 1.0, '1' and "1" are four terms: as facts, in rules, as arguments of choices and of networks."""
    facts = "0.1::p(1). 0.2::p(1.0). 0.3::p('1'). 0.4::p(\"1\"). q(X) :- p(X)."
    assert answers(facts, "p(X)") == {"p(1)": 0.1, "p(1.0)": 0.2, "p('1')": 0.3, 'p("1")': 0.4}
    for term, p in (("1", 0.1), ("1.0", 0.2), ("'1'", 0.3), ('"1"', 0.4)):
        assert answers(facts, f"q({term})") == {f"q({term})": p}
    both = "0.5::c(X) :- d(X). d(1). d(1.0). both :- c(1), c(1.0)."
    assert answers(both, "both") == {"both": 0.25}, "two groundings, two choices"
    program = Program.from_string("nn(net, [X], Y, [1, 1.0, '1', \"1\"]) :: p(X, Y).")
    net = torch.tensor([[0.1, 0.2, 0.3, 0.4]], dtype=torch.float64)
    asked = ["p(a,1)", "p(a,1.0)", "p(a,'1')", 'p(a,"1")', "p(a,2)"]
    with pytest.warns(errors.ImpossibleValueWarning, match=r"p\(a,2\) never holds"):
        found = deepplp.Model(program, {"net": lambda x: x}).query(asked, {"a": net})
    assert found.probs[0].tolist() == [0.1, 0.2, 0.3, 0.4, 0.0]


def test_numbers_are_compared_as_numbers() -> None:
    """10 < 9 is false, 2 =:= 2.0 is true, 2 == 2.0 is false."""
    text = (
        "0.5::x(9). 0.5::x(10). small :- x(N), N < 9.5. large :- x(N), N > 9.5."
        " same :- 2 =:= 2.0. identical :- 2 == 2.0."
    )
    goals = ["small", "large", "same", "identical"]
    assert answers(text, goals) == {"small": 0.5, "large": 0.5, "same": 1.0, "identical": 0.0}
    assert answers("0.5::x(9). 0.5::x(10). less(A,B) :- x(A), x(B), A < B.", "less(A,B)") == {"less(9,10)": 0.25}


def test_duplicated_subgoals_change_nothing() -> None:
    """x, y, x, y is x, y; and so it is for choices and networks."""
    text = "0.3::x. 0.4::y; 0.1::z. once :- x, y. twice :- x, y, x, y. never :- y, z. again :- once, twice, once."
    assert answers(text, ["once", "twice", "never", "again"]) == pytest.approx(
        {"once": 0.12, "twice": 0.12, "never": 0.0, "again": 0.12}
    )


def test_a_choice_for_each_grounding() -> None:
    """An annotated disjunction is one choice for each grounding of all its variables, also those of its body alone."""
    text = "e(1,2). e(1,3). e(1,2). 0.5::a(X); 0.2::b(X) :- e(X,Y). both :- a(1), b(1)."
    # Two choices: a from at least one of them, and a from one with b from the other.
    assert answers(text, ["a(1)", "both"]) == pytest.approx({"a(1)": 0.75, "both": 2 * 0.5 * 0.2})


def test_heads_of_a_disjunction_exclude_each_other() -> None:
    """Two values of one choice never hold together, and a head may stand in it twice."""
    text = "0.3::a; 0.3::b; 0.4::a. both :- a, b. either :- a. either :- b."
    assert answers(text, ["a", "both", "either"]) == pytest.approx({"a": 0.7, "both": 0.0, "either": 1.0})


@pytest.mark.parametrize("grounder", ["tabled", "problog"])
def test_a_domain_bound_in_the_body(grounder: GrounderName) -> None:
    """Each domain that the body binds makes a choice of its own, of the same network on the same input."""
    program = Program.from_string(
        "domain([1,2]). domain([3,4]). nn(net, [X], Y, D) :: p(X, Y) :- domain(D)."
        " same :- p(a,1), p(a,2). other :- p(a,1), p(a,4)."
    )
    row = torch.tensor([[0.3, 0.7]], dtype=torch.float64)
    found = deepplp.Model(program, {"net": lambda x: x}, grounder=grounder).query(
        ["p(a, Y)", "same", "other"], {"a": row}
    )
    expected = {"p(a,1)": 0.3, "p(a,2)": 0.7, "p(a,3)": 0.3, "p(a,4)": 0.7, "same": 0.0, "other": 0.21}
    assert dict(zip(found.terms, found.probs[0].tolist(), strict=True)) == pytest.approx(expected)


def test_one_input_many_atoms() -> None:
    """All atoms about one input are one choice; the same network on two inputs makes two."""
    formula = Grounder(
        Program.from_string("nn(net, [X], Y, [0..9]) :: d(X, Y). q :- d(a,A), d(b,B), d(a,B), A is B.")
    ).ground([parse_goal("q"), parse_goal("d(a, 3)"), parse_goal("d(c, 3)")])
    sources = [c.origin for c in formula.choices]
    assert [str(s.inputs[0]) for s in sources if isinstance(s, Neural)] == ["a", "b", "c"]


def test_almost_certain_facts() -> None:
    """A fact of probability 1 - 1e-13 may fail, and one of 1e-300 may hold: probabilities are what is written."""
    text = (
        "0.9999999999999::a. 1.0e-300::b. c :- \\+a. 1.23456789012345678e-8::d."
        " 1.0e-20::e; 2.0e-20/4::f. 1.0e-20::g :- c."
    )
    assert answers(text, list("abcdefg")) == {
        "a": 0.9999999999999,
        "b": 1e-300,
        "c": 1 - 0.9999999999999,
        "d": 1.23456789012345678e-8,
        "e": 1e-20,
        "f": 5e-21,
        "g": 1e-20 * (1 - 0.9999999999999),
    }


def test_certain_and_impossible_queries() -> None:
    """Queries that hold in every world, and those that hold in none, are answers like others."""
    text = "0.5::a; 0.5::b. yes :- a. yes :- b. no :- a, b. maybe(1). maybe(2) :- no. maybe(3) :- fail."
    goals = ["yes", "no", "maybe(X)", "maybe(3)"]
    assert answers(text, goals) == {"yes": 1.0, "no": 0.0, "maybe(1)": 1.0, "maybe(2)": 0.0, "maybe(3)": 0.0}


def test_evidence_about_what_no_query_asks() -> None:
    """Evidence counts whether or not a query depends on it, and may make a query certain."""
    text = "0.3::a. 0.6::b. c :- a, b. evidence(\\+c). "
    assert answers(text, "a") == pytest.approx({"a": 0.3 * 0.4 / (1 - 0.18)})
    assert answers(text + "evidence(b).", "a") == {"a": 0.0}
    assert answers("0.3::a. 0.6::b. evidence(b).", "a") == pytest.approx({"a": 0.3})


def test_ground_takes_texts_and_terms() -> None:
    """The public first stage: one query or several, as texts or terms; evidence as a mapping; the program's own."""
    program = Program.from_string("0.4::a(1). 0.5::a(2). b :- a(1). query(b). evidence(a(2)).")
    both = [parse_goal("a(X)"), parse_goal("b")]
    assert deepplp.ground(program, "a(X)") == deepplp.ground(program, both[0])
    assert deepplp.ground(program, ["a(X)", both[1]]) == deepplp.ground(program, both)
    assert deepplp.ground(program) == deepplp.ground(program, "b")
    known = deepplp.ground(program, "b", evidence={"a(1)": True, "b": None, "a(3)": False})
    assert [str(g) for g in known.evidence] == ["a(2)", "a(1)", r"\+a(3)", "b as observed"]
    for wrong in (3, [b"b"]):
        with pytest.raises(QueryError, match="a query is an atom such as"):
            deepplp.ground(program, wrong)  # type: ignore[arg-type]


def test_who_grounds_can_be_chosen() -> None:
    """The formulas of both engines; what the tabled one does not speak, and where, is told or raised."""
    program = Program.from_string("0.4::a(1). 0.5::a(2).\nl(L) :- findall(X, a(X), L).\nb :- a(1).", "p.pl")
    assert deepplp.ground(program, "b", grounder="tabled") == deepplp.ground(program, "b", grounder="problog")
    assert Grounder(program).trace([parse_goal("b")]).engine == "tabled"
    assert Grounder(program, grounder="problog").trace([parse_goal("b")]).engine == "problog"
    grounding = Grounder(program).trace([parse_goal("b"), parse_goal("l(L)")])
    assert grounding.engine == "problog"
    assert str(grounding.declined) == "p.pl:2:9: findall/3 is not spoken by the tabled engine"
    assert grounding.formula == deepplp.ground(program, ["b", "l(L)"], grounder="problog")
    with pytest.raises(GroundingError, match=r"^p\.pl:2:9: the tabled engine cannot ground this: findall/3 is not"):
        deepplp.ground(program, "l(L)", grounder="tabled")
    with pytest.raises(QueryError, match="grounder is 'auto' or 'tabled' or 'problog', not 'yap'"):
        deepplp.ground(program, "b", grounder="yap")  # type: ignore[arg-type]


def test_derivations_by_problogs_engine_are_not_known() -> None:
    """Where the tabled engine declines, the formula says why it has no derivations."""
    program = Program.from_string("0.4::a(1). l(L) :- findall(X, a(X), L).", "p.pl")
    assert deepplp.ground(program, "a(X)", derivations=True).derivations is not None
    formula = deepplp.ground(program, "l(L)", derivations=True)
    assert formula.derivations is None
    assert formula.no_derivations == "p.pl:1:20: findall/3 is not spoken by the tabled engine"


@pytest.mark.parametrize("text", ["not(X)", "not(not(a))", "[a]", "not([])", 'not("s")'])
@pytest.mark.parametrize("what", ["query", "evidence"])
def test_what_cannot_be_asked_or_known(text: str, what: str) -> None:
    """A query or evidence that is no atom and no negation of one is refused before anything is ground or read."""
    program = Program.from_string("0.5::a.")
    queries, evidence = (text, None) if what == "query" else ("a", {text: True})
    with pytest.raises(QueryError, match=rf"^{what}\(.*: (a variable|it is negated twice|.* is not an atom)"):
        deepplp.ground(program, queries, evidence=evidence)
