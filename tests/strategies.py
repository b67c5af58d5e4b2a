"""Random formulas and programs."""

from __future__ import annotations

import itertools

from hypothesis import strategies as st

from deepplp.grounding import And, Atom, Choice, Fixed, Formula, Goal, Node, Or
from tests.oracles import PlainProgram, Rule, normalise


@st.composite
def formulas(draw: st.DrawFn, max_choices: int = 5, max_nodes: int = 12) -> Formula:
    """Formulas over a few choices, with negation (stratified), cycles (positive), several queries and evidence."""
    sizes = draw(st.lists(st.integers(2, 5), min_size=1, max_size=max_choices))
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
            same = st.integers(start + 1, end)  # forwards, backwards and to itself: positive cycles
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
