"""Tensors whose memory does not hold their numbers: negated views, and zeros without memory."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

import deepplp
from deepplp.evaluation import evaluate_circuit

HALF = torch.tensor([[0.5, 0.5], [0.5, 0.5]], dtype=torch.float64)
MODEL = deepplp.Model(
    deepplp.Program.from_string(
        "nn(net, [X], Y, [u, v]) :: p(X, Y). 0.5::e. q(X) :- p(X, u), e. q(X) :- p(X, v), \\+e."
    ),
    {"net": lambda x: x},
    cache=False,
)


def negated(tensor: Tensor) -> Tensor:
    """The same numbers, of which memory holds the opposite."""
    found = torch.conj(torch.complex(torch.zeros_like(tensor), -tensor)).imag
    assert found.is_neg()
    assert torch.equal(found, tensor)
    return found


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_negated_outputs(dtype: torch.dtype) -> None:
    """A network may return a negated view, and gradients pass through it."""
    x = torch.tensor([[0.25, 0.75]], dtype=dtype, requires_grad=True)
    answers = MODEL.query("p(a, Y)", {"a": negated(x)})
    assert answers.probs.tolist() == [[0.25, 0.75]]
    (gradient,) = torch.autograd.grad(answers.probs[0, 1], x)
    assert gradient.tolist() == [[0.0, 1.0]]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_negated_weights(dtype: torch.dtype) -> None:
    """Weights of a circuit, of one row and of a batch, may be negated views."""
    circuit = deepplp.compile(deepplp.ground(deepplp.Program.from_string("0.3::a."), "a"))
    weights = torch.tensor([[0.25, 0.75], [0.5, 0.5]], dtype=dtype)
    assert evaluate_circuit(circuit, negated(weights)).probs().tolist() == [[0.25], [0.5]]
    assert evaluate_circuit(circuit, negated(weights[0])).probs().tolist() == [[0.25]]


@pytest.mark.parametrize(
    ("upstream", "expected"),
    [
        (torch._neg_view, -0.5),
        (lambda t: torch._efficientzerotensor(t.shape, dtype=t.dtype), 0.0),
        (lambda t: t.expand(2, 1), 0.5),
    ],
    ids=["negated", "zero", "plain"],
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gradients_from_above(upstream: Callable[[Tensor], Tensor], expected: float, dtype: torch.dtype) -> None:
    """The gradient by an answer may be any tensor that torch admits."""
    x = HALF.clone().requires_grad_()
    probs = MODEL.query("q(a)", {"a": x}, dtype=dtype).probs
    (gradient,) = torch.autograd.grad(probs, x, grad_outputs=upstream(torch.ones(2, 1, dtype=dtype)))
    assert gradient.tolist() == [[expected, expected]] * 2


def test_zeros_without_memory() -> None:
    """A network may return zeros that have no memory."""
    model = deepplp.Model(
        deepplp.Program.from_string("nn(net, [X]) :: p(X). 0.5::e. q :- p(a), e. r :- \\+p(a), e."),
        {"net": lambda x: torch._efficientzerotensor((3,), dtype=torch.float64)},
        cache=False,
    )
    assert model.query(["q", "r"], {"a": torch.ones(3)}).probs.tolist() == [[0.0, 0.5]] * 3


def test_another_default_device() -> None:
    """What a query makes for itself stands where its model does, whatever torch's default device is."""
    program = deepplp.Program.from_string("nn(net, [X]) :: p(X). t(0.5)::e. t(_, X)::w(X). q(X) :- p(X), e, \\+w(X).")
    model = deepplp.Model(program, {"net": lambda x: x}, cache=False)
    inputs = {"a": torch.tensor([0.25, 0.75], dtype=torch.float64)}
    with torch.device("meta"):
        inside = model.query("q(a)", inputs).probs
    assert torch.equal(inside, model.query("q(a)", inputs).probs)
    assert inside.tolist()[0][0] > 0
