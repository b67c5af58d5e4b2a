"""Tensors in programs: networks whose output other networks take, and tensor sources."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

import deepplp
from deepplp import errors

PROGRAM = """
nn(encoder, [X], E) :: embed(X, E).
nn(same, [E, F]) :: alike(E, F).
twins(X, Y) :- embed(X, E), embed(Y, F), alike(E, F).
"""


class Encoder(nn.Module):
    """A linear map that counts its calls."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 2)
        self.rows: list[int] = []

    def forward(self, x: Tensor) -> Tensor:
        """Vectors [n, 2]."""
        self.rows.append(len(x))
        return self.linear(x)


def same(e: Tensor, f: Tensor) -> Tensor:
    """How alike two vectors are, [n]."""
    return torch.sigmoid((e * f).sum(dim=1))


def twins_model() -> tuple[deepplp.Model, Encoder]:
    """The model of twins and its encoder."""
    encoder = Encoder()
    return deepplp.Model(deepplp.Program.from_string(PROGRAM), {"encoder": encoder, "same": same}), encoder


def test_networks_on_networks() -> None:
    """A network takes another's output; each is called once, and gradients flow through both."""
    model, encoder = twins_model()
    a, b = torch.randn(4, 3), torch.randn(4, 3)
    answers = model.query("twins(a, b)", {"a": a, "b": b})
    assert encoder.rows == [8]
    expected = same(encoder.linear(a), encoder.linear(b))
    torch.testing.assert_close(answers.probs[:, 0].float(), expected)
    (ours,) = torch.autograd.grad(answers.log_probs.sum(), encoder.linear.weight)
    (by_hand,) = torch.autograd.grad(expected.log().sum(), encoder.linear.weight)
    torch.testing.assert_close(ours, by_hand)


def test_what_is_not_needed_is_not_computed() -> None:
    """A tensor that no choice of the query uses is never computed; a tensor term is certain."""
    model, encoder = twins_model()
    answers = model.query("embed(a, E)", {"a": torch.randn(2, 3)})
    assert answers.terms == ("embed(a,tensor(nn(encoder,[a])))",)
    assert answers.probs.tolist() == [[1.0], [1.0]]
    assert encoder.rows == []


def test_recurrent_networks() -> None:
    """A list is read by a recurrent network, one level after another, however long it is."""
    program = """
    nn(step, [H, X], N) :: step(H, X, N).
    nn(start, [X], N) :: start(X, N).
    nn(read, [H]) :: accept(H).
    run([], H, H).
    run([X|Xs], H, R) :- step(H, X, N), run(Xs, N, R).
    yes([X|Xs]) :- start(X, H), run(Xs, H, R), accept(R).
    """
    networks = {"step": lambda h, x: 0.5 * h + x, "start": lambda x: x, "read": torch.sigmoid}
    model = deepplp.Model(deepplp.Program.from_string(program), networks)
    inputs = {f"x{i}": torch.randn(5, dtype=torch.float64) for i in range(60)}
    state = inputs["x0"]
    for i in range(1, 60):
        state = 0.5 * state + inputs[f"x{i}"]
    answers = model.query(f"yes([{','.join(inputs)}])", inputs)
    torch.testing.assert_close(answers.probs[:, 0], torch.sigmoid(state))


def test_networks_of_networks_in_any_order() -> None:
    """What a tensor is made of is there before it, whichever of them a query meets first."""
    program = """
    nn(low, [X], L) :: low(X, L).
    nn(up, [L], H) :: up(L, H).
    nn(other, [X], L) :: other(X, L).
    nn(read, [H]) :: read(H).
    q(X, Y, Z) :- low(X, L), up(L, H), read(H), up(Y, G), read(G), other(Z, M), up(M, N), up(N, K), read(K).
    """
    networks = {"low": lambda x: 0.5 * x, "other": lambda x: 0.25 * x, "up": lambda x: x + 0.125, "read": lambda h: h}
    model = deepplp.Model(deepplp.Program.from_string(program), networks)
    found = model.query("q(a, b, c)", {n: torch.tensor([0.5], dtype=torch.float64) for n in "abc"})
    assert found.probs.tolist() == [[pytest.approx(0.375 * 0.625 * 0.375)]]


def test_tensor_sources() -> None:
    """``tensor(train(3))`` is item 3 of the source train, in queries and in facts; labels are left out."""
    program = "nn(net, [X], Y, [0..2]) :: d(X, Y). first(Y) :- image(X), d(X, Y). image(tensor(train(1)))."
    model = deepplp.Model(deepplp.Program.from_string(program), {"net": lambda x: x})
    data = [(torch.tensor([0.2, 0.3, 0.5]), 7), (torch.tensor([0.6, 0.3, 0.1]), 8)]
    with pytest.raises(errors.MissingInputError, match=r"needs a tensor for tensor\(train\(1\)\).*add_tensor_source"):
        model.query("first(Y)")
    model.add_tensor_source("train", data)
    assert model.query("first(Y)").probs[0].tolist() == pytest.approx([0.6, 0.3, 0.1])
    both = model.query("d(tensor(train(0)), 2)")
    assert both.probs[0].tolist() == pytest.approx([0.5])
    assert copy.deepcopy(model).query("d(tensor(train(0)), 1)").probs[0].tolist() == pytest.approx([0.3])
    with pytest.raises(errors.MissingInputError, match="tensor source 'train' has no item 9"):
        model.query("d(tensor(train(9)), 2)")


def test_sources_by_name_and_by_several_keys() -> None:
    """Keys are ints and strings, or tuples where there are several."""
    model = deepplp.Model(deepplp.Program.from_string("nn(net, [X]) :: p(X)."), {"net": lambda x: x})
    model.add_tensor_source("pics", {"cat": torch.tensor(0.25), ("cat", 2): torch.tensor(0.5)})
    answers = model.query(["p(tensor(pics(cat)))", "p(tensor(pics(cat, 2)))"])
    assert answers.probs[0].tolist() == pytest.approx([0.25, 0.5])


@pytest.mark.parametrize("encoder", [lambda x: x.sum(), lambda x: x[:1], lambda x: torch.cat((x, x))])
def test_outputs_that_lose_the_batch(encoder: Callable[[torch.Tensor], torch.Tensor]) -> None:
    """An nn/3 network that drops the batch axis, or changes it, is an error that says so."""
    model = deepplp.Model(deepplp.Program.from_string(PROGRAM), {"encoder": encoder, "same": same})
    with pytest.raises(errors.NetworkOutputError, match="keeps the leading batch axis"):
        model.query("twins(a, b)", {"a": torch.randn(2, 3), "b": torch.randn(2, 3)})


def test_sources_that_hold_no_tensors() -> None:
    """A source's item must be a tensor."""
    model = deepplp.Model(deepplp.Program.from_string("nn(net, [X]) :: p(X)."), {"net": lambda x: x})
    model.add_tensor_source("pics", {1: "cat"})
    with pytest.raises(errors.InputError, match="item 1 of tensor source 'pics' is a str"):
        model.query("p(tensor(pics(1)))")
    with pytest.raises(errors.InputError, match="must be a mapping or a data set, not a int"):
        model.add_tensor_source("pics", 3)
