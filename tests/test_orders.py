"""Orders of the choices: all are right, the best one wins, and it can be asked why."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import deepplp
from deepplp import Program
from deepplp.compilation import ORDERS, compile_formula, compile_with_report
from deepplp.compilation.parts import Parts
from deepplp.errors import QueryError
from deepplp.formula import And, Atom, Formula, Goal, Node, Or, depth_first_order
from deepplp.grounding import ground
from deepplp.program import parse_goal
from experiments.benchmarks.networks import (
    BayesianNetwork,
    atom,
    load_network,
    parse_bif,
    program_text,
)
from tests.datasets import needs
from tests.formulas import chain, uniform
from tests.oracles import network_marginals
from tests.strategies import formulas
from tests.test_compilation import probabilities


@given(formulas(), st.sampled_from(list(ORDERS)))
def test_orders_are_permutations(formula: Formula, name: str) -> None:
    """Every order names each choice that the goals reach, once, and none else."""
    order = ORDERS[name](formula, Parts(formula))
    assert sorted(order) == sorted(depth_first_order(formula))


@given(formulas())
def test_the_report_is_about_the_circuit(formula: Formula) -> None:
    """The winner is one of the attempts, with the circuit's size, and its order given by hand makes that circuit."""
    circuit, report = compile_with_report(formula)
    (won,) = [a for a in report.attempts if a.order == report.winner and a.compiled]
    assert (won.nodes, won.elements) == (circuit.nodes, circuit.elements)
    again, given_report = compile_with_report(formula, report.choices)
    assert (again.nodes, again.elements) == (circuit.nodes, circuit.elements)
    assert given_report.winner == "given"
    assert report.winner in str(report).splitlines()[-1]


def test_an_easy_formula_is_compiled_once() -> None:
    """The chain is compiled in the default order alone, and the report says why."""
    _, report = compile_with_report(chain(15))
    assert [a.order for a in report.attempts] == ["depth first"]
    assert report.attempts[0].nodes == 496
    assert "no other order was tried" in report.reason


def pairs(n: int) -> Formula:
    """Some i has coins x_i and y_i both up; a query on all x, then one on all y, leads the default order astray."""
    nodes: list[Node] = [And(()), *(Atom(i, 0) for i in range(2 * n))]
    nodes += [And((2 + i, 2 + n + i)) for i in range(n)]
    some = len(nodes)
    nodes.append(Or(tuple(2 * n + 2 + i for i in range(n))))
    nodes.append(And(tuple(range(2, n + 2))))
    return Formula((uniform(2),) * (2 * n), tuple(nodes), (Goal("all x", some + 2), Goal("some pair", some + 1)))


def test_a_bad_default_is_found_out() -> None:
    """Where the default order is exponential, another one wins, whose circuit is linear."""
    circuit, report = compile_with_report(pairs(24))
    assert report.attempts[0].outcome == "stopped: out of steps"
    assert report.winner != "depth first"
    assert circuit.nodes < 250
    compiled = [a for a in report.attempts if a.compiled]
    assert circuit.nodes + circuit.elements == min(a.nodes + a.elements for a in compiled)


@pytest.mark.parametrize("order", ["alphabetical", "", "Depth first"])
def test_unknown_orders(order: str) -> None:
    """An order of an unknown name is an error that lists those there are."""
    with pytest.raises(QueryError, match="there are: depth first, deepest first, frontier"):
        compile_formula(chain(1), order)


def test_orders_must_be_whole() -> None:
    """An order that lacks a choice, or names one twice, is an error; one that names more than is reached is none."""
    with pytest.raises(QueryError, match=r"lacks \[1, 3\]"):
        compile_formula(chain(1), [0, 2])
    with pytest.raises(QueryError, match="repeats"):
        compile_formula(chain(1), [0, 1, 2, 3, 3])


def test_a_model_tells_how_it_compiles() -> None:
    """`Model.compilation_report` prints a line for each attempt, and an order can be asked for by name."""
    model = deepplp.Model(Program.from_string("0.5::a. 0.4::b. c :- a, b. c :- \\+a, \\+b."), cache=False)
    report = model.compilation_report("c")
    assert report.winner == "depth first"
    assert report.names == ("a", "b")
    assert str(report).splitlines()[1].startswith("depth first")
    assert model.compilation_report("c", order="force", evidence={"a": True}).winner == "force"
    with pytest.raises(QueryError, match="there is no order"):
        model.compilation_report("c", order="best")


SPRINKLER = """
network weather { }
variable Season { type discrete [ 3 ] { dry, wet, hot }; }
variable Rain { type discrete [ 2 ] { yes, no }; }
variable Sprinkler { type discrete [ 2 ] { on, off }; }
variable Grass { type discrete [ 3 ] { dry, damp, wet }; }
variable Shoes { type discrete [ 2 ] { wet, dry }; }
probability ( Season ) { table 0.3, 0.5, 0.2; }
probability ( Rain | Season ) { (dry) 0.1, 0.9; (wet) 0.7, 0.3; (hot) 0.0, 1.0; }
probability ( Sprinkler | Season ) { (dry) 0.4, 0.6; (wet) 0.01, 0.99; (hot) 0.8, 0.2; }
probability ( Grass | Rain, Sprinkler ) {
  (yes, on) 0.0, 0.1, 0.9; (yes, off) 0.05, 0.25, 0.7; (no, on) 0.1, 0.5, 0.4; (no, off) 1.0, 0.0, 0.0;
}
probability ( Shoes | Grass ) { (dry) 0.02, 0.98; (damp) 0.5, 0.5; (wet) 0.95, 0.05; }
"""


def check_network(network: BayesianNetwork, observed: dict[str, str]) -> None:
    """All marginals by the program are those of the tables' product."""
    queries = [atom(v, x) for v, values in network.values.items() for x in values]
    evidence = {atom(v, x): True for v, x in observed.items()}
    answers = deepplp.Model(Program.from_string(program_text(network)), cache=False).query(queries, evidence=evidence)
    expected = network_marginals(network, observed)
    flat = [p for v in network.values for p in expected[v]]
    np.testing.assert_allclose(answers.probs[0].numpy(), flat, rtol=0, atol=1e-8)


def test_a_network_by_hand() -> None:
    """The oracle is right: its marginals are sums over all worlds, with and without evidence."""
    network = parse_bif(SPRINKLER)
    for observed in ({}, {"Shoes": "wet"}, {"Shoes": "wet", "Season": "hot"}):
        sums = {v: np.zeros(len(values)) for v, values in network.values.items()}
        for world in itertools.product(*(range(len(v)) for v in network.values.values())):
            state = dict(zip(network.values, world, strict=True))
            if any(network.values[v][state[v]] != x for v, x in observed.items()):
                continue
            weight = np.prod(
                [t[(*(state[p] for p in network.parents[v]), state[v])] for v, t in network.tables.items()]
            )
            for v, value in state.items():
                sums[v][value] += weight
        for v, found in network_marginals(network, observed).items():
            np.testing.assert_allclose(found, sums[v] / sums[v].sum(), rtol=1e-12, atol=1e-15)
        check_network(network, observed)


@pytest.mark.parametrize("seed", range(6))
def test_random_networks(seed: int) -> None:
    """Random networks with zeros in their tables have the marginals of their tables' product."""
    generator = random.Random(seed)
    tables = np.random.default_rng(seed)
    names = [f"v{i}" for i in range(9)]
    values = {v: tuple(f"x{j}" for j in range(generator.randint(2, 4))) for v in names}
    parents = {v: tuple(generator.sample(names[:i], min(i, generator.randint(0, 3)))) for i, v in enumerate(names)}
    made = {}
    for v in names:
        shape = (*(len(values[p]) for p in parents[v]), len(values[v]))
        table = tables.random(shape) * (tables.random(shape) < 0.7) + 1e-3 * (np.arange(shape[-1]) == 0)
        made[v] = table / table.sum(axis=-1, keepdims=True)
    network = BayesianNetwork(values, parents, made)
    for observed in ({}, {"v8": "x0"}, {"v8": "x0", "v3": "x1"}):
        check_network(network, observed)


@needs("bif")
@pytest.mark.parametrize("name", ["asia", "cancer", "earthquake", "survey", "sachs", "child", "alarm"])
def test_published_networks(name: str) -> None:
    """All marginals of small published networks are those of the tables' product, with and without evidence."""
    network = load_network(name)
    check_network(network, {})
    inner = {p for given in network.parents.values() for p in given}
    leaf = [v for v in network.values if v not in inner][-1]
    check_network(network, {leaf: network.values[leaf][0]})


def path(n: int, seed: int, last_only: bool = False) -> Formula:
    """Reaching every other node (or the last) from node 0 over undirected edges of probability 1/2."""
    generator = random.Random(seed)
    edges = generator.sample(list(itertools.combinations(range(n), 2)), 2 * n - 3)
    text = " ".join(f"0.5::e({i}, {j})." for i, j in edges)
    text += " edge(X, Y) :- e(X, Y). edge(X, Y) :- e(Y, X). r(0). r(Y) :- r(X), edge(X, Y)."
    return ground(Program.from_string(text), [parse_goal(f"r({i})") for i in range(n - 1 if last_only else 1, n)])


@pytest.mark.parametrize("seed", range(8))
def test_reachability(seed: int) -> None:
    """The probability to reach each node of a cyclic graph is the share of the graphs in which a search finds it."""
    n = 7
    formula = path(n, seed)
    names = [str(c.values[0]) for c in formula.choices]
    edges = [tuple(int(x) for x in name[2:-1].split(",")) for name in names]
    counts = np.zeros(n)
    for present in itertools.product((False, True), repeat=len(edges)):
        reached = {0}
        while True:
            new = {
                b for (i, j), p in zip(edges, present, strict=True) if p for a, b in ((i, j), (j, i)) if a in reached
            }
            if new <= reached:
                break
            reached |= new
        for node in reached:
            counts[node] += 1
    expected = counts / 2 ** len(edges)
    for name in ORDERS:
        found = probabilities(compile_formula(formula, name), formula)
        by_goal = {str(g.term): p for g, p in zip(formula.queries, found, strict=True)}
        np.testing.assert_allclose([by_goal[f"r({i})"] for i in range(1, n)], expected[1:], rtol=1e-12)
    last = path(n, seed, last_only=True)  # one function is wanted of the cycle, whose sole reader it may be
    for name in ORDERS:
        np.testing.assert_allclose(probabilities(compile_formula(last, name), last), [expected[-1]], rtol=1e-12)


def test_a_cycle_is_compiled_along_its_narrowest_line() -> None:
    """Corner to corner of a 5x5 grid, both ways over each edge: what is remembered is the links across one row."""
    edges = [((r, c), (r + d, c + 1 - d)) for r in range(5) for c in range(5) for d in (0, 1) if r + d < 5 > c + 1 - d]
    text = " ".join(f"0.9::e(n({a},{b}), n({c},{d}))." for (a, b), (c, d) in edges)
    text += " edge(X, Y) :- e(X, Y). edge(X, Y) :- e(Y, X). r(n(0,0)). r(Y) :- r(X), edge(X, Y)."
    formula = ground(Program.from_string(text), [parse_goal("r(n(4,4))")])
    circuit, report = compile_with_report(formula)
    assert report.winner == "separation"
    assert circuit.nodes < 1_000
    # A path of 8 edges or more is there, and no corner is cut off by the absence of its two edges.
    assert 0.9**8 < probabilities(circuit, formula)[0] < (1 - 0.1**2) ** 2
