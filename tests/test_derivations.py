"""A ground program that remembers why: every derivation replays, and all together mean what the plain one does."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given

from deepplp.compilation import compile_formula
from deepplp.errors import DeepPLPError
from deepplp.formula import Atom, Derivation, Formula, Or
from deepplp.grounding import GroundBudget, Grounder
from deepplp.grounding.extraction import Extraction
from deepplp.grounding.ground_budget import GroundMeter
from deepplp.grounding.tabled import Declined, TabledEngine, TabledRun
from deepplp.grounding.target import GroundAtom, GroundNode, GroundTarget, Key
from deepplp.grounding.unfolded import UnfoldedProgram
from deepplp.program import Program, Term, parse_goal
from tests.fuzz import Generator
from tests.oracles import FirstOrderProgram, assignments, world_truth
from tests.replay import check_derivations
from tests.strategies import first_order_programs
from tests.test_compilation import probabilities
from tests.test_enumeration import draw, written
from tests.test_tabling import SMALL, meaning, structured_programs

MOST_WORLDS = 128
MOST_NODES = 150
ROOT = Path(__file__).parent.parent


class Together:
    """Two ground programs over the same choices as one: the keys of the second begin where the first ends."""

    def __init__(self, first: GroundTarget, second: UnfoldedProgram) -> None:
        self.first = first
        self.second = second

    def node(self, key: int) -> GroundNode:
        """The node of a key."""
        if key <= len(self.first):
            return self.first.node(key)
        node = self.second.node(key - len(self.first))
        if isinstance(node, GroundAtom):
            return node
        return type(node)(tuple(self.shifted(c) for c in node.children))

    def atoms(self) -> Iterator[GroundAtom]:
        """All atoms of either."""
        yield from self.first.atoms()
        yield from self.second.atoms()

    def shifted(self, key: Key) -> Key:
        """A key of the second."""
        return key and key + (len(self.first) if key > 0 else -len(self.first))


def new_run(program: Program) -> TabledRun:
    """A run that remembers."""
    loaded = Grounder(program)._loaded
    meter = GroundMeter(GroundBudget())
    meter.begin(loaded.locate)
    return TabledEngine(loaded.clauses, program, loaded.neural).new_run(meter, derivations=True)


def agree_in_all_worlds(program: Program, goals: Sequence[Term]) -> int:
    """Compare every atom's derivations with all plain nodes that its tables have given it; how many were compared."""
    run = new_run(program)
    for goal in goals:
        if isinstance(run.answers(goal), Declined):
            return 0
    tabling, unfolding = run._tabling, run._unfolding
    assert unfolding is not None
    both = Together(tabling.target, unfolding.target)
    plain = [*tabling.ground.items()]
    for table in tabling.tables.values():
        plain += [((table.predicate.number, *arguments), key) for arguments, key in table.solutions]
    pairs = [(key, both.shifted(unfolding._keys[atom])) for atom, key in plain if atom in unfolding._keys]
    asked = [(Term("q"), key) for pair in pairs for key in pair]
    formula = Extraction(both, run._base, program.learnables).formula(asked, (), (), ())
    if math.prod(len(c.values) for c in formula.choices) > MOST_WORLDS or len(formula.nodes) > MOST_NODES:
        return 0
    for world in assignments([len(c.values) for c in formula.choices]):
        truth = world_truth(formula, world)
        held = [truth[q.literal - 1] if q.literal > 0 else not truth[-q.literal - 1] for q in formula.queries]
        assert held[::2] == held[1::2], (str(program), world)
    return len(pairs)


def remembered(program: Program, goals: Sequence[Term] | None = None) -> Formula | None:
    """The formula with derivations, checked against the one without; None for an error, or where it is declined."""
    try:
        plain = Grounder(program).ground(goals)
    except DeepPLPError as error:
        with pytest.raises(type(error)):
            Grounder(program).ground(goals, derivations=True)
        return None
    assert plain.derivations is None
    assert plain.no_derivations is None
    formula = Grounder(program).ground(goals, derivations=True)
    if formula.derivations is None:
        assert formula.no_derivations
        assert (formula.choices, formula.nodes, formula.queries) == (plain.choices, plain.nodes, plain.queries)
        return None
    assert formula.no_derivations is None
    assert [g.term for g in formula.queries] == [g.term for g in plain.queries]
    assert [g.term for g in formula.evidence] == [g.term for g in plain.evidence]
    assert formula.unanswered == plain.unanswered
    check_derivations(program, formula)
    return formula


def check(text: str, goals: Sequence[Term] | None = None) -> bool:
    """Whether a program has derivations; then they replay, and mean what the program does."""
    program = Program.from_string(text, "p.pl")
    formula = remembered(program, goals)
    if formula is None:
        return False
    asked = [g.term for g in formula.queries]
    agree_in_all_worlds(program, [-t if t.is_negated() else t for t in asked])
    plain = Grounder(program).ground(goals)
    expected, found = meaning(plain), meaning(formula)
    if expected is not None and found is not None:
        assert found == expected
    return True


@given(first_order_programs())
def test_programs_with_variables(program: FirstOrderProgram) -> None:
    """Random programs with variables, cycles and negation."""
    assert check(program.text())


@given(first_order_programs(networks=True))
def test_neural_programs(program: FirstOrderProgram) -> None:
    """The same with networks."""
    assert check(program.text())


@given(structured_programs())
def test_programs_over_terms(text: str) -> None:
    """Heads and calls of all patterns, disjunctions, negated conjunctions, library predicates."""
    check(text)


@pytest.mark.parametrize("seed", range(4))
def test_choices_with_bodies(seed: int) -> None:
    """Annotated disjunctions with bodies, cycles through them, negation with variables of its own."""
    rng = random.Random(seed)
    done = 0
    for _ in range(30):
        _, clauses, queries = draw(rng)
        done += check(written(clauses), [parse_goal(q) for q in queries])
    assert done > 10


def test_the_fuzzers_programs() -> None:
    """Programs of all constructs: arithmetic, learnable probabilities, several kinds of negation."""
    done = 0
    for seed in range(80):
        program = Generator(seed).draw()
        found = check(program.text())
        assert found or program.collects or program.fails, f"seed {seed}"
        done += found
    assert done > 20


@pytest.mark.parametrize("text", SMALL)
def test_small_programs(text: str) -> None:
    """What is easily got wrong."""
    check(text)


def shown(formula: Formula) -> list[str]:
    """Every derivation: its clause's line, the bindings, itself with the literals of its goals, and its choice."""
    assert formula.derivations is not None
    lines = []
    for index, found in enumerate(formula.derivations):
        if isinstance(found, Derivation):
            bound = ", ".join(f"{name}={value}" for name, value in found.bindings)
            place = found.clause.position.line if found.clause.library is None and found.clause.position else "library"
            literals = [goal.literal for goal in found.body]
            lines.append(f"{index + 1}: {place} {{{bound}}} {found} {literals} {found.choice}")
        elif found is not None:
            node = formula.nodes[index]
            assert isinstance(node, Or)
            lines.append(f"{index + 1}: {found} {list(node.children)}")
    return lines


def test_an_annotated_disjunction_with_a_body() -> None:
    """The body's own predicate does not show: a head has the goals as they are written, and a value of the choice."""
    text = "0.4::a(X); 0.6::b(X) :- c(X), \\+ d(X).\nc(1).\n0.5::d(1).\nquery(b(1))."
    formula = Grounder(Program.from_string(text)).ground(derivations=True)
    assert shown(formula) == [
        "2: b(1) [3]",
        "3: 1 {X=1} b(1) :- c(1), \\+ d(1) [4, -6] 9",
        "4: c(1) [5]",
        "5: 2 {} c(1) [] None",
        "6: d(1) [7]",
        "7: 3 {} d(1) [] 8",
    ]
    assert formula.nodes[8] == Atom(1, 1)
    assert str(formula.choices[1].values[1]) == "b(1)"


def test_a_cycle() -> None:
    """A path in a cycle is derived from itself: the formula has the cycle, the derivation its goals."""
    text = "0.4::e(1,2).\n0.5::e(2,1).\np(X,Y) :- e(X,Y).\np(X,Y) :- e(X,Z), p(Z,Y)."
    formula = Grounder(Program.from_string(text)).ground([parse_goal("p(1,1)")], derivations=True)
    assert shown(formula) == [
        "2: p(1,1) [3]",
        "3: 4 {X=1, Y=1, Z=2} p(1,1) :- e(1,2), p(2,1) [4, 7] None",
        "4: e(1,2) [5]",
        "5: 1 {} e(1,2) [] 6",
        "7: p(2,1) [8, 12]",
        "8: 3 {X=2, Y=1} p(2,1) :- e(2,1) [9] None",
        "9: e(2,1) [10]",
        "10: 2 {} e(2,1) [] 11",
        "12: 4 {X=2, Y=1, Z=1} p(2,1) :- e(2,1), p(1,1) [9, 2] None",
    ]


def test_neural_predicates_and_arithmetic() -> None:
    """A digit is derived by its declaration and the network's value; a sum is a certain goal without a node."""
    text = "nn(net, [X], Y, [0..1]) :: digit(X, Y).\nsum(A, B, S) :- digit(A, X), digit(B, Y), S is X + Y."
    formula = Grounder(Program.from_string(text)).ground([parse_goal("sum(a, b, 2)")], derivations=True)
    assert shown(formula) == [
        "2: sum(a,b,2) [3]",
        "3: 2 {A=a, B=b, S=2, X=1, Y=1} sum(a,b,2) :- digit(a,1), digit(b,1), 2 is 1+1 [4, 7, 1] None",
        "4: digit(a,1) [5]",
        "5: 1 {X=a, Y=1} digit(a,1) [] 6",
        "7: digit(b,1) [8]",
        "8: 1 {X=b, Y=1} digit(b,1) [] 9",
    ]


def test_parts_of_a_clause() -> None:
    """A disjunction is one goal with derivations by the same clause; so is a negated conjunction."""
    text = "0.5::q.\n0.5::r(1).\np :- (q ; r(X)), \\+ (q, r(Y)).\nquery(p)."
    formula = Grounder(Program.from_string(text)).ground(derivations=True)
    assert [line.partition(": ")[2] for line in shown(formula) if ":-" in line] == [
        "3 {} p :- (q; r(X)), \\+ (q, r(Y)) [4, -13] None",
        "3 {} q; r(X) :- q [6] None",
        "3 {X=1} q; r(X) :- r(1) [10] None",
        "3 {Y=1} q, r(Y) :- q, r(1) [6, 10] None",
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("p(1).\nq(L) :- findall(X, p(X), L).\nquery(q(_)).", r"p\.pl:2:\d+: findall/3 is not spoken by the tabled"),
        ("p(X) :- var(X), X = 1.\np(X) :- nonvar(X).\ns :- p(1), p(X).\nquery(s).",
         r"p\(1\) is proved in different ways by calls"),
        ("0.5::a.\np(X) :- var(X), a, X = 1.\ns :- \\+ p(1), p(_).\nquery(s).",
         r"p\(1\) is proved in different ways by calls"),
    ],
)  # fmt: skip
def test_derivations_that_are_missing(text: str, reason: str) -> None:
    """What is not known is said to be missing, and why; the formula is the one without derivations."""
    program = Program.from_string(text, "p.pl")
    formula, plain = Grounder(program).ground(derivations=True), Grounder(program).ground()
    assert formula.derivations is None
    assert formula.no_derivations is not None
    assert re.search(reason, formula.no_derivations)
    assert (formula.choices, formula.nodes, formula.queries) == (plain.choices, plain.nodes, plain.queries)


def test_what_no_world_proves_is_no_derivation() -> None:
    """A clause two of whose goals are opposites is left out of what proves its head."""
    program = Program.from_string(
        "0.5::q.\np(1) :- q, \\+ q.\np(X) :- q, X = 1.\np(X) :- r(X), q, \\+ q.\nr(1).\nquery(p(_))."
    )
    formula = Grounder(program).ground(derivations=True)
    assert [str(reason) for reason in formula.derivations or () if str(reason).startswith("p(1) :-")] == [
        "p(1) :- q, 1=1"
    ]


def test_negated_queries_and_observed_evidence() -> None:
    """A negated query is the negation of its atom; the agreement with a tensor has no derivation of its own."""
    program = Program.from_string("0.3::a. b :- a. c :- \\+ b.")
    goals = [parse_goal(q) for q in ("\\+ b", "c", "b")]
    formula = Grounder(program).ground(goals, [(Term("c"), None), (Term("b"), False)], derivations=True)
    assert check_derivations(program, formula) == 3
    (negated, c, b), (absent, _) = [g.literal for g in formula.queries], [g.literal for g in formula.evidence]
    assert (negated, absent) == (-b, -b)
    assert formula.derivations is not None
    assert [str(formula.derivations[literal - 1]) for literal in (b, c)] == ["b", "c"]


@pytest.mark.parametrize("name", ["alarm", "smokers"])
def test_unfolded_formulas_compile(name: str) -> None:
    """The compiler counts the same models of the unfolded formula, constants and single children included."""
    program = Program.from_file(ROOT / "programs" / f"{name}.pl")
    found = [Grounder(program).ground(derivations=derivations) for derivations in (False, True)]
    plain, unfolded = ([*probabilities(compile_formula(f), f)] for f in found)
    assert unfolded == pytest.approx(plain, abs=1e-12)
    assert check_derivations(program, found[1]) > 3
