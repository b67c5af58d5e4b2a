"""Circuits whose elements are products of nodes: every walk against the enumeration of all worlds."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from deepplp.circuit import (
    TRUE_NODE,
    Circuit,
    Plan,
    bind,
    check_circuit,
    inversion_of,
    lay_end_to_end,
    layers_of,
    scopes_of,
)
from deepplp.compilation import compile_formula
from deepplp.evaluation import (
    COUNTING,
    LOG,
    MAX_PRODUCT,
    PROBABILITY,
    Evaluation,
    evaluate,
    evaluate_reference,
    evaluate_semiring,
)
from deepplp.evaluation.one_row import one_row_probabilities
from deepplp.formula import Choice, Fixed, Formula
from deepplp.program import Program, Term
from deepplp.queries.header import Header
from deepplp.queries.storage import Storage
from tests.formulas import NOTHING, chain, random_weights
from tests.interpreter import Interpreted, triton_results
from tests.products import Builder, MadeCircuit, random_circuit
from tests.strategies import formulas

SEEDS = st.integers(0, 2**32)
KINDS = st.sampled_from(["random", "zeros", "tiny", "tiny and zeros"])
SHARED = st.sampled_from(["none", "some", "all"])
Results = tuple[torch.Tensor, torch.Tensor]
READINGS = ("log_probs", "probs", "log_evidence")


@pytest.fixture(scope="module")
def kernels() -> Interpreted:
    """The Triton kernels in Triton's interpreter."""
    pytest.importorskip("triton")
    return Interpreted()


def weights_for(circuit: Circuit, rows: int, kind: str, seed: int) -> torch.Tensor:
    """Weights [rows, columns], of which some are zero, or so small that products of a few leave float64's range."""
    generator = torch.Generator().manual_seed(seed)
    weights = random_weights(circuit, rows, seed)
    if "tiny" in kind:
        weights = weights * 10.0 ** torch.randint(-150, -100, weights.shape, generator=generator)
    if "zeros" in kind:
        weights = weights.masked_fill(torch.rand(weights.shape, generator=generator) < 0.3, 0.0)
    return weights


def bound(circuit: Circuit, weights: torch.Tensor, shared: str) -> tuple[Plan, torch.Tensor, torch.Tensor]:
    """A plan that reads none, some or all columns from weights of all rows, those of row 0; and the two tensors."""
    if shared == "none":
        return bind(circuit), weights.clone().requires_grad_(), NOTHING.clone().requires_grad_()
    columns = np.arange(circuit.columns)
    mapped = np.where((columns % 2 == 0) | (shared == "all"), -columns - 1, columns)
    batched = weights[:, :0] if shared == "all" else weights
    plan = bind(circuit, mapped, [batched.shape[1]])
    return plan, batched.clone().requires_grad_(), weights[0].double().clone().requires_grad_()


def log(x: Fraction) -> float:
    """The logarithm of a number of any size."""
    return math.log(x.numerator) - math.log(x.denominator) if x else -math.inf


def exact_row(made: MadeCircuit, weights: list[float], reading: str) -> tuple[list[float], list[list[Fraction]]]:
    """A reading of one row [results], and the summands [columns, …] of the gradient of its finite entries' sum."""
    values, derivatives = made.exact(weights)
    evidence, by_evidence = values[-1], derivatives[-1]
    if not evidence:
        results = [-math.inf] if reading == "log_evidence" else [math.nan] * (len(values) - 1)
        return results, [[] for _ in weights]
    if reading == "log_evidence":
        return [log(evidence)], [[b / evidence] for b in by_evidence]
    results, summands = [], [[Fraction(0)] for _ in weights]
    for value, by in zip(values[:-1], derivatives[:-1], strict=True):
        if reading == "probs":
            results.append(float(value / evidence))
            factor, share = 1 / evidence, value / evidence**2
        else:
            results.append(log(value) - log(evidence))
            if not value:
                continue
            factor, share = 1 / value, 1 / evidence
        for parts, b, e in zip(summands, by, by_evidence, strict=True):
            parts += [b * factor, -e * share]
    return results, summands


def assert_close(found: float, summands: list[Fraction], tolerance: float) -> None:
    """A sum is right but for the rounding of its summands; beyond float64's range it is a large number of its sign."""
    exact, size = sum(summands, Fraction(0)), sum(map(abs, summands), Fraction(0))
    assert math.isfinite(found)
    if size < Fraction(10) ** 300:
        assert abs(Fraction(found) - exact) <= size * Fraction(tolerance) + Fraction(10) ** -300
    elif abs(exact) > size * Fraction(tolerance):
        assert found * (1 if exact > 0 else -1) > 1e290


@given(
    SEEDS, st.integers(1, 3), KINDS, SHARED, st.sampled_from([torch.float64, torch.float32]), st.sampled_from(READINGS)
)
def test_kernel_and_reference_against_all_worlds(
    seed: int, rows: int, kind: str, shared: str, dtype: torch.dtype, reading: str
) -> None:
    """Results and gradients are those of exact fractions.

    For weights of a row, of all rows and of both kinds, in float32 and float64, zero ones, and such that roots leave
    the range of float64.
    """
    assume(dtype is torch.float64 or "tiny" not in kind)
    made = random_circuit(seed)
    weights = weights_for(made.circuit, rows, kind, seed).to(dtype)
    plan, batched, common = bound(made.circuit, weights, shared)
    read = [[float(w) for w in row] for row in weights]
    if shared != "none":
        taken = range(0, made.circuit.columns, 2 if shared == "some" else 1)
        for row in read:
            for c in taken:
                row[c] = read[0][c]
    expected = [exact_row(made, row, reading) for row in read]
    for use_kernel in (True, False):
        evaluation = Evaluation(plan, batched, common, rows, use_kernel=use_kernel, dtype=torch.float64)
        result = getattr(evaluation, reading)()
        np.testing.assert_allclose(result.detach(), [r for r, _ in expected], rtol=1e-11, atol=1e-13)
        loss = torch.where(torch.isfinite(result), result, 0.0).sum()
        by_batched, by_common = torch.autograd.grad(loss, (batched, common), allow_unused=True)
        of_common: list[list[Fraction]] = [[] for _ in range(made.circuit.columns)]
        for row, (_, summands) in enumerate(expected):
            for column, parts in enumerate(summands):
                if shared == "all" or (shared == "some" and column % 2 == 0):
                    of_common[column] += parts
                else:
                    assert_close(float(by_batched[row, column]), parts, 1e-11 if dtype is torch.float64 else 1e-6)
        if shared != "none":
            for column, parts in enumerate(of_common):
                assert_close(float(by_common[column]), parts, 1e-11)


def unconditioned(circuit: Circuit) -> Circuit:
    """The circuit with its evidence as one more query: nothing is subtracted in derivatives of logarithms."""
    return dataclasses.replace(circuit, roots=np.append(circuit.roots, circuit.evidence), evidence=TRUE_NODE)


def assert_agree(ours: Results, right: Results, *weights: torch.Tensor) -> None:
    """Logarithms and probabilities are the same, and so are the gradients of the finite ones' sum, all relatively."""
    gradients = []
    for logs, probs in (ours, right):
        loss = torch.where(torch.isfinite(logs), logs, 0.0).sum() + probs.sum() + 0 * sum(w.sum() for w in weights)
        gradients.append(torch.autograd.grad(loss, weights))
    for found, expected in (*zip(ours, right, strict=True), *zip(*gradients, strict=True)):
        most = 1e300  # beyond it derivatives are large numbers, whichever
        torch.testing.assert_close(found.clamp(-most, most), expected.clamp(-most, most), rtol=1e-9, atol=1e-300)


@given(SEEDS, st.sampled_from([31, 32, 70]), KINDS, SHARED)
def test_blocks_of_rows(seed: int, rows: int, kind: str, shared: str) -> None:
    """In whole and broken blocks of rows the kernel agrees with the reference, in values and in gradients."""
    circuit = unconditioned(random_circuit(seed).circuit)
    plan, batched, common = bound(circuit, weights_for(circuit, rows, kind, seed), shared)
    found = evaluate(plan, batched, common, rows), evaluate_reference(plan, batched, common, rows)
    assert_agree(*found, batched, common)


@settings(max_examples=10)  # each takes many evaluations
@given(SEEDS, st.booleans())
def test_second_derivatives(seed: int, use_kernel: bool) -> None:
    """The reference's second derivatives, which the kernel's gradients have as well, agree with central differences."""
    made = random_circuit(seed, 4)
    weights = random_weights(made.circuit, 1, seed).requires_grad_()
    possible = [i for i, worlds in enumerate(made.worlds[:-1]) if worlds]
    assume(possible)

    def results(w: torch.Tensor) -> torch.Tensor:
        evaluation = Evaluation(bind(made.circuit), w, NOTHING, use_kernel=use_kernel)
        return torch.cat([evaluation.probs(), evaluation.log_probs()[:, possible], evaluation.log_evidence()], dim=1)

    assert torch.autograd.gradcheck(results, (weights,))
    assert torch.autograd.gradgradcheck(results, (weights,), fast_mode=True)


@settings(max_examples=15)
@given(SEEDS)
def test_second_derivatives_by_zero(seed: int) -> None:
    """Where weights are zero, too: the derivatives of a polynomial."""
    made = random_circuit(seed, 4)
    assume(made.circuit.evidence == 1)
    weights = weights_for(made.circuit, 1, "zeros", seed).requires_grad_()
    assert torch.autograd.gradgradcheck(lambda w: evaluate_reference(bind(made.circuit), w, NOTHING)[1], (weights,))


def test_third_derivatives() -> None:
    """Beyond the second, derivatives are autograd's: here that of x·y·z, each a node, by all three."""
    builder = Builder([2, 2, 2])
    x, y, z = (builder.node([(builder.leaf(c, [0]), builder.true)]) for c in range(3))
    made = builder.circuit([builder.node([(builder.node([(z, x)]), y)])], builder.true)
    weights = torch.tensor([[0.5, 0.5, 0.25, 0.75, 0.125, 0.875]], dtype=torch.float64, requires_grad=True)
    found = Evaluation(bind(made.circuit), weights, NOTHING).probs().sum()
    assert found.item() == 0.5 * 0.25 * 0.125
    for column in (0, 2, 4):
        (by,) = torch.autograd.grad(found, weights, create_graph=True)
        found = by[0, column]
    assert found.item() == 1.0


@settings(max_examples=15)  # the interpreter takes its time
@given(SEEDS, st.integers(1, 3), KINDS, SHARED)
def test_triton(kernels: Interpreted, seed: int, rows: int, kind: str, shared: str) -> None:
    """The Triton kernels give what the reference gives, and the same gradients."""
    made = random_circuit(seed, 4)
    weights = weights_for(made.circuit, rows, kind, seed)
    plan, batched, common = bound(made.circuit, weights, shared)
    reference = Evaluation(plan, batched, common, rows, use_kernel=False)
    for found, reading in zip(triton_results(plan, batched, common, rows, kernels), READINGS, strict=True):
        torch.testing.assert_close(found, getattr(reference, reading)(), rtol=1e-10, atol=1e-12, equal_nan=True)
    plan, batched, common = bound(unconditioned(made.circuit), weights, shared)
    logs, probs, _ = triton_results(plan, batched, common, rows, kernels)
    assert_agree((logs, probs), evaluate_reference(plan, batched, common, rows), batched, common)


def one_row(circuit: Circuit, weights: torch.Tensor) -> list[float]:
    """What numpy alone gives; NaN where the evidence has probability 0."""
    found = one_row_probabilities(circuit, weights[0].numpy())
    return [math.nan] * len(circuit.roots) if found is None else found.tolist()


@given(SEEDS, KINDS)
def test_one_row(seed: int, kind: str) -> None:
    """The walk that needs no torch gives what exact fractions give."""
    made = random_circuit(seed)
    weights = weights_for(made.circuit, 1, kind, seed)
    expected, _ = exact_row(made, weights[0].tolist(), "probs")
    np.testing.assert_allclose(one_row(made.circuit, weights), expected, rtol=1e-11, atol=1e-300)


@given(SEEDS, KINDS)
def test_every_semiring_against_all_worlds(seed: int, kind: str) -> None:
    """Sum, logarithm of the sum, largest world and number of worlds, whatever choices an element skips."""
    made = random_circuit(seed)
    circuit = made.circuit
    p = weights_for(circuit, 1, kind.removeprefix("tiny and "), seed)
    if kind == "tiny":
        p = random_weights(circuit, 1, seed) ** 3  # of a sum other than one: for maximum and count
    found = [[math.prod(float(p[0, c]) for c in world) for world in worlds] for worlds in made.worlds]
    (largest,) = evaluate_semiring(circuit, p, MAX_PRODUCT)
    (counts,) = evaluate_semiring(circuit, (p > 0).int().numpy().astype(object), COUNTING)
    for i, worlds in enumerate(found):
        assert float(largest[0, i]) == pytest.approx(max(worlds, default=0.0), rel=1e-12)
        assert counts[0, i] == sum(w > 0 for w in worlds)
        assert type(counts[0, i]) is int
    q = random_weights(circuit, 1, seed)
    values = [math.fsum(math.prod(float(q[0, c]) for c in world) for world in worlds) for worlds in made.worlds]
    (sums,) = evaluate_semiring(circuit, q, PROBABILITY)
    (logs,) = evaluate_semiring(circuit, q.log(), LOG)
    np.testing.assert_allclose(sums[0], values, rtol=1e-12)
    expected = [math.log(v) if v else -math.inf for v in values]
    np.testing.assert_allclose(logs[0], expected, rtol=1e-12, atol=1e-12)


def test_many_skipped_choices() -> None:
    """What 3,000 skipped choices add is computed from halves, not choice by choice for every element."""
    builder = Builder([2])
    made = builder.circuit([builder.node([(builder.leaf(0, [0]), builder.true)])], builder.true)
    circuit = dataclasses.replace(made.circuit, column_offsets=np.arange(0, 6002, 2))
    (counts,) = evaluate_semiring(circuit, np.ones((1, 6000), dtype=object), COUNTING)
    assert counts[0].tolist() == [2**2999, 2**3000]


@given(st.lists(st.one_of(SEEDS.map(random_circuit), formulas(max_choices=4)), min_size=1, max_size=4))
def test_circuits_of_both_forms_end_to_end(parts: list[MadeCircuit | Formula]) -> None:
    """Circuits laid end to end give what each gives by itself, whether their elements are products of nodes or not."""
    circuits = [part.circuit if isinstance(part, MadeCircuit) else compile_formula(part) for part in parts]
    starts = np.cumsum([0, *(c.columns for c in circuits)])
    plans = [bind(c, -np.arange(c.columns) - 1, []) for c in circuits]
    laid = lay_end_to_end(plans, [np.arange(a, b) for a, b in itertools.pairwise(starts)])
    assert laid.has_node_primes == any((c.primes >= c.leaves).any() for c in circuits)
    weights = [random_weights(c, 1, i)[0].requires_grad_() for i, c in enumerate(circuits)]
    batched = torch.zeros(1, 0, dtype=torch.float64)
    for use_kernel in (True, False):
        found = Evaluation(laid, batched, torch.cat(weights), 1, use_kernel=use_kernel).probs()
        right = torch.cat([
            Evaluation(plan, batched, w, 1, use_kernel=use_kernel).probs()
            for plan, w in zip(plans, weights, strict=True)
        ], dim=1)  # fmt: skip
        torch.testing.assert_close(found, right, rtol=1e-13, atol=0.0, equal_nan=True)
        zero = 0 * torch.cat(weights).sum()
        losses = [r.nan_to_num().square().sum() + zero for r in (found, right)]
        gradients = [torch.autograd.grad(loss, weights, retain_graph=True) for loss in losses]
        for a, b in zip(*gradients, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-14)


@given(SEEDS)
def test_layers_and_inversions(seed: int) -> None:
    """In the layers all factors stand below their node; the inversion holds each factor's uses once."""
    made = random_circuit(seed)
    bounds, layered = layers_of(bind(made.circuit))
    level = np.repeat(np.arange(len(bounds) - 1), np.diff(bounds))
    arrays = layered.arrays
    users = np.repeat(np.arange(layered.nodes), np.diff(arrays.node_offsets))
    assert (level[arrays.subs] < level[users]).all()
    of_factors = np.concatenate([np.zeros(layered.leaves, dtype=np.int64), level])
    assert (of_factors[arrays.primes] < level[users]).all()
    uses = inversion_of(layered).arrays
    leaves = layered.leaves
    elements = list(zip(users.tolist(), arrays.primes.tolist(), (leaves + arrays.subs).tolist(), strict=True))
    roots = [(layered.nodes + r, n + leaves, leaves + 1) for r, n in enumerate(arrays.roots.tolist())]
    both = [*((u, a, b) for u, a, b in elements), *((u, b, a) for u, a, b in elements), *roots]
    nodes = np.repeat(leaves + np.arange(layered.nodes), np.diff(uses.node_offsets))
    by_leaf = np.repeat(np.arange(leaves), np.diff(uses.leaf_offsets))
    found = [
        *zip(uses.node_parents.tolist(), nodes.tolist(), uses.node_cofactors.tolist(), strict=True),
        *zip(uses.leaf_parents.tolist(), by_leaf.tolist(), (leaves + uses.leaf_subs).tolist(), strict=True),
    ]
    assert sorted(found) == sorted(both)


def test_scopes() -> None:
    """The scope of a node is what stands below it, through both factors."""
    builder = Builder([2, 2, 2])
    x, y, z = (builder.node([(builder.leaf(c, [0]), builder.true)]) for c in range(3))
    root = builder.node([(builder.node([(z, x)]), y)])
    made = builder.circuit([root], builder.true)
    scopes = scopes_of(bind(made.circuit), np.arange(3))
    assert scopes == [1, 2, 4, 0, 0, 1, 2, 4, 0b101, 0b111]


# What comes from outside.


def header_of(circuit: Circuit) -> Header:
    """A header with as many choices, values and queries as a circuit has."""
    sizes = np.diff(circuit.column_offsets).tolist()
    choices = [Choice(tuple(Term(f"v{v}") for v in range(k)), Fixed((1.0 / k,) * k)) for k in sizes]
    evidence = () if circuit.evidence == TRUE_NODE else (Term("e"),)
    return Header(tuple(choices), tuple(Term(f"q{i}") for i in range(len(circuit.roots))), evidence)


@given(SEEDS)
def test_what_is_kept_is_the_whole_circuit(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    """A circuit from disk has every array of the one that was written."""
    circuit = random_circuit(seed).circuit
    storage = Storage(tmp_path_factory.mktemp("kept"), Program.from_string("a."))
    storage.save("key", header_of(circuit), circuit)
    found = storage.load("key")
    assert found is not None
    for field in dataclasses.fields(Circuit):
        np.testing.assert_array_equal(getattr(found[1], field.name), getattr(circuit, field.name), err_msg=field.name)


def product_of_nodes() -> Circuit:
    """x·y, both nodes: 2 = x, 3 = y, 4 = x·y."""
    builder = Builder([2, 2])
    x, y = (builder.node([(builder.leaf(c, [0]), builder.true)]) for c in range(2))
    return builder.circuit([builder.node([(x, y)])], builder.true).circuit


FAULTS: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "no such node": (lambda a: a["primes"].__setitem__(-1, 2 + 5), "primes are out of range"),
    "itself": (lambda a: a["primes"].__setitem__(-1, 2 + 4), "a node stands before one that it uses"),
    "a later one": (lambda a: a["primes"].__setitem__(0, 2 + 3), "a node stands before one that it uses"),
    "an order": (lambda a: a.update(order=np.array([0, 1])), "primes hold a node, though the choices have an order"),
    "a mixed leaf": (lambda a: a.update(leaf_columns=np.array([1, 2, 2]), leaf_offsets=np.array([0, 2, 3])),
                     "a leaf holds values of two choices"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_hostile_arrays(fault: str, tmp_path: Path) -> None:
    """A circuit whose factors point anywhere is none; a file that holds it is removed with a warning."""
    circuit = product_of_nodes()
    check_circuit(circuit)
    arrays: dict[str, Any] = {f.name: getattr(circuit, f.name) for f in dataclasses.fields(Circuit)}
    arrays = {name: a.copy() if isinstance(a, np.ndarray) else a for name, a in arrays.items()}
    change, message = FAULTS[fault]
    change(arrays)
    broken = Circuit(**arrays)
    with pytest.raises(ValueError, match=message):
        check_circuit(broken)
    storage = Storage(tmp_path, Program.from_string("a."))
    storage.save("key", header_of(circuit), broken)
    with pytest.warns(match="damaged"):
        assert storage.load("key") is None
    assert not list(tmp_path.iterdir())


def test_old_circuits_are_as_they_were() -> None:
    """A circuit along a line has an order and no element whose prime is a node."""
    circuit = compile_formula(chain(2))
    assert (circuit.primes < circuit.leaves).all()
    assert len(circuit.order)
    assert not bind(circuit).has_node_primes
