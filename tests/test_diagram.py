"""Diagrams piece by piece: what remains of formulas, how parts are cut, and each operation against truth tables."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from deepplp.compilation.compile_budget import Meter
from deepplp.compilation.diagram import Diagram
from deepplp.compilation.encoding import EncodedChoice, encode_choices
from deepplp.compilation.parts import Parts
from deepplp.compilation.residual import ONE, ZERO, Residuals, TwoLevel, combine, signals_of, substitute
from deepplp.formula import And, Atom, Formula, Goal, Node, Or
from tests.formulas import uniform

SIGNALS = 4
OR, AND = True, False


def holds(formula: TwoLevel, truth: Sequence[bool]) -> bool:
    """The truth of a formula where its signals are so."""
    if isinstance(formula, int):
        return formula == ONE if formula < 0 else truth[formula]
    disjunction, items = formula
    return (any if disjunction else all)(holds(item, truth) for item in items)


def every_truth(count: int = SIGNALS) -> list[tuple[bool, ...]]:
    """All ways in which signals may be true and false."""
    return list(itertools.product((False, True), repeat=count))


signals = st.integers(0, SIGNALS - 1)
literals = st.one_of(signals, st.sampled_from([ZERO, ONE]))


@st.composite
def two_level(draw: st.DrawFn) -> TwoLevel:
    """Formulas of signals and of con- or disjunctions of signals, simplified as the compiler makes them."""
    kind = draw(st.booleans())
    inner = st.lists(literals, max_size=3).map(lambda items: combine(not kind, items))
    return combine(kind, draw(st.lists(st.one_of(literals, inner), max_size=4)))


@given(st.booleans(), st.lists(st.one_of(literals, two_level()), max_size=4))
def test_combine_changes_no_truth(disjunction: bool, items: list[TwoLevel]) -> None:
    """A combination holds where all of its items (or one of them) do."""
    flat = [i for i in items if isinstance(i, int) or all(isinstance(j, int) for j in i[1])]
    for truth in every_truth():
        expected = (any if disjunction else all)(holds(i, truth) for i in flat)
        assert holds(combine(disjunction, flat), truth) == expected


@given(two_level(), st.dictionaries(signals, literals))
def test_substitute_changes_signals(formula: TwoLevel, change: dict[int, int]) -> None:
    """A formula with some signals changed holds where the formula does with the truth of what they became."""
    changed = substitute(formula, change)
    for truth in every_truth():
        assert holds(changed, truth) == holds(formula, [holds(change.get(i, i), truth) for i in range(SIGNALS)])
    assert signals_of(changed) <= {change.get(i, i) for i in range(SIGNALS)}


@given(st.lists(two_level(), min_size=1, max_size=3), st.lists(st.integers(0, 3), min_size=SIGNALS, max_size=SIGNALS))
def test_what_remains(formulas: list[TwoLevel], codes: list[int]) -> None:
    """What remains of a residual agrees with it wherever its signals are what the pattern says."""
    residuals = Residuals()
    outcome = residuals.outcome(residuals.number(tuple(formulas)), tuple(range(SIGNALS)), tuple(codes), Meter())
    remaining = residuals.formulas[outcome.residual] if outcome.residual >= 0 else ()
    assert outcome.alive == set().union(*map(signals_of, remaining))
    for truth in every_truth():
        if any(c < 2 and t != (c == 1) for c, t in zip(codes, truth, strict=True)):
            continue
        if any(len({t for c, t in zip(codes, truth, strict=True) if c == code}) > 1 for code in (2, 3)):
            continue
        for formula, found in zip(formulas, outcome.formulas, strict=True):
            assert holds(remaining[found[0]] if isinstance(found, tuple) else found, truth) == holds(formula, truth)


WIDTHS = (2, 3, 2)


def diagram(unknowns: int = 0) -> Diagram:
    """A diagram over three choices."""
    encoded = [EncodedChoice(i, tuple((v,) for v in range(k)), (), tuple(range(k))) for i, k in enumerate(WIDTHS)]
    return Diagram(encoded, unknowns)


def worlds(unknowns: int = 0) -> list[tuple[int, ...]]:
    """All values of the choices, and of so many unknowns."""
    return list(itertools.product(*map(range, WIDTHS), *[range(2)] * unknowns))


def value(made: Diagram, function: int, world: Sequence[int]) -> bool:
    """The truth of a function in a world, down its decisions."""
    below = {d.node: d for d in made.decisions([function])}
    node = function
    while node > 1:
        decision = below[node]
        node = next((kid for classes, kid in decision.branches if world[decision.level] in classes), 0)
    return node == 1


@st.composite
def functions(draw: st.DrawFn, unknowns: int = 0) -> tuple[Diagram, list[int], list[list[bool]]]:
    """A diagram with a few functions, each made as a disjunction of worlds, and their truth tables."""
    made = diagram(unknowns)
    every = worlds(unknowns)
    atoms = [[made.value(i, v) for v in range(k)] for i, k in enumerate(WIDTHS)]
    atoms += [[made.negate(made.unknown(i)), made.unknown(i)] for i in range(unknowns)]
    found, tables = [], []
    for _ in range(SIGNALS):
        table = draw(st.lists(st.booleans(), min_size=len(every), max_size=len(every)))
        function = made.false
        for world, present in zip(every, table, strict=True):
            if present:
                one = made.conjoin([atoms[i][v] for i, v in enumerate(world)])
                (function,) = made.apply([function, one], [(OR, frozenset([0, 1]))])
        found.append(function)
        tables.append(table)
    return made, found, tables


@given(functions(), st.lists(two_level(), min_size=1, max_size=3))
def test_apply_and_negate(case: tuple[Diagram, list[int], list[list[bool]]], formulas: list[TwoLevel]) -> None:
    """Formulas over functions, their conjunctions and negations hold in the worlds that they should."""
    made, found, tables = case
    results = made.apply(found, formulas)
    opposites = [made.negate(r) for r in results]
    together = made.conjoin(results)
    for place, world in enumerate(worlds()):
        truth = [table[place] for table in tables]
        expected = [holds(f, truth) for f in formulas]
        assert [value(made, r, world) for r in results] == expected
        assert [value(made, r, world) for r in opposites] == [not e for e in expected]
        assert value(made, together, world) == all(expected)
    assert [made.negate(o) for o in opposites] == results, "equal functions are one node"


@given(functions(unknowns=2), st.integers(0, 1))
def test_without_and_deepest(case: tuple[Diagram, list[int], list[list[bool]]], number: int) -> None:
    """A function without an unknown is what it was where that is false, and where it is true."""
    made, found, tables = case
    every = worlds(2)
    for function, table in zip(found, tables, strict=True):
        for side, result in enumerate(made.without(function, number)):
            for world in every:
                forced = [*world]
                forced[len(WIDTHS) + number] = side
                assert value(made, result, world) == table[every.index(tuple(forced))]
        reads = [
            level
            for level in range(len(WIDTHS))
            if any(table[i] != table[j] for i, a in enumerate(every) for j, b in enumerate(every)
                   if all(x == y for k, (x, y) in enumerate(zip(a, b, strict=True)) if k != level))
        ]  # fmt: skip
        assert made.deepest(function) == max(reads, default=-1)
        if reads:
            assert made.top(function) == reads[0]


def test_the_example_of_the_diagram() -> None:
    """The picture at the top of the file: five nodes, the first of which is f."""
    a, d, b, not_d = 0, 1, 2, 3
    nodes = (And(()), Atom(0, 0), Atom(1, 0), Atom(2, 0), And((2, 4)), And((3, -4)), Or((5, 6)))
    formula = Formula((uniform(2), uniform(2), uniform(6)), nodes, (Goal("f", 7),))
    encoded = encode_choices(formula, (0, 1, 2))
    assert encoded[2].classes == ((0,), (1, 2, 3, 4, 5))
    made = Diagram(encoded)
    die = made.value(2, 0)
    inputs = {a: made.value(0, 0), d: die, b: made.value(1, 0), not_d: made.negate(die)}
    (f,) = made.apply(
        [inputs[i] for i in range(4)], [(OR, frozenset([(AND, frozenset([a, d])), (AND, frozenset([b, not_d]))]))]
    )
    decisions = {x.node: (x.level, dict(x.branches)) for x in made.decisions([f])}
    heads, tails, one, rest = (0,), (1,), (0,), (1,)
    level, kids = decisions[f]
    assert level == 0
    five, four = kids[heads], kids[tails]
    two, three = decisions[five][1][tails], decisions[four][1][heads]
    assert decisions[five] == (1, {heads: 1, tails: two})
    assert decisions[four] == (1, {heads: three})
    assert decisions[two] == (2, {one: 1})
    assert decisions[three] == (2, {rest: 1})
    assert len(decisions) == 5


def test_the_example_of_residuals() -> None:
    """The picture at the top of the file: what remains as a, and then b, become known."""
    residuals, meter = Residuals(), Meter()
    start = residuals.number(((OR, frozenset([(AND, frozenset([0, 1])), (AND, frozenset([2, 3]))])),))

    def remains(residual: int, signal: int, code: int) -> tuple[TwoLevel, int]:
        outcome = residuals.outcome(residual, (signal,), (code,), meter)
        (found,) = outcome.formulas
        return (residuals.formulas[outcome.residual][found[0]] if isinstance(found, tuple) else found), outcome.residual

    heads, after_heads = remains(start, 0, 1)
    tails, after_tails = remains(start, 0, 0)
    assert heads == (OR, frozenset([1, (AND, frozenset([2, 3]))]))
    assert tails == (AND, frozenset([2, 3]))
    assert (remains(after_heads, 2, 1)[0], remains(after_tails, 2, 1)[0]) == ((OR, frozenset([1, 3])), 3)
    assert (remains(after_heads, 2, 0)[0], remains(after_tails, 2, 0)[0]) == (1, ZERO)


def test_the_example_of_parts() -> None:
    """The picture at the top of the file: two values of one variable are one part, what reads them another."""
    nodes: tuple[Node, ...] = (
        And(()), Atom(0, 0), Atom(1, 0), Atom(2, 0), And((2, 4)), And((3, -4)), Or((5, 6)), And((-2, 4)),
        And((-3, -4)), Or((8, 9)), And((7, 3)),
    )  # fmt: skip
    goals = (Goal("dry", 7), Goal("wet", 10), Goal("walk", 11))
    parts = Parts(Formula((uniform(2), uniform(2), uniform(6)), nodes, goals))
    assert [p.nodes for p in parts.parts] == [(6, 9), (10,)]
    assert parts.items(6) == (OR, [(AND, (2, 4)), (AND, (3, -4))])
    assert parts.items(9) == (OR, [(AND, (-2, 4)), (AND, (-3, -4))])
    assert parts.items(10) == (AND, [(None, (7,)), (None, (3,))])
