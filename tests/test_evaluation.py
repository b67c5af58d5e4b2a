"""The kernel against the reference, and both against central differences."""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

import deepplp
from deepplp.circuit import Circuit, Plan, bind
from deepplp.compilation import compile_formula
from deepplp.evaluation import Evaluation, evaluate, evaluate_reference
from deepplp.formula import And, Atom, Formula, Goal, Or
from deepplp.grounding import ground
from deepplp.program import Program, parse_goal
from tests.formulas import NOTHING, chain, conjunction, fixed_weights, flat, random_weights, uniform
from tests.oracles import central_differences, enumerate_formula
from tests.strategies import formulas

# The door of the room hides the module behind the function of the same name.
walk_module = sys.modules["deepplp.evaluation.kernels.cpu_walk"]

Evaluate = Callable[..., tuple[torch.Tensor, torch.Tensor]]
CONDITIONED = "nn(n, [X], Y, [0..2]) :: d(X, Y). s(Z) :- d(a, A), d(b, B), Z is A + B. evidence(d(a, 1), false)."


def conditioned() -> Circuit:
    """The sum of two digits, the first of which is known not to be 1."""
    return compile_formula(ground(Program.from_string(CONDITIONED), [parse_goal("s(Z)")]))


def one_hot(circuit: Circuit, rows: int, seed: int) -> torch.Tensor:
    """Certain distributions for every choice: [rows, columns], zeros and ones."""
    generator = torch.Generator().manual_seed(seed)
    blocks = []
    for a, b in zip(circuit.column_offsets[:-1], circuit.column_offsets[1:], strict=True):
        values = torch.randint(int(b - a), (rows,), generator=generator)
        blocks.append(torch.nn.functional.one_hot(values, int(b - a)).double())
    return torch.cat(blocks, dim=1)


def results_and_gradients(
    function: Evaluate, plan: Plan, batched: torch.Tensor, shared: torch.Tensor
) -> tuple[torch.Tensor, ...]:
    """The results of an evaluation and its gradients under a fixed mixture of all finite results."""
    batched, shared = batched.clone().requires_grad_(), shared.clone().requires_grad_()
    log_probs, probs = function(plan, batched, shared)
    mix = torch.linspace(-1, 2, log_probs.numel(), dtype=log_probs.dtype).reshape(log_probs.shape)
    loss = (mix * log_probs.masked_fill(torch.isinf(log_probs), 0.0)).sum() + (mix.flip(0) * probs).sum()
    loss = loss + 0.0 * (batched.sum() + shared.sum())  # a constant circuit depends on no weight
    return log_probs.detach(), probs.detach(), *torch.autograd.grad(loss, (batched, shared))


WEIGHTS = ("random", "certain", "mixed", "tiny", "huge range")


@given(
    formulas(), st.integers(0, 40), st.sampled_from(WEIGHTS), st.sampled_from([torch.float32, torch.float64]), st.data()
)
def test_kernel_equals_reference(
    formula: Formula, rows: int, kind: str, dtype: torch.dtype, data: st.DataObject
) -> None:
    """Kernel and reference agree in values and gradients.

    For batched, shared and mixed columns, float32 and float64, with evidence, with certain weights, and with weights
    so small that rows underflow, or so different that terms cancel.
    """
    circuit = compile_formula(formula)
    weights = random_weights(circuit, rows)
    generator = torch.Generator().manual_seed(rows)
    if kind == "certain":
        weights = one_hot(circuit, rows, rows)
    elif kind == "mixed":
        certain = torch.rand(rows, 1, generator=generator) < 0.5
        weights = torch.where(certain, one_hot(circuit, rows, rows), weights)
    elif kind == "tiny" and dtype == torch.float64:
        weights = weights * 1e-120
    elif kind == "huge range" and dtype == torch.float64:
        weights = weights * 10.0 ** (-200 * torch.rand(weights.shape, generator=generator, dtype=torch.float64))
    weights = weights.to(dtype)
    common = random_weights(circuit, 1, seed=1, dtype=dtype)[0]
    is_shared = [data.draw(st.booleans()) for _ in range(circuit.columns)]
    column_map = np.array([-c - 1 if s else c for c, s in enumerate(is_shared)], dtype=np.int64)
    plan = bind(circuit, column_map, [circuit.columns])
    possible = torch.isfinite(evaluate(plan, weights, common)[1]).all(dim=1)
    weights = weights[possible]  # rows whose evidence is impossible have no gradient
    fast = results_and_gradients(evaluate, plan, weights, common)
    slow = results_and_gradients(evaluate_reference, plan, weights.double(), common.double())
    assert fast[0].dtype == dtype
    tolerance = 1e-9 if dtype == torch.float64 else 1e-4
    # Where terms cancel in a gradient, what rounding leaves is as large as 1 / weight.
    small = kind in ("tiny", "huge range")
    scales = (1.0, 1.0, weights.double() if small else 1.0, common.double() if small else 1.0)
    for a, b, scale in zip(fast, slow, scales, strict=True):
        torch.testing.assert_close(a.double() * scale, b * scale, rtol=tolerance, atol=tolerance)


@given(formulas(), st.sampled_from(["log_probs", "probs", "selected", "log_evidence"]))
def test_every_reading_is_the_references(formula: Formula, reading: str) -> None:
    """Each result that is read off an evaluation, and its gradient, is the same by kernel and by reference."""
    circuit = compile_formula(formula)
    assume(circuit.evidence != 0)
    plan = bind(circuit)
    weights = random_weights(circuit, 5)
    chosen = torch.arange(5) % len(formula.queries)
    found = []
    for use_kernel in (True, False):
        w = weights.clone().requires_grad_()
        evaluation = Evaluation(plan, w, NOTHING, use_kernel=use_kernel)
        result = evaluation.selected(chosen) if reading == "selected" else getattr(evaluation, reading)()
        scale = torch.linspace(-1, 1, result.numel(), dtype=torch.float64).reshape(result.shape)
        loss = (scale * result.masked_fill(torch.isinf(result), 0.0)).sum() + 0.0 * w.sum()
        found.append((result.detach(), *torch.autograd.grad(loss, w)))
        assert evaluation.impossible_rows() == []
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12)


@given(formulas(max_choices=4))
def test_values_are_the_enumerated_ones(formula: Formula) -> None:
    """Log-probabilities, probabilities and the evidence's likelihood are those of the enumerated worlds."""
    joint, total = enumerate_formula(formula, fixed_weights(formula))
    assume(total > 0)
    for use_kernel in (True, False):
        evaluation = Evaluation(bind(compile_formula(formula)), flat(formula), NOTHING, use_kernel=use_kernel)
        expected = np.array(joint) / total
        np.testing.assert_allclose(evaluation.probs()[0], expected, rtol=1e-12, atol=1e-15)
        with np.errstate(divide="ignore"):
            np.testing.assert_allclose(evaluation.log_probs()[0], np.log(expected), rtol=1e-12, atol=1e-14)
        assert float(evaluation.log_evidence()) == pytest.approx(np.log(total), rel=1e-12, abs=1e-14)


@given(formulas(max_choices=4), st.booleans())
def test_gradients_are_partial_derivatives(formula: Formula, certain: bool) -> None:
    """Gradients agree with central differences, also where weights are 0 and 1 (and the loss reads probabilities)."""
    circuit = compile_formula(formula)
    plan = bind(circuit)
    start = one_hot(circuit, 1, seed=3) if certain else flat(formula) * 0.9 + 0.05
    _, probs = evaluate(plan, start, NOTHING)
    assume(bool(torch.isfinite(probs).all()))
    assume(float(Evaluation(plan, start, NOTHING).log_evidence().exp()) > 1e-3)
    mix = torch.from_numpy(np.random.default_rng(0).normal(size=(2, len(formula.queries))))

    def loss(weights: torch.Tensor) -> torch.Tensor:
        log_probs, probs = evaluate(plan, weights, NOTHING)
        if certain:
            return (mix[1] * probs).sum()
        finite = torch.where(torch.isinf(log_probs), torch.zeros_like(log_probs), log_probs)
        return (mix[0] * finite).sum() + (mix[1] * probs).sum()

    weights = start.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(loss(weights), weights)
    numeric = central_differences(lambda w: float(loss(torch.from_numpy(w))), start.numpy())
    np.testing.assert_allclose(gradient.numpy(), numeric, rtol=1e-6, atol=1e-6)


@given(formulas(max_choices=3, max_nodes=8), st.sampled_from(["log_probs", "probs", "selected", "log_evidence"]))
def test_second_derivatives(formula: Formula, reading: str) -> None:
    """With create_graph=True a gradient can be differentiated again, and agrees with differences of the gradient."""
    circuit = compile_formula(formula)
    assume(circuit.evidence != 0)
    plan = bind(circuit)
    start = random_weights(circuit, 1)
    direction = torch.from_numpy(np.random.default_rng(1).normal(size=tuple(start.shape)))

    def value(w: torch.Tensor) -> torch.Tensor:
        evaluation = Evaluation(plan, w, NOTHING)
        result = evaluation.selected(torch.zeros(1, dtype=torch.long)) if reading == "selected" else None
        result = getattr(evaluation, reading)() if result is None else result
        return result.masked_fill(torch.isinf(result), 0.0).sum()

    def slope(w: torch.Tensor, create_graph: bool) -> torch.Tensor:
        (gradient,) = torch.autograd.grad(value(w), w, create_graph=create_graph)
        return (gradient * direction).sum()

    weights = start.clone().requires_grad_()
    first = slope(weights, create_graph=True)
    if not first.requires_grad:  # the circuit is linear or constant
        first = first + 0.0 * weights.sum()
    (second,) = torch.autograd.grad(first, weights)
    numeric = central_differences(
        lambda w: float(slope(torch.from_numpy(w).requires_grad_(), create_graph=False)), start.numpy(), 1e-5
    )
    np.testing.assert_allclose(second.numpy(), numeric, rtol=1e-5, atol=1e-5)


def test_second_derivatives_at_certain_weights() -> None:
    """Second derivatives are right where weights are 0: those of a product of two weights are 1, whatever they are."""
    plan = bind(compile_formula(conjunction(2)))
    weights = torch.tensor([[0.0, 1.0, 0.0, 1.0]], dtype=torch.float64, requires_grad=True)
    _, probs = evaluate(plan, weights, NOTHING)
    (gradient,) = torch.autograd.grad(probs.sum(), weights, create_graph=True)
    assert gradient.tolist() == [[0.0, 0.0, 0.0, 0.0]]
    (second,) = torch.autograd.grad(gradient[0, 0], weights)
    assert second.tolist() == [[0.0, 0.0, 1.0, 0.0]]


def test_gradients_pass_gradcheck() -> None:
    """torch.autograd's own checks of first and second derivatives, on batched and shared weights with evidence."""
    circuit = conditioned()
    column_map = np.array([0, 1, 2, -1, -2, -3], dtype=np.int64)
    plan = bind(circuit, column_map, [3])
    batched = random_weights(circuit, 3)[:, :3].contiguous().requires_grad_()
    shared = random_weights(circuit, 1)[0, 3:].contiguous().requires_grad_()
    assert torch.autograd.gradcheck(lambda b, s: evaluate(plan, b, s), (batched, shared))
    assert torch.autograd.gradgradcheck(lambda b, s: evaluate(plan, b, s), (batched, shared))


def test_constant_circuits_have_zero_gradients() -> None:
    """A query that holds in every world, and one that holds in none, have gradients of 0, with a graph and without."""
    nodes = (And(()), Atom(0, 0), Or((2, -2)))
    circuit = compile_formula(Formula((uniform(2),), nodes, (Goal("always", 3), Goal("never", -3), Goal("x", 2))))
    for queries in (slice(0, 2), slice(0, 3)):
        weights = torch.tensor([[0.3, 0.7]], dtype=torch.float64, requires_grad=True)
        log_probs, probs = evaluate(bind(circuit), weights, NOTHING)
        assert probs[0].tolist() == [1.0, 0.0, 0.3]
        assert log_probs[0, :2].tolist() == [0.0, -np.inf]
        for create_graph in (False, True):
            (gradient,) = torch.autograd.grad(
                probs[:, queries].sum(), weights, create_graph=create_graph, retain_graph=True
            )
            assert gradient.tolist() == [[float(queries.stop == 3), 0.0]]
    constant = compile_formula(Formula((uniform(2),), nodes, (Goal("always", 3),)))
    weights = torch.zeros(1, constant.columns, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(evaluate(bind(constant), weights, NOTHING)[1].sum(), weights, create_graph=True)
    assert (gradient == 0).all()


@pytest.mark.parametrize("use_kernel", [True, False])
def test_readings_by_hand(use_kernel: bool) -> None:
    """Given that the first of two digits is not 1, their sum is computed by hand; a row that says it is 1 is named."""
    weights = torch.tensor([[0.2, 0.3, 0.5, 0.1, 0.7, 0.2], [0.0, 1.0, 0.0, 0.3, 0.3, 0.4]], dtype=torch.float64)
    evaluation = Evaluation(bind(conditioned()), weights, NOTHING, use_kernel=use_kernel)
    # The sum is the second digit with weight 0.2 / 0.7, and 2 more with weight 0.5 / 0.7.
    expected = torch.tensor([0.02, 0.14, 0.04 + 0.05, 0.35, 0.1], dtype=torch.float64) / 0.7
    torch.testing.assert_close(evaluation.probs()[0], expected)
    torch.testing.assert_close(evaluation.log_probs()[0], expected.log())
    torch.testing.assert_close(evaluation.selected(torch.tensor([3, 0]))[0], expected[3].log())
    assert evaluation.log_evidence().flatten().tolist() == pytest.approx([np.log(0.7), -np.inf])
    assert evaluation.impossible_rows() == [1]
    assert torch.isnan(evaluation.probs()[1]).all()
    assert torch.isnan(evaluation.log_probs()[1]).all()
    with pytest.raises(IndexError, match="5"):
        evaluation.selected(torch.tensor([0, 5]))
    with pytest.raises(IndexError, match="-1"):
        evaluation.selected(torch.tensor([-1, 0]))


def test_blocks_of_weights_are_one_matrix() -> None:
    """Weights laid out as several blocks, one a network, mean the same as one matrix."""
    circuit = compile_formula(chain(2))
    weights = random_weights(circuit, 5)
    widths = np.diff(circuit.column_offsets).tolist()
    blocks = torch.cat([b.reshape(-1) for b in torch.split(weights, widths, dim=1)])
    plan = bind(circuit, None, widths)
    whole, _ = evaluate(bind(circuit), weights, NOTHING)
    for function in (evaluate, evaluate_reference):
        torch.testing.assert_close(function(plan, blocks, NOTHING, 5)[0], whole)


def test_rows_do_not_depend_on_their_batch() -> None:
    """A row has the same bits alone and among others, wherever it stands in its block of lanes."""
    circuit = compile_formula(chain(2))
    plan = bind(circuit)
    weights = random_weights(circuit, 70)
    together = results_and_gradients(evaluate, plan, weights, NOTHING)[0]
    for row in (0, 31, 32, 63, 69):
        alone, _ = evaluate(plan, weights[row : row + 1], NOTHING)
        assert torch.equal(alone[0], together[row])


@pytest.mark.parametrize("function", [evaluate, evaluate_reference])
def test_empty_batches(function: Evaluate) -> None:
    """A batch of no rows has results of no rows, and shared weights get a gradient of zero."""
    circuit = conditioned()
    plan = bind(circuit, np.array([0, 1, 2, -1, -2, -3], dtype=np.int64), [3])
    batched = torch.zeros(0, 3, dtype=torch.float64, requires_grad=True)
    shared = torch.full((3,), 1 / 3, dtype=torch.float64, requires_grad=True)
    log_probs, probs = function(plan, batched, shared)
    assert log_probs.shape == probs.shape == (0, 5)
    (log_probs.sum() + probs.sum()).backward()
    assert batched.grad is not None
    assert batched.grad.shape == (0, 3)
    assert shared.grad is not None
    assert shared.grad.tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("conditioned_circuit", [True, False])
def test_values_may_be_computed_again(conditioned_circuit: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backward pass that computes the values again gives the bits of one that kept them, on any number of threads."""
    circuit = conditioned() if conditioned_circuit else compile_formula(chain(2))
    weights = random_weights(circuit, 77)
    weights[40:50] *= 1e-150  # rows of extended range, too
    kept = results_and_gradients(evaluate, bind(circuit), weights, NOTHING)
    monkeypatch.setattr(walk_module, "_KEEP_VALUES_BYTES", 0)
    for threads in (1, 3):
        monkeypatch.setattr(walk_module, "_WORK_PER_THREAD", 0)
        monkeypatch.setattr(walk_module, "_threads", lambda work, threads=threads: threads)
        for a, b in zip(kept, results_and_gradients(evaluate, bind(circuit), weights, NOTHING), strict=True):
            assert torch.equal(a, b)


def test_a_gradient_may_be_asked_for_twice() -> None:
    """With retain_graph=True backward runs again, from any of the readings, and finds the same."""
    circuit = compile_formula(chain(1))
    weights = random_weights(circuit, 4).requires_grad_()
    log_probs, _ = evaluate(bind(circuit), weights, NOTHING)
    (first,) = torch.autograd.grad(log_probs.sum(), weights, retain_graph=True)
    (second,) = torch.autograd.grad(log_probs.sum(), weights)
    assert torch.equal(first, second)


def test_weights_that_change_in_between_are_an_error() -> None:
    """Weights that are overwritten between forward and backward are noticed: no silently wrong gradient."""
    circuit = compile_formula(chain(1))
    weights = random_weights(circuit, 2)
    leaf = weights.clone().requires_grad_()
    scaled = leaf * 1.0
    log_probs, _ = evaluate(bind(circuit), scaled, NOTHING)
    with torch.no_grad():
        scaled.mul_(0.5)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        log_probs.sum().backward()


def test_results_are_copies() -> None:
    """What a caller does to a result changes neither the evaluation nor its gradient."""
    circuit = compile_formula(chain(1))
    weights = random_weights(circuit, 2).requires_grad_()
    evaluation = Evaluation(bind(circuit), weights, NOTHING)
    expected = evaluation.probs().detach().clone()
    with torch.no_grad():
        evaluation.probs().zero_()
        evaluation.log_probs().zero_()
    assert torch.equal(evaluation.probs(), expected)
    (gradient,) = torch.autograd.grad(evaluation.probs().sum(), weights)
    assert gradient.abs().sum() > 0


ALARM = """
nn(sensor, [X], Y, [low, middle, high]) :: level(X, Y).
nn(camera, [X]) :: moves(X).
0.1::fault. 0.2::cat; 0.3::dog.
alarm(X) :- level(X, high), \\+fault.
alarm(X) :- moves(X), \\+cat, \\+level(X, low).
quiet :- \\+alarm(a), \\+alarm(b).
"""


@pytest.mark.parametrize("evidence", [None, {"quiet": False}, {"alarm(a)": True, "cat": False}])
def test_gradients_of_models_are_partial_derivatives(evidence: dict[str, bool] | None) -> None:
    """Gradients by the parameters of the networks and of the program agree with central differences, in float64."""
    torch.manual_seed(0)
    sensor = torch.nn.Linear(3, 3).double()
    camera = torch.nn.Linear(3, 1).double()
    program = Program.from_string(ALARM.replace("0.1::fault", "t(0.1)::fault"))
    networks = {"sensor": deepplp.Network(sensor, "logits"), "camera": deepplp.Network(camera, "logits")}
    model = deepplp.Model(program, networks)
    inputs = {"a": torch.randn(4, 3, dtype=torch.float64), "b": torch.randn(1, 3, dtype=torch.float64)}
    goals = ["alarm(a)", "alarm(b)", "dog", "level(a, Y)"]
    target = torch.tensor([0, 1, 2, 5])

    def loss() -> torch.Tensor:
        found = model.query(goals, inputs, evidence=evidence)
        mix = torch.linspace(-1, 1, found.probs.numel(), dtype=torch.float64).reshape(found.probs.shape)
        return (mix * found.probs).sum() + found.log_prob(target).sum() + found.log_evidence.sum()

    loss().backward()
    parameters = dict(model.named_parameters())
    assert len(parameters) == 5
    for name, parameter in parameters.items():
        gradient = parameter.grad
        assert gradient is not None, name
        start = parameter.detach().clone().numpy()

        def moved(values: np.ndarray, parameter: torch.nn.Parameter = parameter) -> float:
            with torch.no_grad():
                parameter.copy_(torch.from_numpy(values))
                return float(loss())

        numeric = central_differences(moved, start, 1e-5)
        moved(start)
        np.testing.assert_allclose(gradient.numpy(), numeric, rtol=1e-6, atol=1e-9, err_msg=name)


@pytest.mark.parametrize("without_gradients", [torch.no_grad, torch.inference_mode])
def test_looking_does_not_cut_the_gradient(without_gradients: Callable[[], torch.no_grad]) -> None:
    """Answers that were read without gradients, for a log, still have them afterwards."""
    net = torch.nn.Sequential(torch.nn.Linear(2, 1), torch.nn.Sigmoid())
    model = deepplp.Model(Program.from_string("nn(net, [X]) :: p(X)."), {"net": net})
    found = model.query("p(a)", {"a": torch.ones(3, 2)})
    with without_gradients():
        assert not found.probs.requires_grad
        assert not found.log_probs.requires_grad
        assert "p(a)" in repr(found)
    (found.probs.sum() + found.log_probs.sum()).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in net.parameters())
