"""The elimination of variables: right against all worlds, small where the treewidth is small, and within its budget."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from deepplp import CompileBudget, Model, Program
from deepplp.circuit import FALSE_NODE, TRUE_NODE, Circuit, bind, check_circuit, scopes_of
from deepplp.compilation import compile_formula, compile_with_report
from deepplp.compilation.compile_budget import Meter
from deepplp.compilation.elimination.network import network_of
from deepplp.compilation.elimination.products import Products
from deepplp.compilation.elimination.propagation import ContradictionError, simplified
from deepplp.errors import BudgetExceededError, QueryError
from deepplp.formula import Formula
from deepplp.grounding import ground
from tests.formulas import chain, fixed_weights
from tests.oracles import assignments, central_differences, enumerate_formula, normalise
from tests.strategies import formulas
from tests.tables import table_programs
from tests.test_compilation import probabilities


def eliminated(formula: Formula) -> Circuit:
    """The circuit that elimination makes."""
    circuit = compile_formula(formula, compiler="elimination")
    check_circuit(circuit)
    return circuit


def check_values(formula: Formula) -> None:
    """The circuit has the probabilities that all worlds add up to, and says which queries are impossible."""
    circuit = eliminated(formula)
    joint, total = enumerate_formula(formula, fixed_weights(formula))
    if not total:
        assert np.isnan(probabilities(circuit, formula)).all()
        return
    np.testing.assert_allclose(probabilities(circuit, formula), [p / total for p in joint], rtol=1e-12, atol=1e-15)
    assert [root == FALSE_NODE for root in circuit.roots] == [p == 0.0 for p in joint]


@given(formulas(cycles=False))
def test_formulas_against_all_worlds(formula: Formula) -> None:
    """Any formula without cycles."""
    check_values(formula)


@given(table_programs())
def test_tables_against_all_worlds(text: str) -> None:
    """Variables with tables, some of whose rows are certain or missing."""
    formula = ground(Program.from_string(text))
    if np.prod([float(len(c.values)) for c in formula.choices]) <= 20_000:
        check_values(formula)
    else:
        np.testing.assert_allclose(
            probabilities(eliminated(formula), formula),
            probabilities(compile_formula(formula, "depth first"), formula),
            rtol=1e-12,
            atol=1e-15,
        )


@given(formulas(max_choices=4, max_nodes=8, cycles=False))
def test_circuits_are_decomposable_and_deterministic(formula: Formula) -> None:
    """The factors of a product share no choice, and of a sum's products at most one holds in a world."""
    circuit = eliminated(formula)
    plan = bind(circuit)
    owners = np.searchsorted(circuit.column_offsets, circuit.leaf_columns, side="right") - 1
    scopes = scopes_of(plan, owners[circuit.leaf_offsets[:-1]])
    users = np.repeat(np.arange(circuit.nodes), np.diff(circuit.node_offsets))
    for prime, sub in zip(circuit.primes.tolist(), circuit.subs.tolist(), strict=True):
        assert not scopes[prime] & scopes[circuit.leaves + sub]
    for world in assignments([len(c.values) for c in formula.choices]):
        held = [
            any(circuit.column_offsets[owners[k]] + world[owners[k]] == circuit.leaf_columns[k] for k in range(a, b))
            for a, b in zip(circuit.leaf_offsets[:-1], circuit.leaf_offsets[1:], strict=True)
        ]
        counts = [0, 1]
        true = [*held, False, True]
        for node in range(2, circuit.nodes):
            here = np.flatnonzero(users == node)
            counts.append(sum(true[circuit.primes[e]] and true[circuit.leaves + circuit.subs[e]] for e in here))
            true.append(counts[-1] > 0)
        assert max(counts) <= 1


def variables(text: str) -> list[int]:
    """The numbers of values of the variables that elimination sees."""
    formula = ground(Program.from_string(text))
    return sorted(network_of(formula, simplified(formula), Products(Meter())).sizes.values())


def test_a_table_is_one_variable() -> None:
    """The rows of a table are no variables, nor are its bodies, also where rows are certain or lack a head."""
    table = """
        0.2::a(1); 0.3::a(2); 0.5::a(3). 0.4::b(1); 0.6::b(2).
        0.1::c(1); 0.2::c(2); 0.7::c(3) :- a(1), b(1).
        0.3::c(1); 0.7::c(3) :- a(1), b(2).
        c(2) :- a(2), b(1).
        0.5::c(1); 0.5::c(2) :- a(2), b(2).
        1.0::c(3); 0.0::c(1) :- a(3), b(1).
        0.9::c(1); 0.1::c(2) :- a(3), b(2).
        0.6::d(1); 0.4::d(2) :- c(1). 0.1::d(1); 0.9::d(2) :- c(2). d(1) :- c(3).
    """
    queries = "query(a(_)). query(b(_)). query(c(_)). query(d(_))."
    assert variables(table + queries) == [2, 2, 3, 3]


def test_heads_that_are_certain_are_values_of_the_variable() -> None:
    """A value that the parents alone decide is one more value of the variable, not a variable beside it."""
    text = """
        0.5::p(1); 0.3::p(2); 0.2::p(3).
        0.4::x(1); 0.6::x(2) :- p(1). 0.7::x(1); 0.3::x(2) :- p(2). x(3) :- p(3).
        0.1::y :- x(1). 0.2::y :- x(2). 0.3::y :- x(3).
        query(y). query(x(_)).
    """
    assert variables(text) == [2, 3, 3]


def test_evidence_is_settled_first() -> None:
    """False disjunctions and true conjunctions fall apart; what they leave are single clauses."""
    text = "0.5::a. 0.5::b. 0.5::c. 0.5::d. q :- a, b. q :- c. r :- \\+q, \\+d. query(a). evidence(r)."
    simple = simplified(ground(Program.from_string(text)))
    assert len(simple.clauses) == 1  # not (a and b)
    assert len(simple.gates) == 3
    assert simple.restricted


def test_contradictory_evidence_is_false() -> None:
    """Evidence that no world allows leaves nothing, whether it is seen at once or when all is put together."""
    text = "0.5::a; 0.5::b. 0.5::c. p :- a. p :- c. q :- b. q :- c. query(a). evidence(\\+p). evidence(\\+q)."
    formula = ground(Program.from_string(text))
    with pytest.raises(ContradictionError):
        simplified(formula)
    circuit = eliminated(formula)
    assert circuit.evidence == FALSE_NODE
    assert circuit.roots.tolist() == [FALSE_NODE]
    parity = "0.5::a. 0.5::b. x :- a, \\+b. x :- b, \\+a. y :- a, b. y :- \\+a, \\+b. query(a)."
    circuit = eliminated(ground(Program.from_string(parity + " evidence(\\+x). evidence(\\+y).")))
    assert circuit.evidence == FALSE_NODE


def test_what_evidence_settles_is_certain() -> None:
    """A query that the evidence decides has the evidence's own node, or the false one."""
    text = "0.5::a. 0.5::b. q :- a, b. query(q). query(a). n :- \\+a. query(n). evidence(q)."
    circuit = eliminated(ground(Program.from_string(text)))
    assert circuit.roots.tolist() == [circuit.evidence, circuit.evidence, FALSE_NODE]
    free = eliminated(ground(Program.from_string("0.5::a. t :- a. t :- \\+a. query(a). query(t).")))
    assert free.evidence == TRUE_NODE


def tree(size: int, values: int = 4) -> str:
    """A random tree of labels that would rather agree with their neighbours', all of them asked for."""
    rng = random.Random(3)
    lines = []
    for vertex in range(size):
        numbers = [rng.random() for _ in range(values)]
        lines.append("; ".join(f"{n / sum(numbers)}::label(x{vertex}, {v})" for v, n in enumerate(numbers)) + ".")
    lines += [f"edge(x{rng.randrange(vertex)}, x{vertex})." for vertex in range(1, size)]
    lines.append("0.3::agree(X, Y) :- edge(X, Y). query(label(_, _)). evidence(fine). fine :- \\+clash.")
    lines.append("clash :- edge(X, Y), label(X, C), label(Y, D), C \\= D, agree(X, Y).")
    return "\n".join(lines)


def test_trees_grow_with_their_size() -> None:
    """A tree's circuit is linear in the number of its vertices, and the portfolio finds it."""
    sizes = []
    for size in (20, 40):
        circuit, report = compile_with_report(ground(Program.from_string(tree(size))))
        assert report.winner == "variable elimination"
        assert report.choices == ()
        sizes.append(circuit.elements)
    assert sizes[1] < 2.5 * sizes[0]


def test_a_tree_against_all_worlds() -> None:
    """A small tree with its soft constraints."""
    check_values(ground(Program.from_string(tree(4, 2))))


@pytest.mark.parametrize("parents", [3, 12, 40])
def test_many_causes(parents: int) -> None:
    """A noisy or with few parents is a table, one with many a chain of small ones."""
    facts = " ".join(f"0.3::c({i})." for i in range(parents))
    text = f"{facts} 0.2::e :- c(X). query(e). query(c(0)). evidence(\\+c(1))."
    formula = ground(Program.from_string(text))
    expected = 1 - (1 - 0.3 * 0.2) ** (parents - 1)
    np.testing.assert_allclose(probabilities(eliminated(formula), formula), [expected, 0.3], rtol=1e-12)


def test_long_bodies_and_disjunctions() -> None:
    """Gates of hundreds of children are chains."""
    facts = " ".join(f"0.99::c({i})." for i in range(300))
    every = ", ".join(f"c({i})" for i in range(300))
    text = f"{facts} all :- {every}. some :- c(X), c(Y), Y is X + 1. query(all). query(some). evidence(c(7))."
    formula = ground(Program.from_string(text))
    expected = probabilities(compile_formula(formula, "depth first"), formula)
    np.testing.assert_allclose(probabilities(eliminated(formula), formula), expected, rtol=1e-12)


def test_heads_that_read_each_other_through_rules_are_apart() -> None:
    """A disjunction's second head may depend on its first by way of a rule: they are not one variable then."""
    text = "0.5::x. 0.3::a; 0.6::b :- x. k :- b, y. 0.4::y. a :- k. query(a). query(b). query(k). evidence(\\+y)."
    check_values(ground(Program.from_string(text)))
    check_values(ground(Program.from_string(text.replace("evidence(\\+y).", ""))))


def test_a_row_whose_body_is_long() -> None:
    """A probabilistic clause with more in its body than a table may have."""
    facts = " ".join(f"0.9::c({i})." for i in range(30))
    text = f"{facts} 0.5::q :- {', '.join(f'c({i})' for i in range(30))}. query(q). r :- q, c(0). query(r)."
    formula = ground(Program.from_string(text))
    np.testing.assert_allclose(probabilities(eliminated(formula), formula), [0.5 * 0.9**30] * 2, rtol=1e-12)


def test_cycles_are_refused() -> None:
    """Elimination alone refuses a cycle and says what to do; the portfolio has other ways."""
    text = "0.5::e(a, b). 0.4::e(b, a). 0.3::e(a, c). p(X, Y) :- e(X, Y). p(X, Y) :- p(X, Z), e(Z, Y). query(p(b, c))."
    formula = ground(Program.from_string(text))
    with pytest.raises(QueryError, match=r"there are cycles.*leave out the compiler"):
        compile_formula(formula, compiler="elimination")
    with pytest.raises(QueryError, match="order of its own"):
        compile_formula(chain(1), "force", compiler="elimination")


@pytest.mark.parametrize(
    ("budget", "message"),
    [(CompileBudget(seconds=None, nodes=2_000), "2,000 nodes"), (CompileBudget(seconds=0.2), "0.2 s")],
    ids=["nodes", "seconds"],
)
def test_elimination_ends_within_its_budget(budget: CompileBudget, message: str) -> None:
    """Where elimination blows up, the error names the part and the choices that it reads."""
    size = 24
    facts = " ".join(f"node({i})." for i in range(size))
    text = f"{facts} 0.5::e(X, Y) :- node(X), node(Y). r(X) :- e(X, _). c(Y) :- e(_, Y)."
    names = ", ".join(f"r({i}), c({i})" for i in range(size))
    formula = ground(Program.from_string(f"{text} all :- {names}. query(all)."))
    with pytest.raises(BudgetExceededError, match=message) as caught:
        compile_formula(formula, compiler="elimination", budget=budget)
    assert "the part that decides all and reads" in str(caught.value)


COLOURS = """
    nn(net, [X], C, [r, g, b]) :: colour(X, C).
    0.4::link(x, y). 0.7::link(x, z).
    clash :- link(X, Y), colour(X, C), colour(Y, C).
"""


@given(st.integers(0, 2**32 - 1))
def test_gradients_reach_the_networks(seed: int) -> None:
    """Gradients of marginals given evidence are central differences, whichever way the query is compiled."""
    start = normalise(np.random.default_rng(seed).uniform(0.1, 1.0, (3, 3)).tolist())
    model = Model(Program.from_string(COLOURS), {"net": lambda t: t}, compiler="elimination", cache=False)

    def asked(rows: torch.Tensor) -> torch.Tensor:
        inputs = {name: rows[i : i + 1] for i, name in enumerate("xyz")}
        queries = ["colour(x, r)", "colour(y, g)", "link(x, z)"]
        return model.query(queries, inputs, evidence={"clash": False}).probs.square().sum()

    def along_the_simplex(steps: np.ndarray) -> float:
        rows = torch.tensor(start, dtype=torch.float64) + torch.tensor(steps.reshape(3, 2)) @ _DIRECTIONS
        return float(asked(rows).detach())

    weights = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    asked(weights).backward()
    assert weights.grad is not None
    expected = central_differences(along_the_simplex, np.zeros(6), 1e-5)
    found = (weights.grad @ _DIRECTIONS.T).reshape(-1).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-8)


_DIRECTIONS = torch.tensor([[1.0, -1.0, 0.0], [0.0, 1.0, -1.0]], dtype=torch.float64)
