"""Tensors in rules: functions of them, and probabilities that are tensors."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

import deepplp
from deepplp import errors
from deepplp.grounding import TENSOR_SIGNATURES
from deepplp.neural import TENSOR_FUNCTIONS
from tests.oracles import central_differences

SIMILAR = """
nn(encoder, [X], E) :: embed(X, E).
P :: similar(X, Y) :- embed(X, A), embed(Y, B), rbf(A, B, P).
odd_one_out(X, Y, Z) :- similar(X, Y), \\+similar(X, Z), \\+similar(Y, Z).
"""


def model_of(text: str, **networks: Any) -> deepplp.Model:
    """A model of a program's text."""
    return deepplp.Model(deepplp.Program.from_string(text, "p.pl"), networks)


def vectors(*names: str, rows: int = 3) -> dict[str, Tensor]:
    """Random vectors of two numbers in (0, 1), one batch a name."""
    generator = torch.Generator().manual_seed(1)
    return {n: torch.rand(rows, 2, generator=generator, dtype=torch.float64) for n in names}


def test_a_tensor_as_a_probability() -> None:
    """P :: similar(X, Y) :- … rbf(A, B, P): each grounding is a choice of its own, also under negation."""
    encoder = torch.nn.Linear(2, 2).double()
    inputs = vectors("a", "b", "c")
    answers = model_of(SIMILAR, encoder=encoder).query("odd_one_out(a, b, c)", inputs)
    a, b, c = (encoder(inputs[n]) for n in "abc")

    def rbf(x: Tensor, y: Tensor) -> Tensor:
        return torch.exp(-(x - y).norm(dim=1))

    expected = rbf(a, b) * (1 - rbf(a, c)) * (1 - rbf(b, c))
    torch.testing.assert_close(answers.probs[:, 0], expected)
    (ours,) = torch.autograd.grad(answers.log_probs.sum(), encoder.weight)
    (by_hand,) = torch.autograd.grad(expected.log().sum(), encoder.weight)
    torch.testing.assert_close(ours, by_hand)


def test_the_distance_of_equals() -> None:
    """rbf of a vector and itself is 1, and its gradient is finite."""
    x = torch.rand(2, 2, requires_grad=True)
    answers = model_of("P :: same(X, Y) :- rbf(X, Y, P).").query("same(a, b)", {"a": x, "b": x})
    assert answers.probs.tolist() == [[1.0], [1.0]]
    answers.probs.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[0.0, 0.0]] * 2


FUNCTIONS: dict[str, Any] = {
    "dot(X, Y, D), sigmoid(D, P)": lambda x, y: torch.sigmoid((x * y).sum(1)),
    "add(X, Y, S), mul(S, 0.5, M), tensor_index(M, 1, P)": lambda x, y: ((x + y) / 2)[:, 1],
    "one_hot(1, 2, H), dot(X, H, P)": lambda x, y: x[:, 1],
    "mean([X, Y], M), tensor_index(M, 0, P)": lambda x, y: (x + y)[:, 0] / 2,
    "max([X, Y], M), tensor_index(M, [1], P)": lambda x, y: torch.maximum(x, y)[:, 1],
    "cat([X, Y], C), tensor_index(C, 3, P)": lambda x, y: y[:, 1],
    "stack([X, Y], S), tensor_index(S, [1, 0], P)": lambda x, y: y[:, 0],
    "stack([X, Y], S), mean(S, M), tensor_index(M, 1, P)": lambda x, y: (x + y)[:, 1] / 2,
    "tensor_index(X, 0, U), list_to_tensor([U, 0.5], L), mean(L, P)": lambda x, y: x[:, 0] / 2 + 0.25,
    "rbf(X, Y, R), mul(R, R, P)": lambda x, y: torch.exp(-(x - y).norm(dim=1)) ** 2,
}


@pytest.mark.parametrize("body", FUNCTIONS)
def test_functions(body: str) -> None:
    """Every function computes what it says, for all rows, and has the gradient of the same lines in torch."""
    inputs = vectors("x", "y")
    leaves = [t.requires_grad_() for t in inputs.values()]
    answers = model_of(f"P :: p(X, Y) :- {body}.").query("p(x, y)", inputs)
    expected = FUNCTIONS[body](*leaves).double()
    torch.testing.assert_close(answers.probs[:, 0], expected, rtol=1e-7, atol=1e-9)
    ours = torch.autograd.grad(answers.probs.sum(), leaves, allow_unused=True, materialize_grads=True)
    by_hand = torch.autograd.grad(expected.sum(), leaves, allow_unused=True, materialize_grads=True)
    torch.testing.assert_close(ours, by_hand)


def test_every_function_is_known_to_both_sides() -> None:
    """What grounding lets programs call is what the networks' side can compute."""
    assert TENSOR_SIGNATURES.keys() == TENSOR_FUNCTIONS.keys()


def test_comparisons() -> None:
    """less_than/2 holds in the rows where it does, and fails in the others."""
    text = """smaller(X, Y) :- tensor_index(X, 0, A), tensor_index(Y, 0, B), less_than(A, B).
    other(X, Y) :- \\+smaller(X, Y)."""
    inputs = vectors("x", "y", rows=6)
    answers = model_of(text).query(["smaller(x, y)", "other(x, y)"], inputs)
    smaller = (inputs["x"][:, 0] < inputs["y"][:, 0]).double()
    assert 0 < smaller.sum() < 6
    torch.testing.assert_close(answers.probs, torch.stack([smaller, 1 - smaller], dim=1))


def test_names_stay_the_programs() -> None:
    """A program's own add/3, max/2 and mean/2 are its own; so is a Python function registered under such a name."""
    model = model_of(
        "add(X, Y, Z) :- Z is X + Y. max(a, b). q(Z) :- add(1, 2, Z), max(a, b), mean([1, 3], M), M =:= 2."
    )
    model.register("mean", lambda xs: sum(xs) / len(xs), inputs=1)
    assert model.query("q(Z)").terms == ("q(3)",)


def test_no_tensor_among_the_arguments() -> None:
    """A forgotten definition does not fall through to a tensor function in silence."""
    with pytest.raises(
        errors.UnknownPredicateError, match="there is a tensor function of this name, but 1 and 2 are no tensors"
    ):
        model_of("q(Z) :- add(1, 2, Z).").query("q(Z)")
    with pytest.raises(errors.NonGroundError, match="argument 2 of the tensor function add/3 is not ground"):
        model_of("q(X, Z) :- add(X, Y, Z).").query("q(a, Z)")
    with pytest.raises(errors.MissingInputError, match="a tensor function needs a tensor for b"):
        model_of("P :: q(X) :- rbf(X, b, P).").query("q(a)", {"a": torch.rand(2, 2)})


def test_several_heads_with_tensors() -> None:
    """Heads of one disjunction may have tensors and numbers for probabilities; what they leave is none of them."""
    text = """P :: a(X); 0.25 :: b(X); Q :: c(X) :- tensor_index(X, 0, P), tensor_index(X, 1, Q).
    none(X) :- \\+a(X), \\+b(X), \\+c(X)."""
    x = torch.tensor([[0.125, 0.5], [0.25, 0.5]])
    answers = model_of(text).query(["a(x)", "b(x)", "c(x)", "none(x)"], {"x": x})
    assert answers.probs.tolist() == [[0.125, 0.25, 0.5, 0.125], [0.25, 0.25, 0.5, 0.0]]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            [[0.5], [1.5]],
            r"p\.pl:1:6: the probability 1\.5 of a\(x\) in row 1, which a tensor gives, must be between 0 and 1",
        ),
        ([[0.5], [-0.5]], r"the probability -0\.5 of a\(x\) in row 1"),
        ([[float("nan")], [0.5]], r"the probability nan of a\(x\) in row 0"),
        (
            [[0.5, 0.5]],
            r"the probability .* of a\(x\) is a tensor of shape \[1, 2\]; it must be \[batch\] or \[batch, 1\]",
        ),
    ],
)
def test_tensors_that_are_no_probabilities(rows: list[list[float]], message: str) -> None:
    """A tensor that is no probability is an error that names the clause and the row."""
    with pytest.raises(errors.NetworkOutputError, match=message):
        model_of("P :: a(X) :- mul(X, 1.0, P).").query("a(x)", {"x": torch.tensor(rows)})


def test_functions_that_fail() -> None:
    """A function on tensors that do not fit is an error that names it and their shapes."""
    with pytest.raises(
        errors.NetworkInputError, match=r"rbf failed on \[1, 2\], \[1, 3\]: rbf needs tensors of one shape"
    ):
        model_of("P :: a(X, Y) :- rbf(X, Y, P).").query("a(x, y)", {"x": torch.rand(1, 2), "y": torch.rand(1, 3)})
    with pytest.raises(errors.NetworkInputError, match=r"one_hot\(5, 2\) needs two integers"):
        model_of("P :: a(X) :- one_hot(5, 2, H), dot(X, H, P).").query("a(x)", {"x": torch.rand(1, 2)})


def test_rounding_below_zero_is_zero() -> None:
    """An output a hair above 1 leaves a negative rest: its probability is 0 and its logarithm -inf, never NaN."""
    model = model_of("nn(net, [X]) :: p(X). no(X) :- \\+p(X).", net=lambda x: x)
    x = torch.tensor([1 + 1e-7, 0.5], dtype=torch.float64, requires_grad=True)
    answers = model.query("no(x)", {"x": x})
    assert answers.probs.flatten().tolist() == pytest.approx([0.0, 0.5], abs=2e-7)
    assert answers.log_probs.flatten().tolist()[0] == -float("inf")
    answers.probs.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [-1.0, -1.0]


def test_gradients_of_computed_probabilities() -> None:
    """Gradients through tensors in probabilities, under evidence, agree with central differences."""
    text = """P :: a(X) :- sigmoid(X, P). Q :: b(X) :- mul(X, X, S), tensor_index(S, 0, Q).
    c(X) :- a(X), \\+b(X). c(X) :- \\+a(X), b(X). evidence(c(x)). query(a(x))."""
    model = model_of(text.replace("sigmoid(X, P)", "sigmoid(X, S), tensor_index(S, 0, P)"))

    def value(x: Any) -> Tensor:
        answers = model.query(None, {"x": torch.as_tensor(x)})
        return answers.log_probs.sum() + answers.log_evidence.sum()

    start = torch.tensor([[0.3], [0.8]], dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(value(start), start)
    numeric = central_differences(lambda x: float(value(x).detach()), start.detach().numpy())
    assert gradient.flatten().tolist() == pytest.approx(numeric.flatten().tolist(), rel=1e-6)


@pytest.mark.parametrize("shapes", [((2,), (2,)), ((2, 1), (2, 1)), ((2,), (2, 1)), ((2, 1), (2,)), ((2, 1), None)])
def test_a_number_a_row_has_one_axis_or_two(shapes: tuple[tuple[int, ...], tuple[int, ...] | None]) -> None:
    """[rows, 1] is [rows]: what compares or joins numbers takes both, and numbers of the program beside them."""
    left, right = shapes
    x, y = torch.tensor([0.25, 0.75]), torch.tensor([0.5, 0.5])
    inputs = {"a": x.reshape(left)} | ({"b": y.reshape(right)} if right is not None else {})
    other = "b" if right is not None else "0.5"

    def answer(body: str) -> list[float]:
        return model_of(f"P :: p(X) :- {body}.").query("p(a)", inputs).probs[:, 0].tolist()

    less = model_of(f"p(X) :- less_than(X, {other}).").query("p(a)", inputs)
    assert less.probs[:, 0].tolist() == [1.0, 0.0]
    assert answer(f"rbf(X, {other}, P)") == pytest.approx(torch.exp(-(x - y).abs()).tolist())
    assert answer(f"dot(X, {other}, P)") == pytest.approx((x * y).tolist())
    assert answer(f"max([X, {other}], P)") == pytest.approx(torch.maximum(x, y).tolist())
    assert answer(f"mean([X, {other}], P)") == pytest.approx(((x + y) / 2).tolist())
    assert answer(f"add(X, {other}, S), mul(S, 0.5, P)") == pytest.approx(((x + y) / 2).tolist())


def test_less_than_compares_numbers() -> None:
    """Tensors of several numbers a row have no order, and the message says what is compared."""
    with pytest.raises(errors.InputError, match=r"p.pl:1:9: a has the shape \[2, 3\], where .* need one number a row"):
        model_of("p(X) :- less_than(X, 0.5).").query("p(a)", {"a": torch.rand(2, 3)})
