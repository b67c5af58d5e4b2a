"""A first look under torch.inference_mode() or torch.no_grad() changes nothing for the training that follows."""

from __future__ import annotations

import gc
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
import torch

import deepplp
from deepplp.evaluation import evaluate_reference
from deepplp.program import Program

TEXT = """
nn(net, [X], Y, [0..2]) :: d(X, Y).
t(0.3) :: c.
t(_, K) :: w(K).
0.5 :: e(1).
s(X, K) :- d(X, 0), c, w(K), e(1).
s(X, K) :- d(X, 1), w(K).
"""
Mode = Callable[[], AbstractContextManager[object]]
torchs_own_warning = pytest.mark.filterwarnings("ignore:.*torch.jit.script.*:FutureWarning")
modes = pytest.mark.parametrize("mode", [torch.inference_mode, torch.no_grad])


def made() -> deepplp.Model:
    """A model of that program, the same one every time."""
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Softmax(1))
    return deepplp.Model(Program.from_string(TEXT), {"net": net}, cache=False)


def rows(seed: int = 1) -> torch.Tensor:
    """Five rows of inputs."""
    return torch.randn(5, 4, generator=torch.Generator().manual_seed(seed))


def by_query(model: deepplp.Model) -> torch.Tensor:
    """The loss of a query."""
    return -model.query("s(a, 7)", {"a": rows()}).log_probs.sum()


def by_evidence(model: deepplp.Model) -> torch.Tensor:
    """The loss of a query with evidence, hard and soft."""
    known = {"c": True, "d(a, 0)": torch.linspace(0.1, 0.9, 5, dtype=torch.float64)}
    return -model.query(["s(a, 7)", "w(8)"], {"a": rows()}, evidence=known).log_probs.sum()


def by_many(model: deepplp.Model) -> torch.Tensor:
    """The loss of queries of several structures."""
    found = model.query_many([deepplp.Query(f"s(a, {k})", inputs={"a": rows()[k : k + 1]}) for k in range(3)])
    return -torch.stack([answers.log_probs.sum() for answers in found]).sum()


def by_preparation(model: deepplp.Model) -> torch.Tensor:
    """The loss of a prepared query."""
    return -model.compile("s(a, 7)", ["a"])({"a": rows()}).log_probs.sum()


def gradients(model: deepplp.Model, loss: Callable[[deepplp.Model], torch.Tensor]) -> dict[str, torch.Tensor]:
    """The gradient of a loss by each parameter that it met."""
    model.zero_grad()
    loss(model).backward()
    return {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


@modes
@pytest.mark.parametrize("loss", [by_query, by_evidence, by_many, by_preparation])
def test_a_first_look_leaves_all_trainable(mode: Mode, loss: Callable[[deepplp.Model], torch.Tensor]) -> None:
    """Values, gradients and what an optimiser does are those of a model that was never looked at before."""
    expected_model, model = made(), made()
    expected = gradients(expected_model, loss)
    with mode():
        looked = loss(model)
    assert not looked.requires_grad
    found = gradients(model, loss)
    assert set(found) == set(expected)
    assert "distributions.logits.clause1" in found
    for name, gradient in expected.items():
        assert torch.equal(found[name], gradient)
        assert float(gradient.abs().sum()) > 0
    before = float(loss(model).detach())
    torch.optim.SGD(model.parameters(), 0.01).step()
    assert float(loss(model).detach()) < before


def test_nothing_that_is_kept_is_an_inference_tensor() -> None:
    """Whatever a query leaves behind can take part in training."""
    gc.collect()
    before = {id(t) for t in inference_tensors()}
    model = made()
    for loss in (by_query, by_evidence, by_many, by_preparation):
        with torch.inference_mode():
            loss(model)
    gc.collect()
    assert [t for t in inference_tensors() if id(t) not in before] == []
    assert all(not p.is_inference() for p in model.parameters())


def inference_tensors() -> list[torch.Tensor]:
    """All that are alive."""
    return [t for t in gc.get_objects() if type(t) in (torch.Tensor, torch.nn.Parameter) and t.is_inference()]


def test_the_reference_keeps_no_inference_tensors() -> None:
    """The torch reference keeps a plan's indices: they serve gradients after a look in inference mode."""
    from deepplp.circuit import bind
    from deepplp.compilation import compile_formula
    from tests.formulas import NOTHING, chain, random_weights

    plan = bind(compile_formula(chain(2)))
    weights = random_weights(compile_formula(chain(2)), 3)
    with torch.inference_mode():
        looked = evaluate_reference(plan, weights, NOTHING)[1].clone()
    again = weights.clone().requires_grad_()
    found = evaluate_reference(plan, again, NOTHING)[1]
    found.sum().backward()
    assert torch.equal(found.detach(), looked)
    assert again.grad is not None


@modes
@pytest.mark.parametrize("name", ["probs", "log_probs"])
def test_answers_looked_at_without_gradients_still_have_them(mode: Mode, name: str) -> None:
    """What is looked at without gradients, in a log line for example, is no other tensor for the loss."""
    model, expected_model = made(), made()
    expected = getattr(expected_model.query("s(a, 7)", {"a": rows()}), name)
    answers = model.query("s(a, 7)", {"a": rows()})
    with mode():
        str(answers)
        assert torch.equal(getattr(answers, name), expected)
    getattr(answers, name).sum().backward()
    expected.sum().backward()
    pairs = list(zip(model.parameters(), expected_model.parameters(), strict=True))
    assert all(p.grad is not None and torch.equal(p.grad, e.grad) for p, e in pairs)


SUM = "nn(net, [X], Y, [0..2]) :: d(X, Y). s(X, Z, W) :- d(X, A), d(Z, B), W is A + B."


def sums(x: torch.Tensor) -> torch.Tensor:
    """The probabilities of the sums of two outputs of the identity."""
    model = deepplp.Model(Program.from_string(SUM), {"net": torch.nn.Identity()}, cache=False)
    return model.query("s(a, a2, W)", {"a": x, "a2": x.flip(0)}).probs


@torchs_own_warning
@pytest.mark.parametrize("requires_grad", [True, False])
def test_forward_mode_keeps_the_tangent(requires_grad: bool) -> None:
    """A tangent goes through a query, whether the tensor requires gradients or not: it is that of differences."""
    x = torch.softmax(rows()[:, :3].double(), 1)
    tangent = torch.linspace(-1, 1, 15, dtype=torch.float64).reshape(5, 3)
    tangent = tangent - tangent.mean(dim=1, keepdim=True)
    with torch.autograd.forward_ad.dual_level():
        dual = torch.autograd.forward_ad.make_dual(x.clone().requires_grad_(requires_grad), tangent)
        found = torch.autograd.forward_ad.unpack_dual(sums(dual)).tangent
    step = 1e-6
    expected = (sums(x + step * tangent) - sums(x - step * tangent)) / (2 * step)
    assert found is not None
    assert torch.allclose(found.detach(), expected, atol=1e-8)


@torchs_own_warning
def test_transforms_of_functions_are_named() -> None:
    """torch.func's transforms are an error that says what to use instead."""
    x = torch.softmax(rows()[:, :3].double(), 1)
    for transformed in (
        torch.func.grad(lambda t: sums(t).sum()),
        torch.func.jacrev(lambda t: sums(t)),
        lambda t: torch.func.jvp(sums, (t,), (t,)),
        torch.func.vmap(lambda t: sums(t[None])),
    ):
        with pytest.raises(deepplp.DeepPLPError, match=r"network 'net' is differentiated or batched by torch\.func"):
            transformed(x)


def test_an_output_changed_in_place_is_named() -> None:
    """What a query has read must not change before its answers are read: their gradient would be that elsewhere."""
    model = deepplp.Model(Program.from_string(SUM), {"net": torch.nn.Identity()}, cache=False)
    for requires_grad in (True, False):
        x = torch.softmax(rows()[:, :3].double(), 1).requires_grad_(requires_grad) * 1.0
        answers = model.query("s(a, a, W)", {"a": x})
        x.mul_(0.5)
        with pytest.raises(deepplp.DeepPLPError, match="was changed in place after the query"):
            answers.log_probs  # noqa: B018 (a property that works)
