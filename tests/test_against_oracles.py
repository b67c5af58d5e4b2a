"""Random programs and formulas: what is compiled and evaluated equals enumeration of all worlds, and ProbLog."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from problog.eval_nodes import NegativeCycle

import deepplp
from deepplp.compilation import compile_formula, depth_first_order
from deepplp.errors import InconsistentEvidenceError
from deepplp.evaluation import bind, evaluate
from deepplp.grounding import Fixed, Formula
from tests.oracles import PlainProgram, central_differences, enumerate_formula, problog_probabilities
from tests.strategies import formulas, programs


def _weights(formula: Formula) -> list[tuple[float, ...]]:
    return [c.source.probabilities for c in formula.choices if isinstance(c.source, Fixed)]


def _flat(formula: Formula) -> torch.Tensor:
    return torch.tensor([[p for w in _weights(formula) for p in w]], dtype=torch.float64)


NOTHING = torch.zeros(0, dtype=torch.float64)


@given(formulas(), st.randoms(use_true_random=False))
def test_compilation_keeps_the_weighted_model_count(formula: Formula, random: object) -> None:
    """Compilation never changes a weighted model count, whatever the order of the choices."""
    joint, total = enumerate_formula(formula, _weights(formula))
    order = list(depth_first_order(formula))
    random.shuffle(order)  # type: ignore[attr-defined]
    for chosen in (None, order):
        circuit = compile_formula(formula, chosen)
        _, probs = evaluate(bind(circuit), _flat(formula), NOTHING)
        if total == 0:
            assert torch.isnan(probs).all()
        else:
            expected = [p / total for p in joint]
            np.testing.assert_allclose(probs[0].numpy(), expected, rtol=1e-12, atol=1e-15)


@given(formulas())
def test_circuits_are_ordered_deterministic_and_decomposable(formula: Formula) -> None:
    """Nodes stand behind the nodes they use, and the leaves of a node are disjoint sets of one choice's values."""
    circuit = compile_formula(formula)
    owner = np.searchsorted(circuit.column_offsets, circuit.leaf_columns, side="right") - 1
    for n in range(2, circuit.nodes):
        elements = range(circuit.node_offsets[n], circuit.node_offsets[n + 1])
        assert len(elements) > 0
        assert all(circuit.subs[e] < n for e in elements)
        leaves = [circuit.primes[e] for e in elements]
        spans = [slice(circuit.leaf_offsets[i], circuit.leaf_offsets[i + 1]) for i in leaves]
        columns = [c for s in spans for c in circuit.leaf_columns[s]]
        assert len(columns) == len(set(columns)), "primes overlap"
        assert len({o for s in spans for o in owner[s]}) == 1, "primes of several choices"


@given(formulas(max_choices=4))
def test_gradients_are_partial_derivatives(formula: Formula) -> None:
    """The gradient of every result agrees with central differences of the same result."""
    _, total = enumerate_formula(formula, _weights(formula))
    assume(total > 1e-3)
    plan = bind(compile_formula(formula))
    start = _flat(formula) * 0.9 + 0.05  # away from 0, where log-probabilities have no derivative
    rng = np.random.default_rng(0)
    mix = torch.from_numpy(rng.normal(size=(2, len(formula.queries))))

    def loss(weights: torch.Tensor) -> torch.Tensor:
        log_probs, probs = evaluate(plan, weights, NOTHING)
        finite = torch.where(torch.isinf(log_probs), torch.zeros_like(log_probs), log_probs)
        return (mix[0] * finite).sum() + (mix[1] * probs).sum()

    weights = start.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(loss(weights), weights)
    numeric = central_differences(lambda w: float(loss(torch.from_numpy(w))), start.numpy())
    np.testing.assert_allclose(gradient.numpy(), numeric, rtol=1e-6, atol=1e-6)


def _answer(program: PlainProgram) -> dict[str, float] | None:
    rows = {r.network: r.probabilities for r in program.rules if r.network}

    def net(x: torch.Tensor) -> torch.Tensor:
        k = int(x[0, 1])
        return x[:, 2 : 2 + k]

    parsed = deepplp.Program.from_string(program.text())
    model = deepplp.Model(parsed, {"net": net} if rows else {})
    inputs = {n: torch.tensor([[0.0, len(p), *p]], dtype=torch.float64) for n, p in rows.items()}
    try:
        answers = model.query(None, inputs)
    except InconsistentEvidenceError:
        return None
    return dict(zip(answers.terms, answers.probs[0].tolist(), strict=True))


@given(programs())
def test_programs_agree_with_enumeration(program: PlainProgram) -> None:
    """P(query | evidence) is the share of worlds, counted one by one."""
    expected = program.enumerate()
    found = _answer(program)
    if expected is None:
        assert found is None
    else:
        assert found == pytest.approx(expected, abs=1e-12)


@given(programs(networks=True))
def test_neural_choices_are_choices(program: PlainProgram) -> None:
    """A network's output is the distribution of a choice, in rules, under negation, in cycles and under evidence."""
    expected = program.enumerate()
    found = _answer(program)
    if expected is None:
        assert found is None
    else:
        assert found == pytest.approx(expected, abs=1e-9)


@given(programs())
def test_programs_agree_with_problog(program: PlainProgram) -> None:
    """Plain programs get ProbLog's answers, where it does not take a positive cycle for a negative one."""
    found = _answer(program)
    assume(found is not None)
    try:
        expected = problog_probabilities(program.text())
    except NegativeCycle:
        assume(False)
    assert expected == pytest.approx(found, abs=1e-9)


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[tuple[int, int]], list[float]]:
    """Directed graphs on four vertices with random edges, cycles included."""
    pairs = [(a, b) for a in range(4) for b in range(4) if a != b]
    edges = draw(st.lists(st.sampled_from(pairs), min_size=1, max_size=9, unique=True))
    return edges, [draw(st.sampled_from([0.1, 0.5, 0.8, 1.0])) for _ in edges]


@given(graphs(), st.booleans())
def test_reachability_in_cyclic_graphs(graph: tuple[list[tuple[int, int]], list[float]], left: bool) -> None:
    """Left and right recursion over cyclic graphs count the same paths as enumeration of the edges."""
    edges, probabilities = graph
    facts = "".join(f"{p}::edge({a},{b}).\n" for (a, b), p in zip(edges, probabilities, strict=True))
    step = "path(X,Z), edge(Z,Y)" if left else "edge(X,Z), path(Z,Y)"
    text = f"{facts}path(X,Y) :- edge(X,Y).\npath(X,Y) :- {step}."
    answers = deepplp.Model(deepplp.Program.from_string(text)).query("path(0, X)")
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
    found = dict(zip(answers.terms, answers.probs[0].tolist(), strict=True))
    for v, p in expected.items():
        assert found.get(f"path(0,{v})", 0.0) == pytest.approx(p, abs=1e-12)
