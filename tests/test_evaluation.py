"""The kernel against the reference, numbers at the edge, threads and processes."""

from __future__ import annotations

import math
import multiprocessing
import sys
import threading
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import deepplp
from deepplp.compilation import Circuit, compile_formula
from deepplp.evaluation import Evaluation, Plan, bind, evaluate, evaluate_reference
from deepplp.grounding import And, Atom, Choice, Fixed, Formula, Goal, Node, ground
from deepplp.program import Program, parse_goal
from tests.strategies import formulas

# The door of the room hides the module behind the function of the same name.
evaluate_module = sys.modules["deepplp.evaluation.evaluate"]

CHAIN = """
nn(mnist_net, [X], Y, [0..9]) :: digit(X, Y).
nn(label, [K], Z, [0..9]) :: z(K, Z).
addition(Xs, Ys, Zs) :- add(Xs, Ys, 0, Zs).
add([], [], C, [Z]) :- z(Z, C).
add([X|Xs], [Y|Ys], C, [Z|Zs]) :-
    digit(X, A), digit(Y, B), S is A + B + C, D is S mod 10, z(Z, D), N is S // 10, add(Xs, Ys, N, Zs).
"""
NOTHING = torch.zeros(0, dtype=torch.float64)


def chain_query(n: int) -> str:
    """The query for n digits."""
    lists = [",".join(f"{name}{i}" for i in range(n + (name == "z"))) for name in "xyz"]
    return f"addition([{lists[0]}],[{lists[1]}],[{lists[2]}])"


def chain_circuit(n: int) -> Circuit:
    """The circuit of the n-digit carry chain with observed labels."""
    return compile_formula(ground(Program.from_string(CHAIN), [parse_goal(chain_query(n))]))


def random_weights(circuit: Circuit, rows: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    """Random distributions for every choice of a circuit: [rows, columns]."""
    generator = torch.Generator().manual_seed(seed)
    blocks = [
        torch.rand(rows, int(b - a), generator=generator, dtype=torch.float64).softmax(1)
        for a, b in zip(circuit.column_offsets[:-1], circuit.column_offsets[1:], strict=True)
    ]
    return torch.cat(blocks, dim=1).to(dtype)


def conjunction(n: int) -> Formula:
    """n independent facts, all of which must hold."""
    choices = tuple(Choice((f"f{i}", "none"), Fixed((0.5, 0.5))) for i in range(n))
    nodes: list[Node] = [And(()), *(Atom(i, 0) for i in range(n)), And(tuple(range(2, n + 2)))]
    return Formula(choices, tuple(nodes), (Goal("all", n + 2),))


def gradients(
    function: Callable[..., tuple[torch.Tensor, torch.Tensor]], plan: Plan, batched: torch.Tensor, shared: torch.Tensor
) -> tuple[torch.Tensor, ...]:
    """The results of an evaluation and its gradients under a fixed mixture of all results."""
    batched, shared = batched.clone().requires_grad_(), shared.clone().requires_grad_()
    log_probs, probs = function(plan, batched, shared)
    mix = torch.linspace(-1, 2, log_probs.numel(), dtype=log_probs.dtype).reshape(log_probs.shape)
    loss = (mix * log_probs.masked_fill(torch.isinf(log_probs), 0.0)).sum() + (mix.flip(0) * probs).sum()
    loss = loss + 0.0 * (batched.sum() + shared.sum())  # a constant circuit depends on no weight
    return log_probs.detach(), probs.detach(), *torch.autograd.grad(loss, (batched, shared))


@given(formulas(), st.integers(0, 20), st.booleans(), st.sampled_from([torch.float32, torch.float64]), st.data())
def test_kernel_equals_reference(
    formula: Formula, rows: int, tiny: bool, dtype: torch.dtype, data: st.DataObject
) -> None:
    """Kernel and reference agree in values and gradients: batched and shared weights, both dtypes, tiny ones too."""
    circuit = compile_formula(formula)
    weights = random_weights(circuit, rows, dtype=dtype)
    if tiny and dtype == torch.float64:
        weights = weights * 1e-120
    common = random_weights(circuit, 1, seed=1, dtype=dtype)[0]
    is_shared = [data.draw(st.booleans()) for _ in range(circuit.columns)]
    column_map = np.array([-c - 1 if s else c for c, s in enumerate(is_shared)], dtype=np.int64)
    plan = bind(circuit, column_map, [circuit.columns])
    fast = gradients(evaluate, plan, weights, common)
    slow = gradients(evaluate_reference, plan, weights.double(), common.double())
    tolerance = 1e-9 if dtype == torch.float64 else 1e-4
    # Gradients times weights: where terms cancel, what rounding leaves is as large as 1 / weight.
    scales = (1.0, 1.0, weights.double(), common.double())
    for a, b, scale in zip(fast, slow, scales, strict=True):
        torch.testing.assert_close(a.double() * scale, b * scale, rtol=tolerance, atol=tolerance, equal_nan=True)
    assert fast[0].dtype == dtype


@pytest.mark.parametrize("use_kernel", [True, False])
def test_readings_of_an_evaluation(use_kernel: bool) -> None:
    """Log-probabilities, probabilities and selected ones are readings of one evaluation, by kernel and by reference."""
    text = "nn(n, [X], Y, [0..2]) :: d(X, Y). s(Z) :- d(a, A), d(b, B), Z is A + B. evidence(d(a, 1), false)."
    circuit = compile_formula(ground(Program.from_string(text), [parse_goal("s(Z)")]))
    weights = torch.tensor([[0.2, 0.3, 0.5, 0.1, 0.7, 0.2], [0.0, 1.0, 0.0, 0.3, 0.3, 0.4]], dtype=torch.float64)
    evaluation = Evaluation(bind(circuit), weights, NOTHING, use_kernel=use_kernel)
    # Given that a is not 1: s is b with weight 0.2 / 0.7, and 2 + b with weight 0.5 / 0.7.
    expected = torch.tensor([0.02, 0.14, 0.04 + 0.05, 0.35, 0.1], dtype=torch.float64) / 0.7
    torch.testing.assert_close(evaluation.probs()[0], expected)
    torch.testing.assert_close(evaluation.log_probs()[0], expected.log())
    torch.testing.assert_close(evaluation.selected(torch.tensor([3, 0]))[0], expected[3].log())
    assert evaluation.impossible_rows() == [1]
    with pytest.raises(IndexError, match="5"):
        evaluation.selected(torch.tensor([0, 5]))


def test_blocks_of_weights_are_one_matrix() -> None:
    """Weights laid out as several blocks, one a network, mean the same as one matrix."""
    circuit = chain_circuit(2)
    weights = random_weights(circuit, 5)
    widths = np.diff(circuit.column_offsets).tolist()
    flat = torch.cat([b.reshape(-1) for b in torch.split(weights, widths, dim=1)])
    plan = bind(circuit, None, widths)
    whole, _ = evaluate(bind(circuit), weights, NOTHING)
    for function in (evaluate, evaluate_reference):
        torch.testing.assert_close(function(plan, flat, NOTHING, 5)[0], whole)


@pytest.mark.parametrize("p", [0.999, 1e-30])
def test_conjunction_of_5000_facts(p: float) -> None:
    """A conjunction of 5,000 facts has log-probability 5000 log p and derivative 1/p by each, however small p**5000."""
    circuit = compile_formula(conjunction(5000))
    weights = torch.tensor([[p, 1 - p] * 5000], dtype=torch.float64, requires_grad=True)
    log_probs, _ = evaluate(bind(circuit), weights, NOTHING)
    assert float(log_probs.detach()) == pytest.approx(5000 * math.log(p), rel=1e-12)
    (gradient,) = torch.autograd.grad(log_probs.sum(), weights)
    torch.testing.assert_close(gradient[0, ::2], torch.full((5000,), 1 / p, dtype=torch.float64), rtol=1e-9, atol=0)


def test_sum_of_300_digits() -> None:
    """A 300-digit sum has a finite, right log-probability and gradient, though the probability is about 1e-301."""
    n = 300
    formula = ground(Program.from_string(CHAIN), [parse_goal(chain_query(n))])
    circuit = compile_formula(formula)
    uniform = torch.full((1, circuit.columns), 0.1, dtype=torch.float64)
    # Labels are observed: all sums are 99…9 with no carry, of which there are 10 pairs a digit.
    columns = circuit.column_offsets
    observed = torch.zeros(n + 1, 10, dtype=torch.float64)
    observed[:n, 9] = 1.0
    observed[n, 0] = 1.0
    weights = uniform.clone()
    for index, choice in enumerate(formula.choices):
        name = str(choice.source.inputs[0])  # type: ignore[union-attr]
        if name.startswith("z"):
            weights[0, columns[index] : columns[index + 1]] = observed[int(name[1:])]
    weights.requires_grad_()
    log_probs, _ = evaluate(bind(circuit), weights, NOTHING)
    assert float(log_probs.detach()) == pytest.approx(-n * math.log(10), rel=1e-12)
    (gradient,) = torch.autograd.grad(log_probs.sum(), weights)
    assert torch.isfinite(gradient).all()
    first = next(i for i, c in enumerate(formula.choices) if str(c.source.inputs[0]) == "x0")  # type: ignore[union-attr]
    # d log P / d P(x0 = v) is the share of v, 1/10, divided by its weight, 1/10.
    torch.testing.assert_close(gradient[0, columns[first] : columns[first + 1]], torch.ones(10, dtype=torch.float64))
    reference, _ = evaluate_reference(bind(circuit), weights, NOTHING)
    torch.testing.assert_close(reference, log_probs)


def test_certain_and_impossible_weights_have_right_gradients() -> None:
    """Weights of exactly 0 and 1 give right, finite derivatives; log 0 gives -inf and adds nothing to the gradient."""
    circuit = chain_circuit(1)
    weights = torch.zeros(1, circuit.columns, dtype=torch.float64)
    for start in circuit.column_offsets[:-1]:
        weights[0, start + 1] = 1.0  # every digit is a 1, every label digit too: 1 + 1 = 11 is impossible
    plan = bind(circuit)
    weights.requires_grad_()
    log_probs, probs = evaluate(plan, weights, NOTHING)
    assert float(probs.detach()) == 0.0
    assert float(log_probs.detach()) == -math.inf
    (by_log,) = torch.autograd.grad(log_probs.sum(), weights, retain_graph=True)
    assert (by_log == 0).all()
    (by_prob,) = torch.autograd.grad(probs.sum(), weights)
    step = 1e-6
    for c in range(circuit.columns):
        moved = weights.detach().clone()
        moved[0, c] += step
        difference = (float(evaluate(plan, moved, NOTHING)[1]) - 0.0) / step
        assert float(by_prob[0, c]) == pytest.approx(difference, abs=1e-9)


def test_second_derivatives() -> None:
    """With create_graph=True a gradient can be differentiated again."""
    circuit = chain_circuit(2)
    plan = bind(circuit)
    start = random_weights(circuit, 2)

    def inner(w: torch.Tensor) -> torch.Tensor:
        return evaluate(plan, w, NOTHING)[0]

    assert torch.autograd.gradgradcheck(inner, (start.requires_grad_(),), atol=1e-6)


def test_small_values_are_not_clamped() -> None:
    """Sums of 2e-8 and products of 1 - 1e-8 come out right."""
    model = deepplp.Model(
        Program.from_string("0.00000001::a. 0.00000001::b. either :- a. either :- b. both :- \\+a, \\+b.")
    )
    answers = model.query(["either", "both"])
    expected = 2e-8 - 1e-16
    assert float(answers.probs[0, 0]) == pytest.approx(expected, rel=1e-12)
    assert float(answers.probs[0, 1]) == pytest.approx((1 - 1e-8) ** 2, rel=1e-15)


def test_same_bits_whatever_the_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of threads changes no bit of values and gradients, those shared by the batch included."""
    circuit = chain_circuit(3)
    weights = random_weights(circuit, 101)
    common = random_weights(circuit, 1)[0]
    column_map = np.arange(circuit.columns)
    column_map[::3] = -column_map[::3] - 1
    plan = bind(circuit, column_map, [circuit.columns])
    results = []
    for threads in (1, 2, 5):
        monkeypatch.setattr(evaluate_module, "_threads", lambda plan, blocks, threads=threads: threads)
        results.append(gradients(evaluate, plan, weights, common))
    for other in results[1:]:
        for a, b in zip(results[0], other, strict=True):
            assert torch.equal(a, b)


def test_values_may_be_computed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A backward pass that computes the values again gives the bits of one that kept them."""
    circuit = chain_circuit(2)
    weights, common = random_weights(circuit, 33), NOTHING
    kept = gradients(evaluate, bind(circuit), weights, common)
    monkeypatch.setattr(evaluate_module, "_KEEP_VALUES_BYTES", 0)
    for threads in (1, 3):
        monkeypatch.setattr(evaluate_module, "_threads", lambda plan, blocks, threads=threads: threads)
        for a, b in zip(kept, gradients(evaluate, bind(circuit), weights, common), strict=True):
            assert torch.equal(a, b)


def test_many_python_threads_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several Python threads may evaluate at once, each over several threads of the kernel."""
    monkeypatch.setattr(evaluate_module, "_threads", lambda plan, blocks: 3)
    circuit = chain_circuit(2)
    plan = bind(circuit)
    weights = [random_weights(circuit, 40, seed=s) for s in range(6)]
    expected = [gradients(evaluate, plan, w, NOTHING) for w in weights]
    found: dict[int, tuple[torch.Tensor, ...]] = {}

    def work(i: int) -> None:
        for _ in range(20):
            found[i] = gradients(evaluate, plan, weights[i], NOTHING)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(60)
    for i, e in enumerate(expected):
        assert all(torch.equal(a, b) for a, b in zip(found[i], e, strict=True))


def _evaluate_in_child(plan: Plan, weights: np.ndarray, queue: object) -> None:
    torch.set_num_threads(1)  # torch's own pool does not survive a fork; the kernel's is made anew
    found = evaluate(plan, torch.from_numpy(weights), NOTHING)[1].numpy()
    queue.put(found)  # type: ignore[attr-defined]


@pytest.mark.skipif(not hasattr(sys, "getswitchinterval") or sys.platform == "win32", reason="needs fork")
def test_a_forked_process_evaluates(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process forked after the kernel's threads ran evaluates as well; nothing hangs."""
    monkeypatch.setattr(evaluate_module, "_threads", lambda plan, blocks: 2)
    circuit = chain_circuit(2)
    plan = bind(circuit)
    weights = random_weights(circuit, 64)
    expected = evaluate(plan, weights, NOTHING)[1].numpy()
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=_evaluate_in_child, args=(plan, weights.numpy(), queue))
    child.start()
    found = queue.get(timeout=60)
    child.join(60)
    assert child.exitcode == 0
    np.testing.assert_array_equal(found, expected)


class _Pairs(torch.utils.data.Dataset[torch.Tensor]):
    """A data set that runs a model in the worker that loads it."""

    def __init__(self) -> None:
        program = Program.from_string("nn(net, [X]) :: p(X). both(X, Y) :- p(X), p(Y).")
        self.model = deepplp.Model(program, {"net": lambda x: x})

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> torch.Tensor:
        p = torch.tensor([0.1 * (index + 1)], dtype=torch.float64)
        return self.model.query("both(a, b)", {"a": p, "b": p}).probs[0, 0]


def test_a_data_loader_worker_evaluates() -> None:
    """A model works inside a DataLoader's forked workers, after it worked in the parent."""
    data = _Pairs()
    expected = [float(data[i]) for i in range(4)]
    loader = torch.utils.data.DataLoader(data, batch_size=2, num_workers=2, multiprocessing_context="fork", timeout=60)
    found = [float(p) for batch in loader for p in batch]
    assert found == pytest.approx(expected, rel=1e-12)


def test_circuits_of_chains_grow_linearly() -> None:
    """The carry chain's circuit grows by the same number of nodes with every digit."""
    sizes = [chain_circuit(n).nodes for n in (5, 10, 15, 60)]
    step = (sizes[1] - sizes[0]) // 5
    assert sizes == [sizes[0] + step * (n - 5) for n in (5, 10, 15, 60)]
    assert sizes[2] <= 500


def test_recursive_call_first_or_last() -> None:
    """Whether a chain's recursive call is the first or the last goal of its body does not change the circuit's size."""
    first = CHAIN.split("addition")[0] + (
        "addition(Xs, Ys, Zs) :- add(Xs, Ys, Zs, C), z(top, C).\nadd([], [], [], 0).\n"
        "add([X|Xs], [Y|Ys], [Z|Zs], C) :- add(Xs, Ys, Zs, N), digit(X, A), digit(Y, B), S is A + B + N,"
        " D is S mod 10, z(Z, D), C is S // 10."
    )
    lists = [",".join(f"{name}{i}" for i in range(20)) for name in "xyz"]
    goal = parse_goal(f"addition([{lists[0]}],[{lists[1]}],[{lists[2]}])")
    assert compile_formula(ground(Program.from_string(first), [goal])).nodes == chain_circuit(20).nodes


def test_heads_without_a_mention_merge() -> None:
    """A choice of a thousand values of which two are mentioned has three classes, and leaves of all its columns."""
    heads = "; ".join(f"0.001::h({i})" for i in range(1000))
    formula = ground(Program.from_string(f"{heads}. q :- h(3). q :- h(7)."), [parse_goal("q")])
    circuit = compile_formula(formula)
    assert circuit.columns == 1000
    assert circuit.nodes == 3
    weights = torch.full((1, 1000), 0.001, dtype=torch.float64)
    assert float(evaluate(bind(circuit), weights, NOTHING)[1]) == pytest.approx(0.002, rel=1e-12)


def test_queries_share_one_circuit() -> None:
    """All answers of a query are roots of one circuit, smaller than the answers' circuits apart."""
    program = Program.from_string("nn(n, [X], Y, [0..9]) :: d(X, Y). s(X, Y, Z) :- d(X, A), d(Y, B), Z is A + B.")
    together = compile_formula(ground(program, [parse_goal("s(a, b, S)")]))
    apart = [compile_formula(ground(program, [parse_goal(f"s(a, b, {i})")])) for i in range(19)]
    assert len(together.roots) == 19
    assert together.leaves < sum(c.leaves for c in apart)


def test_duplicated_subgoals_change_nothing() -> None:
    """x, y, x, y is x, y."""
    model = deepplp.Model(Program.from_string("0.3::x. 0.4::y. once :- x, y. twice :- x, y, x, y."))
    answers = model.query(["once", "twice"])
    assert answers.probs[0].tolist() == pytest.approx([0.12, 0.12])
