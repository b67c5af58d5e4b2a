"""Random formulas and programs."""

from __future__ import annotations

import itertools

from hypothesis import strategies as st

from deepplp.formula import And, Atom, Choice, Fixed, Formula, Goal, Node, Or
from tests.oracles import Clause, FirstOrderProgram, Literal, PlainProgram, Rule, normalise


@st.composite
def formulas(draw: st.DrawFn, max_choices: int = 5, max_nodes: int = 12, *, cycles: bool = True) -> Formula:
    """Formulas over a few choices, with negation (stratified), cycles (positive), several queries and evidence."""
    sizes = draw(st.lists(st.integers(2, 6), min_size=1, max_size=max_choices))
    grid = [0.0, 0.25, 1.0, 3.0, 0.1]
    choices = []
    for k in sizes:
        (row,) = normalise([draw(st.lists(st.sampled_from(grid), min_size=k, max_size=k))])
        choices.append(Choice(tuple(map(str, range(k))), Fixed(tuple(row))))
    nodes: list[Node] = [And(())]
    nodes += [Atom(c, v) for c, k in enumerate(sizes) for v in range(k) if draw(st.booleans()) or v == 0]
    atoms = len(nodes)
    layers = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    bounds = [atoms]
    for size in layers:
        bounds.append(min(bounds[-1] + size, atoms + max_nodes))
    for start, end in itertools.pairwise(bounds):
        for _ in range(start, end):
            lower = st.integers(1, start).flatmap(lambda n: st.sampled_from([n, -n]))
            # Forwards, backwards and to itself: positive cycles. Or else to the nodes before alone.
            same = st.integers(start + 1, end) if cycles else st.integers(1, len(nodes))
            children = tuple(draw(st.lists(st.one_of(lower, same), min_size=1, max_size=4)))
            nodes.append((And if draw(st.booleans()) else Or)(children))
    literal = st.integers(1, len(nodes)).flatmap(lambda n: st.sampled_from([n, -n]))
    queries = draw(st.lists(literal, min_size=1, max_size=4))
    evidence = draw(st.lists(literal, max_size=2))
    return Formula(
        tuple(choices),
        tuple(nodes),
        tuple(Goal(f"q{i}", q) for i, q in enumerate(queries)),
        tuple(Goal(f"e{i}", e) for i, e in enumerate(evidence)),
    )


@st.composite
def programs(draw: st.DrawFn, networks: bool = False) -> PlainProgram:
    """Propositional programs: facts, rules, annotated disjunctions, negation, cycles, evidence."""
    layers = []
    count = 0
    for size in draw(st.lists(st.integers(1, 3), min_size=1, max_size=3)):
        layers.append(tuple(f"a{count + i}" for i in range(size)))
        count += size
    rules: list[Rule] = []
    if networks:
        for i in range(draw(st.integers(1, 2))):
            k = draw(st.integers(2, 4))
            (row,) = normalise([draw(st.lists(st.floats(0.05, 1.0), min_size=k, max_size=k))])
            values = tuple(f"v{i}({j})" for j in range(k))
            layers[0] = layers[0] + values
            rules.append(Rule(values, (), tuple(row), network=f"x{i}"))
    random_choices = 0
    for _ in range(draw(st.integers(2, 9))):
        level = draw(st.integers(0, len(layers) - 1))
        own = [a for a in layers[level] if not a.startswith("v")]
        lower = [a for layer in layers[:level] for a in layer]
        positive = st.sampled_from([*lower, *layers[level]]).map(lambda a: (a, True))
        literal = st.one_of(positive, st.sampled_from(lower).map(lambda a: (a, False))) if lower else positive
        body = tuple(draw(st.lists(literal, max_size=3, unique=True)))
        kind = draw(st.sampled_from(["rule", "fact", "disjunction"]))
        if kind == "rule" or random_choices >= 7:
            if body:
                rules.append(Rule((draw(st.sampled_from(own)),), body))
        elif kind == "fact":
            random_choices += 1
            p = draw(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0]))
            rules.append(Rule((draw(st.sampled_from(own)),), body, (p,)))
        else:
            random_choices += 1
            heads = draw(st.lists(st.sampled_from(own), min_size=1, max_size=3, unique=True))
            p = draw(st.sampled_from([(0.2, 0.3, 0.5), (0.1, 0.2, 0.3), (0.0, 0.4, 0.6), (0.25, 0.25, 0.25)]))
            rules.append(Rule(tuple(heads), body, p[: len(heads)]))
    atoms = [a for layer in layers for a in layer]
    queries = draw(st.lists(st.sampled_from(atoms), min_size=1, max_size=4, unique=True))
    evidence = draw(st.lists(st.tuples(st.sampled_from(atoms), st.booleans()), max_size=2, unique_by=lambda e: e[0]))
    return PlainProgram(tuple(rules), tuple(queries), tuple(evidence), tuple(layers))


_FACTS = {"e": 2, "u": 1}
_PROBABILITIES = (0.5, 0.25, 0.1, 0.3, 0.9, 0.0, 1.0)


@st.composite
def first_order_programs(draw: st.DrawFn, networks: bool = False) -> FirstOrderProgram:
    """Programs with variables: facts, rules and annotated disjunctions with bodies, recursion, negation, evidence.

    With ``networks`` also nn/4 (``d/2``) and nn/2 (``n/1``), each perhaps with a body.
    """
    constants = draw(st.sampled_from([("a", "b"), ("a", "b"), ("a", "b", "c")]))
    strata: list[tuple[str, ...]] = [("e", "u", "d", "n")]
    clauses = draw(_facts(constants))
    if networks:
        for literal, width in ((Literal("d", ("X", "Y")), draw(st.integers(2, 3))), (Literal("n", ("X",)), 1)):
            body = (Literal("u", ("X",)),) if draw(st.booleans()) else ()
            outputs = tuple((c, draw(_distribution(width))) for c in constants)
            clauses.append(Clause((literal,), body, network=f"net_{literal.name}", outputs=outputs))
    arity = dict(_FACTS)
    may_be_random = True
    for level in range(draw(st.integers(1, 3))):
        names = tuple(f"r{level}{i}" for i in range(draw(st.integers(1, 2))))
        lower = dict(arity)
        arity |= {name: draw(st.integers(1, 2)) for name in names}
        strata.append(names)
        for heads in [(name,) for name in names] + [names] * draw(st.integers(0, 2)):
            clause = draw(_rules(heads, arity, lower, constants, networks, may_be_random))
            may_be_random &= not clause.probabilities
            clauses.append(clause)

    def ground(names: list[str]) -> st.SearchStrategy[Literal]:
        return st.sampled_from(names).flatmap(
            lambda n: st.tuples(*[st.sampled_from(constants)] * arity[n]).map(lambda a: Literal(n, a))
        )

    derived = [n for names in strata[1:] for n in names]
    open_query = st.sampled_from(derived[::-1]).map(lambda n: Literal(n, ("X", "Y")[: arity[n]]))
    queries = draw(st.lists(st.one_of(open_query, ground(derived)), min_size=1, max_size=3, unique=True))
    known = st.lists(st.tuples(ground(list(arity)), st.booleans()), min_size=1, max_size=2, unique_by=lambda e: e[0])
    evidence = draw(known) if draw(st.integers(0, 2)) == 2 else []
    return FirstOrderProgram(tuple(clauses), constants, tuple(queries), tuple(evidence), tuple(strata))


def _distribution(width: int) -> st.SearchStrategy[tuple[float, ...]]:
    """Distributions over ``width`` values, certain ones included; one probability where the width is 1."""
    if width == 1:
        return st.sampled_from(_PROBABILITIES).map(lambda p: (p,))
    weights = st.lists(st.sampled_from([1.0, 0.5, 3.0, 0.0]), min_size=width, max_size=width)
    return weights.map(lambda row: tuple(normalise([row])[0]))


@st.composite
def _facts(draw: st.DrawFn, constants: tuple[str, ...]) -> list[Clause]:
    """Certain and probabilistic facts, and perhaps an annotated disjunction of facts."""
    everything = [Literal(n, a) for n, size in _FACTS.items() for a in itertools.product(constants, repeat=size)]
    atoms = draw(st.lists(st.sampled_from(everything), min_size=4, max_size=7, unique=True))
    clauses: list[Clause] = []
    for atom in atoms[:6]:
        certain = len(clauses) >= 5 or draw(st.integers(0, 2)) == 2
        clauses.append(Clause((atom,), (), () if certain else (draw(st.sampled_from(_PROBABILITIES)),)))
    if len(atoms) == 7:
        probabilities = draw(st.sampled_from([(0.2, 0.3), (0.5, 0.5), (0.0, 0.4)]))
        clauses.append(Clause((atoms[6], atoms[0]), (), probabilities))
    return clauses


@st.composite
def _rules(
    draw: st.DrawFn,
    heads: tuple[str, ...],
    arity: dict[str, int],
    lower: dict[str, int],
    constants: tuple[str, ...],
    networks: bool,
    may_be_random: bool,
) -> Clause:
    """Rules whose positive goals bind all their variables; only ``lower`` predicates stand under negation."""

    def literal(name: str, terms: list[str], positive: bool = True) -> Literal:
        return Literal(name, tuple(draw(st.sampled_from(terms)) for _ in range(arity[name])), positive)

    names = draw(st.lists(st.sampled_from([*lower, *arity]), min_size=1, max_size=2))
    body = [literal(name, ["X", "Y", "X", "Y", "X", "Y", constants[0]]) for name in names]
    bound = [*sorted(set().union(*(b.variables for b in body))), constants[0]]
    if networks and draw(st.booleans()):
        term = draw(st.sampled_from(bound))
        name = draw(st.sampled_from(["d", "n"]))
        arguments = (term, draw(st.sampled_from("01"))) if name == "d" else (term,)
        body.append(Literal(name, arguments, draw(st.booleans())))
    if draw(st.integers(0, 2)) == 2:
        body.append(literal(draw(st.sampled_from(sorted(lower))), bound, positive=False))
    if draw(st.integers(0, 4)) == 4:
        body.append(body[0])  # a goal twice
    probabilities: tuple[float, ...] = ()
    if may_be_random and draw(st.booleans()):
        probabilities = draw(st.sampled_from([(0.4,), (0.9,), (0.2, 0.3), (0.5, 0.5)]))
    count = len(probabilities) or 1
    return Clause(tuple(literal(draw(st.sampled_from(heads)), bound) for _ in range(count)), tuple(body), probabilities)
