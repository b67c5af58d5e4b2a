"""What the kernels are given, what they refuse, and what a machine is told when it compiles them."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest
import torch

from deepplp.circuit import Circuit, bind
from deepplp.compilation import compile_formula
from deepplp.errors import InputError
from deepplp.evaluation import Evaluation, evaluate, evaluate_circuit, evaluate_reference
from deepplp.evaluation.kernels import compiled
from deepplp.formula import And, Atom, Formula, Goal, Node
from tests.formulas import NOTHING, chain, random_weights, uniform

FORMATS = [torch.float64, torch.float32, torch.bfloat16, torch.float16]


def conditioned() -> Circuit:
    """Two coins: the first shows heads, given that the second does."""
    nodes: tuple[Node, ...] = (And(()), Atom(0, 0), Atom(1, 0), And((2, 3)))
    return compile_formula(Formula((uniform(2),) * 2, nodes, (Goal("x", 2), Goal("both", 4)), (Goal("y", 3),)))


def laid_out(weights: torch.Tensor, layout: str) -> torch.Tensor:
    """The same numbers, otherwise in memory."""
    if layout == "transposed":
        return weights.T.contiguous().T
    if layout == "in between":
        return torch.stack([weights, -weights], dim=2)[:, :, 0]
    if layout == "at an end":
        return torch.cat([-weights, weights])[len(weights) :]
    assert layout == "plain"
    return weights


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("layout", ["plain", "transposed", "in between", "at an end"])
def test_weights_in_any_format_and_layout(dtype: torch.dtype, layout: str) -> None:
    """The kernel reads batched and shared weights, and gradients of results, wherever their numbers stand."""
    circuit = compile_formula(chain(1))
    column_map = np.arange(circuit.columns)
    column_map[::3] = -column_map[::3] - 1
    plan = bind(circuit, column_map, [circuit.columns])
    batched = laid_out(random_weights(circuit, 37, dtype=dtype), layout).requires_grad_()
    shared = laid_out(random_weights(circuit, 1, seed=1, dtype=dtype).T, layout)[:, 0].requires_grad_()
    mix = laid_out(torch.linspace(-1, 2, 37, dtype=torch.float64)[:, None], layout)
    found, expected = [], []
    for results, found_of in ((evaluate, found), (evaluate_reference, expected)):
        log_probs, probs = results(plan, batched, shared)
        gradients = torch.autograd.grad((log_probs, probs), (batched, shared), (mix.to(log_probs), mix.to(probs)))
        found_of += [log_probs, probs, *gradients]
    assert [f.dtype for f in found] == [dtype] * 4
    for f, e in zip(found, expected, strict=True):
        tolerance = 4 * torch.finfo(dtype).eps
        # A shared weight's gradient is a sum over the batch, whose summands are larger than the sum.
        torch.testing.assert_close(
            f.double(), e.double(), rtol=tolerance, atol=tolerance * float(e.detach().abs().max())
        )


@pytest.mark.parametrize("dtype", FORMATS)
def test_results_have_the_format_that_is_asked_for(dtype: torch.dtype) -> None:
    """Whatever the weights' format, results and their gradients have the one asked for, those by weights their own."""
    circuit = conditioned()
    plan = bind(circuit)
    weights = random_weights(circuit, 3, dtype=torch.float32).requires_grad_()
    for use_kernel in (True, False):
        evaluation = Evaluation(plan, weights, NOTHING, use_kernel=use_kernel, dtype=dtype)
        chosen = evaluation.selected(torch.zeros(3, dtype=torch.long))
        for result in (evaluation.log_probs(), evaluation.probs(), evaluation.log_evidence(), chosen):
            assert result.dtype == dtype
            (gradient,) = torch.autograd.grad(result.sum(), weights, retain_graph=True)
            assert gradient.dtype == torch.float32


@pytest.mark.parametrize("use_kernel", [True, False])
def test_as_many_weights_as_are_read(use_kernel: bool) -> None:
    """Too few weights, or too many, are an error: the kernel reads what stands at an address, and nothing behind it."""
    circuit = conditioned()
    plan = bind(circuit, np.array([0, 1, -2, -1]), [2])
    batched, shared = torch.full((3, 2), 0.5), torch.full((2,), 0.5)
    assert Evaluation(plan, batched, shared, use_kernel=use_kernel).probs().shape == (3, 2)
    Evaluation(plan, batched.reshape(-1), shared, 3, use_kernel=use_kernel)
    message = "the circuit reads 2 weights for each of 4 rows and 2 that all rows share; it was given 6 and 2"
    with pytest.raises(InputError, match=message):
        Evaluation(plan, batched, shared, 4, use_kernel=use_kernel)
    with pytest.raises(InputError, match="of 2 rows and 2 that all rows share; it was given 6 and 2"):
        Evaluation(plan, batched, shared, 2, use_kernel=use_kernel)
    with pytest.raises(InputError, match="it was given 6 and 1"):
        Evaluation(plan, batched, shared[:1], use_kernel=use_kernel)


@pytest.mark.parametrize("use_kernel", [True, False])
@pytest.mark.parametrize("reading", ["log_probs", "probs", "selected", "log_evidence"])
def test_impossible_rows_add_nothing_to_a_gradient(use_kernel: bool, reading: str) -> None:
    """A row whose evidence is impossible is NaN, and no weight has a gradient of it, not even one that rows share."""
    plan = bind(conditioned(), np.array([0, 1, -1, -2]), [2])
    batched = torch.tensor([[0.3, 0.7], [0.4, 0.6]], dtype=torch.float64, requires_grad=True)
    found = []
    for shared in (torch.tensor([0.0, 1.0], dtype=torch.float64), torch.tensor([0.5, 0.5], dtype=torch.float64)):
        shared = shared.requires_grad_()
        evaluation = Evaluation(plan, batched, shared, use_kernel=use_kernel)
        chosen = torch.zeros(2, dtype=torch.long)
        result = evaluation.selected(chosen) if reading == "selected" else getattr(evaluation, reading)()
        found.append((evaluation, result, torch.autograd.grad(result.sum(), (batched, shared))))
    (evaluation, result, gradients), (_, _, of_possible) = found
    assert evaluation.impossible_rows() == [0, 1]
    assert torch.isneginf(result).all() if reading == "log_evidence" else torch.isnan(result).all()
    assert all((g == 0).all() for g in gradients)
    assert any((g != 0).any() for g in of_possible), "it does elsewhere"


@pytest.mark.parametrize("chosen", [torch.zeros(4, dtype=torch.long), torch.zeros(3, 1, dtype=torch.long)])
def test_one_query_a_row(chosen: torch.Tensor) -> None:
    """As many queries are chosen as there are rows, and their numbers are read in any format and layout."""
    circuit = conditioned()
    weights = random_weights(circuit, 3)
    evaluation = Evaluation(bind(circuit), weights, NOTHING)
    with pytest.raises(InputError, match=r"so \[3\] indices, not \[.*\]"):
        evaluation.selected(chosen)
    expected = evaluation.log_probs()[[0, 1, 2], [1, 0, 1]]
    for indices in (torch.tensor([1, 0, 1], dtype=torch.int32), torch.tensor([1, 7, 0, 7, 1, 7])[::2]):
        assert torch.equal(evaluation.selected(indices), expected)


def test_targets_that_change_in_between_are_an_error() -> None:
    """Chosen queries that are overwritten between forward and backward are noticed, as weights are."""
    circuit = conditioned()
    weights = random_weights(circuit, 2).requires_grad_()
    chosen = torch.tensor([0, 1])
    result = Evaluation(bind(circuit), weights, NOTHING).selected(chosen)
    chosen.zero_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        result.sum().backward()


def test_a_circuit_is_bound_once() -> None:
    """The stage by itself keeps what it made of a circuit as long as the circuit lives, and no longer."""
    circuit = compile_formula(chain(1))
    weights = random_weights(circuit, 2)
    first, second = evaluate_circuit(circuit, weights), evaluate_circuit(circuit, weights[0])
    assert first.plan is second.plan
    kept = len(sys.modules["deepplp.evaluation.stage"]._plans)
    del circuit
    assert len(sys.modules["deepplp.evaluation.stage"]._plans) == kept - 1


# The machine code.

EVALUATE = """
import torch
from deepplp.circuit import bind
from deepplp.compilation import compile_formula
from deepplp.evaluation import Evaluation
from tests.formulas import NOTHING, conjunction

circuit = compile_formula(conjunction(1))
weights = torch.tensor([[0.25, 0.75]], dtype=torch.float64)
for _ in range(2):
    assert Evaluation(bind(circuit), weights, NOTHING).probs().tolist() == [[0.25]]
"""
NOTICE = "deepplp: compiling its kernels for this machine, once; this takes some seconds"


def said(folder: Path, terminal: bool) -> str:
    """What a new process that evaluates a circuit says on standard error, which is a terminal or not."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder)}
    command = [sys.executable, "-c", EVALUATE]
    if not terminal:
        done = subprocess.run(command, env=environment, stderr=subprocess.PIPE, text=True, timeout=300, check=True)
        return done.stderr
    ours, theirs = os.openpty()
    try:
        subprocess.run(command, env=environment, stderr=theirs, timeout=300, check=True)
        os.set_blocking(ours, False)
        with contextlib.suppress(BlockingIOError):
            return os.read(ours, 10_000).decode()
        return ""
    finally:
        os.close(ours)
        os.close(theirs)


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="this system has no pseudo-terminals")
def test_a_terminal_is_told_of_the_first_compilation(tmp_path: Path) -> None:
    """The first process of a machine says on a terminal, in one line, that it compiles; later ones have nothing to say.

    Where standard error is a file or a pipe, nothing is said at all.
    """
    assert said(tmp_path / "piped", terminal=False) == ""
    assert said(tmp_path / "terminal", terminal=True) == f"{NOTICE}\r\n"
    assert said(tmp_path / "terminal", terminal=True) == ""


def test_other_compilations_are_none_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a function of the user's own that numba compiles, nothing is said."""
    told: list[str] = []
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(compiled._NOTICE, "_said", False)
    monkeypatch.setattr("builtins.print", lambda *text, **_: told.extend(text))
    assert numba.njit(lambda x: x + 1)(1) == 2
    assert told == []
    monkeypatch.setattr(_add_two, "__module__", "deepplp.evaluation.kernels.cpu")
    assert compiled.inlined(_add_two)(1) == 3
    assert told == [NOTICE]


def _add_two(x: int) -> int:
    return x + 2
