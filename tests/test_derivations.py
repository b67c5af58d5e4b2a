"""A ground program that remembers why: every derivation replays, and all together mean what the plain one does."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given

from deepplp.errors import DeepPLPError
from deepplp.formula import Formula
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
    engine = TabledEngine(loaded.clauses, program, loaded.neural)
    return engine.new_run(GroundMeter(GroundBudget(), loaded.locate), derivations=True)


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
