"""Models on a GPU, as far as a machine without one can tell: on a pretended device, which mixes with no other.

Where there is a GPU, the last test uses it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

import deepplp
from deepplp.circuit import bind
from deepplp.compilation import compile_formula
from deepplp.errors import AcceleratorWarning
from deepplp.evaluation import Evaluation, evaluate
from deepplp.evaluation.devices import disagreement, kernels_on
from deepplp.program import Program
from tests.formulas import NOTHING, chain, random_weights
from tests.interpreter import Interpreted
from tests.pretended import PRETENDED, PretendedDevice

pytest.importorskip("triton")
devices_module = sys.modules["deepplp.evaluation.devices"]
evaluate_module = sys.modules["deepplp.evaluation.evaluation"]
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def kernels() -> Interpreted:
    """All tests' interpreted kernels."""
    return Interpreted()


def test_only_gpus_have_triton_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    """The CPU, other devices, and a GPU without Triton have none of them."""
    assert kernels_on(CPU) is None
    assert kernels_on(torch.device("mps")) is None
    monkeypatch.setattr(devices_module.importlib.util, "find_spec", lambda name: None)
    assert kernels_on.__wrapped__(torch.device("cuda:0")) is None


def test_kernels_prove_themselves(kernels: Interpreted) -> None:
    """The trial passes where kernels are right, and says what is wrong where they are not."""
    assert disagreement(kernels, CPU) is None

    class Broken:
        sum_weights, collect_gradients = kernels.sum_weights, kernels.collect_gradients

        class sum_products:  # noqa: N801
            def __class_getitem__(cls, grid: tuple[int, int]) -> Callable[..., None]:
                return lambda *arguments, **options: arguments[7].fill_(0.5)

    assert disagreement(Broken(), CPU) == "wrong log-probabilities"


@pytest.mark.parametrize("fault", ["wrong gradients", RuntimeError("Failed to find C compiler\nand more")])
def test_kernels_that_do_not_work_are_not_used(monkeypatch: pytest.MonkeyPatch, fault: Any) -> None:
    """Where Triton's kernels fail or are wrong, one warning says so, and there are none."""

    def trial(kernels: Any, device: torch.device) -> str:
        if isinstance(fault, str):
            return fault
        raise fault

    monkeypatch.setattr(devices_module, "disagreement", trial)
    expected = re.escape(
        "(wrong gradients)" if fault == "wrong gradients" else "(RuntimeError: Failed to find C compiler)"
    )
    with pytest.warns(AcceleratorWarning, match=rf"do not work on cuda:0 {expected}; torch operations evaluate"):
        assert kernels_on.__wrapped__(torch.device("cuda:0")) is None


# Models on a device.


@pytest.fixture(params=["kernels", "reference"])
def elsewhere(request: pytest.FixtureRequest, kernels: Interpreted, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A device that is there, with Triton's kernels or without."""
    has = kernels if request.param == "kernels" else None
    monkeypatch.setattr(evaluate_module, "kernels_on", lambda device: has if device == PRETENDED else None)
    kernels.launches.clear()
    with PretendedDevice():
        yield
    assert bool(kernels.launches) == (has is not None)


EVERYTHING = """
nn(digit, [X], Y, [0..3]) :: value(X, Y).
nn(coin, [X]) :: heads(X).
nn(code, [X], E) :: vector(X, E).
nn(judge, [R, X]) :: holds(R, X).
t(0.3)::bias. t(_, K)::known(K). 0.25::noise. 0.1::a; t(0.4)::b; t(_)::c.
total(X, Y, S) :- value(X, A), value(Y, B), S is A + B.
P::near(X, Y) :- vector(X, E), vector(Y, F), rbf(E, F, P).
P::low(X) :- vector(X, E), tensor_index(E, 0, Q), mul(Q, 0.5, P).
P::first(X) :- vector(X, E), one_hot(0, 2, F), dot(E, F, P).
odd(X, Y) :- total(X, Y, 1), heads(X), \\+noise.
odd(X, Y) :- total(X, Y, 3), bias, a ; total(X, Y, 3), b, known(X).
likes(X) :- holds(friend, X), \\+c.
seen(X) :- value(tensor(data(3)), 1), heads(X).
"""


def _everything() -> deepplp.Model:
    torch.manual_seed(0)
    networks = {
        "digit": deepplp.Network(torch.nn.Linear(3, 4), "logits", k=3),
        "coin": torch.nn.Sequential(torch.nn.Linear(3, 1), torch.nn.Sigmoid()),
        "code": torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Sigmoid()),
        "judge": deepplp.Network(torch.nn.Bilinear(2, 3, 1), "logits"),
    }
    model = deepplp.Model(Program.from_string(EVERYTHING), networks)
    model.add_embedding("relation", ["friend", "foe"], 2)
    model.add_tensor_source("data", {3: torch.tensor([0.1, 0.5, -1.0])})
    return model


def _inputs(rows: int, device: torch.device) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(rows)
    return {n: torch.randn(r, 3, generator=generator).to(device) for n, r in (("x", rows), ("y", 1))}


def _readings(model: deepplp.Model, device: torch.device, many: bool) -> dict[str, torch.Tensor]:
    """All that can be read from answers to queries that use all of the program; targets and evidence on the CPU."""
    goals = ["total(x, y, S)", "odd(x, y)", "near(x, y)", "low(x)", "first(y)", "likes(x)", "seen(x)", "bias", "b"]
    observed = torch.tensor([1.0, 0.25, 0.5])
    if many:
        queries = [
            deepplp.Query(goals, _inputs(1, device)),
            deepplp.Query("odd(x, y)", _inputs(3, device), {"heads(x)": observed}),
            deepplp.Query("total(x, y, S)", _inputs(1, device), {"bias": True}),
        ]
        answers = list(model.query_many(queries))
    else:
        evidence = {"heads(x)": observed, "heads(y)": torch.tensor([0.3]), "known(x)": True}
        answers = [model.query(goals, _inputs(3, device), evidence=evidence)]
    found = {}
    for i, a in enumerate(answers):
        found |= {f"probs {i}": a.probs, f"log_probs {i}": a.log_probs, f"evidence {i}": a.log_evidence}
        found |= {f"cut {i} {n}": c for n, c in a.cut_mass.items()}
        found[f"target {i}"] = a.log_prob(torch.zeros(len(a.probs), dtype=torch.long))
        found[f"named {i}"] = a.log_prob([a.terms[0]] * len(a.probs))
    return found


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize("many", [False, True])
def test_models_run_on_a_device(many: bool) -> None:
    """A model that was moved to a device answers there, without mixing devices, what it answers on the CPU.

    With the same gradients for all parameters: networks of all kinds, learnable and fixed probabilities, embeddings,
    tensor sources, tensor functions, evidence; one query or many.
    """
    found = []
    for device in (CPU, PRETENDED):
        model = _everything().to(device)
        readings = _readings(model, device, many)
        assert {name: r.device for name, r in readings.items()} == dict.fromkeys(readings, device)
        loss = sum(r.double().masked_fill(torch.isinf(r), 0.0).sum() for r in readings.values())
        loss.backward()
        gradients = {n: p.grad for n, p in model.named_parameters()}
        assert {p.device for p in model.parameters()} == {device}
        assert not [n for n, g in gradients.items() if g is None]
        found.append({n: t.detach().cpu() for n, t in {**readings, **gradients}.items()})
    assert found[0].keys() == found[1].keys()
    for name, expected in found[0].items():
        torch.testing.assert_close(found[1][name], expected, msg=lambda m, name=name: f"{name}: {m}")


@pytest.mark.usefixtures("elsewhere")
def test_networks_alone_on_a_device() -> None:
    """Networks that were moved by themselves have their answers where they are."""
    net = torch.nn.Sequential(torch.nn.Linear(3, 1), torch.nn.Sigmoid()).to(PRETENDED)
    model = deepplp.Model(Program.from_string("nn(net, [X]) :: p(X). t(0.5)::q. r(X) :- p(X), q."), {"net": net})
    answers = model.query("r(x)", {"x": torch.ones(2, 3, device=PRETENDED)})
    assert answers.probs.device == PRETENDED
    answers.log_probs.sum().backward()
    assert all(p.grad is not None for p in model.parameters())
    answers = model.query_many([deepplp.Query("r(x)", {"x": torch.ones(1, 3, device=PRETENDED)})])
    assert answers[0].probs.device == PRETENDED


@pytest.mark.usefixtures("elsewhere")
def test_readings_on_a_device() -> None:
    """Impossible rows are named, results are copies, and an answer that there is not is an error, as on the CPU."""
    circuit = compile_formula(chain(1))
    weights = random_weights(circuit, 3).to(PRETENDED).requires_grad_()
    evaluation = Evaluation(bind(circuit), weights, NOTHING.to(PRETENDED))
    with torch.no_grad():
        assert not evaluation.probs().requires_grad
        evaluation.probs().zero_()
        evaluation.log_probs().zero_()
    expected, _ = evaluate(bind(circuit), random_weights(circuit, 3), NOTHING)
    torch.testing.assert_close(evaluation.log_probs().detach().cpu(), expected)
    chosen = evaluation.selected(torch.zeros(3, dtype=torch.long, device=PRETENDED))
    torch.testing.assert_close(chosen.detach().cpu(), expected[:, 0])
    for wrong in (-1, 1):
        with pytest.raises(IndexError, match=str(wrong)):
            evaluation.selected(torch.tensor([0, wrong, 0], device=PRETENDED))
    model = deepplp.Model(Program.from_string("nn(net, [X]) :: p(X). evidence(p(x))."), {"net": lambda x: x})
    with pytest.raises(deepplp.errors.InconsistentEvidenceError, match="row 1 of the batch"):
        model.to(PRETENDED).query("p(x)", {"x": torch.tensor([0.5, 0.0], device=PRETENDED)})


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu() -> None:
    """A real one: the kernels prove themselves; a model answers as on the CPU, and twice with the same bits."""
    device = torch.device("cuda:0")
    assert kernels_on(device) is not None
    found = []
    for place in (CPU, device, device):
        model = _everything().to(place)
        readings = _readings(model, place, False)
        sum(r.double().masked_fill(torch.isinf(r), 0.0).sum() for r in readings.values()).backward()
        gradients = {n: p.grad for n, p in model.named_parameters() if p.grad is not None}
        found.append({n: t.detach().cpu() for n, t in {**readings, **gradients}.items()})
    for name, expected in found[0].items():
        torch.testing.assert_close(found[1][name], expected, rtol=1e-3, atol=1e-4)
        assert torch.equal(found[1][name], found[2][name]), name
