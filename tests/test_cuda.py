"""Triton's kernels in its interpreter against the CPU kernel and the reference, and what its compiler makes of them."""

from __future__ import annotations

import importlib
import itertools
import math
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from deepplp.circuit import TRUE_NODE, Circuit, Plan, bind, inversion_of, lay_end_to_end, layers_of
from deepplp.compilation import compile_formula
from deepplp.evaluation import Evaluation
from deepplp.evaluation.kernels.triton_walk import launches
from deepplp.evaluation.readings import sums_by
from deepplp.formula import Formula
from tests.formulas import NOTHING, chain, conjunction, random_weights
from tests.interpreter import KERNELS, Interpreted, triton_results
from tests.pretended import PRETENDED, PretendedDevice
from tests.strategies import formulas

pytest.importorskip("triton")
walk_module = sys.modules["deepplp.evaluation.kernels.triton_walk"]
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def kernels() -> Interpreted:
    """All tests' interpreted kernels."""
    return Interpreted()


Results = tuple[torch.Tensor, ...]


def by_cpu(plan: Plan, batched: torch.Tensor, shared: torch.Tensor, rows: int, *, use_kernel: bool = True) -> Results:
    """The three results of the CPU kernel."""
    evaluation = Evaluation(plan, batched, shared, rows, use_kernel=use_kernel, dtype=torch.float64)
    return evaluation.log_probs(), evaluation.probs(), evaluation.log_evidence()


def by_reference(plan: Plan, batched: torch.Tensor, shared: torch.Tensor, rows: int) -> Results:
    """Those of the reference."""
    return by_cpu(plan, batched, shared, rows, use_kernel=False)


def with_gradients(
    function: Callable[..., Results], plan: Plan, batched: torch.Tensor, shared: torch.Tensor, rows: int, *more: Any
) -> list[torch.Tensor]:
    """The three results of an evaluation, and the gradients by both weights of a mixture of each one's finite entries.

    The mixtures are differentiated one by one, so that gradients are rounded to the weights' format once.
    """
    batched, shared = batched.clone().requires_grad_(), shared.clone().requires_grad_()
    results = function(plan, batched, shared, rows, *more)
    gradients: list[torch.Tensor] = []
    for result in results:
        mix = torch.linspace(-1, 2, result.numel(), dtype=torch.float64).reshape(result.shape)
        loss = (mix * result.double().masked_fill(torch.isinf(result), 0.0)).sum()
        loss = loss + 0.0 * (batched.sum() + shared.sum())
        gradients += torch.autograd.grad(loss, (batched, shared), retain_graph=True)
    return [*(r.detach().double() for r in results), *gradients]


def assert_same(
    found: list[torch.Tensor], expected: list[torch.Tensor], by_batched: Any = 1.0, by_shared: Any = 1.0
) -> None:
    """To 1e-12; gradients by the two weights are scaled by these."""
    scales = [1.0] * 3 + [by_batched, by_shared] * 3
    for a, b, scale in zip(found, expected, scales[: len(found)], strict=True):
        torch.testing.assert_close(a.double() * scale, b.double() * scale, rtol=1e-12, atol=1e-12, equal_nan=True)


@settings(max_examples=25)
@given(
    formulas(max_choices=4, max_nodes=8),
    st.sampled_from([0, 1, 2, 33]),
    st.sampled_from(["random", "certain", "tiny", "single"]),
    st.data(),
)
def test_kernels_are_the_cpus_and_the_references(
    kernels: Interpreted, formula: Formula, rows: int, kind: str, data: st.DataObject
) -> None:
    """Triton's kernels, the CPU's and the reference agree to 1e-12, values and gradients.

    For batched and shared weights in several blocks, evidence, certain weights, and rows that underflow.
    """
    circuit = compile_formula(formula)
    weights = random_weights(circuit, rows)
    if kind == "certain":
        weights = (weights == weights.amax(dim=1, keepdim=True)).double()
    elif kind == "tiny":
        weights[::2] *= 1e-120
    widths = np.diff(circuit.column_offsets).tolist()
    is_shared = [data.draw(st.booleans()) for _ in widths]
    plan = _mixed(circuit, is_shared)
    blocks = [b for b, shared in zip(weights.split(widths, dim=1), is_shared, strict=True) if not shared]
    batched = torch.cat([b.reshape(-1) for b in blocks]) if blocks else NOTHING
    common = random_weights(circuit, 1, seed=1)[0]
    if kind == "single":
        batched, common = batched.float(), common.float()
    functions = (by_cpu, by_reference) if kind != "single" else (by_reference,)
    if not torch.isfinite(by_cpu(plan, batched, common, rows)[2]).all():
        found = triton_results(
            plan, batched, common, rows, kernels
        )  # the gradients of impossible evidence are nobody's
        for function in functions:
            assert_same(list(found), list(function(plan, batched, common, rows)))
        return
    # What is left where terms cancel in a gradient is as large as 1 / weight; single ones are rounded to float32.
    scales = (1e-5, 1e-5) if kind == "single" else (batched if kind == "tiny" else 1.0, 1.0)
    found = with_gradients(triton_results, plan, batched, common, rows, kernels)
    for function in functions:
        assert_same(found, with_gradients(function, plan, batched, common, rows), *scales)


def _mixed(circuit: Circuit, is_shared: list[bool]) -> Plan:
    """A circuit some of whose choices read shared weights, and the others a block of batched ones each."""
    column_map = np.zeros(circuit.columns, dtype=np.int64)
    wide, widths = 0, []
    for first, last, shared in zip(circuit.column_offsets[:-1], circuit.column_offsets[1:], is_shared, strict=True):
        columns = np.arange(last - first)
        column_map[first:last] = -first - columns - 1 if shared else wide + columns
        if not shared:
            widths.append(int(last - first))
            wide += int(last - first)
    return bind(circuit, column_map, widths)


def test_circuits_end_to_end(kernels: Interpreted, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many circuits laid end to end are one row of many nodes: wide levels, launched one by one."""
    circuit = compile_formula(chain(1))
    shared = bind(circuit, -np.arange(circuit.columns) - 1, [])
    copies = 40
    plan = lay_end_to_end(
        [shared] * copies, [np.arange(circuit.columns) + i % 3 * circuit.columns for i in range(copies)]
    )
    common = random_weights(circuit, 3).reshape(-1)
    monkeypatch.setattr(walk_module, "_TILE", 16)
    kernels.launches.clear()
    found = with_gradients(triton_results, plan, NOTHING, common, 1, kernels)
    assert any(name == "sum_products" and grid[0] > 1 for name, grid, _, _ in kernels.launches)
    assert_same(found, with_gradients(by_cpu, plan, NOTHING, common, 1))


@pytest.mark.parametrize("rows", [1, 31, 40, 97])
def test_chunks_of_rows(kernels: Interpreted, monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    """Rows taken in chunks, and values computed again for backward, have the bits of rows taken at once."""
    circuit = compile_formula(chain(1))
    weights = random_weights(circuit, rows)
    weights[3:8] *= 1e-97  # and rows that the reference evaluates: their roots are about 1e-291
    shared = random_weights(circuit, 1, seed=1)[0]
    plan = bind(circuit, np.where(np.arange(circuit.columns) < 10, -np.arange(circuit.columns) - 1,
                                  np.arange(circuit.columns) - 10), [circuit.columns - 10])  # fmt: skip
    batched = weights[:, 10:].contiguous()
    at_once = with_gradients(triton_results, plan, batched, shared, rows, kernels)
    assert_same(at_once, with_gradients(by_cpu, plan, batched, shared, rows), batched)
    monkeypatch.setattr(walk_module, "_BUFFER_BYTES", 0)
    kernels.launches.clear()
    in_chunks = with_gradients(triton_results, plan, batched, shared, rows, kernels)
    assert [name for name, *_ in kernels.launches].count("collect_gradients") == 3 * -(-rows // 32)
    for a, b in zip(at_once, in_chunks, strict=True):
        assert torch.equal(a, b)


def test_underflow(kernels: Interpreted) -> None:
    """A conjunction of rare facts has a finite log-probability and gradient, in rows among others that need no care."""
    n = 170  # the probability is 1e-340, smaller than any float64
    circuit = compile_formula(conjunction(n))
    weights = torch.full((3, circuit.columns), 0.01, dtype=torch.float64)
    weights[1] = 0.999
    weights.requires_grad_()
    log_probs, probs, _ = triton_results(bind(circuit), weights, NOTHING, 3, kernels)
    expected = [n * math.log(0.01), n * math.log(0.999), n * math.log(0.01)]
    torch.testing.assert_close(log_probs[:, 0], torch.tensor(expected, dtype=torch.float64), rtol=1e-13, atol=0)
    assert probs[0] == 0
    (gradient,) = torch.autograd.grad(log_probs.sum(), weights)
    first = gradient[:, ::2]
    torch.testing.assert_close(first, (1 / weights.detach())[:, ::2], rtol=1e-12, atol=0)


def test_second_derivatives(kernels: Interpreted) -> None:
    """torch's own check of first and second derivatives, and one result may be differentiated twice over."""
    circuit = compile_formula(conjunction(3))
    plan = _mixed(circuit, [True, False, False])
    blocks = torch.cat([b.reshape(-1) for b in random_weights(circuit, 2)[:, 2:].split(2, dim=1)]).requires_grad_()
    shared = random_weights(circuit, 1)[0, :2].clone().requires_grad_()

    def function(b: torch.Tensor, s: torch.Tensor) -> torch.Tensor:
        return triton_results(plan, b, s, 2, kernels)[1]

    assert torch.autograd.gradcheck(function, (blocks, shared))
    assert torch.autograd.gradgradcheck(function, (blocks, shared))
    log_probs, _, _ = triton_results(plan, blocks, shared, 2, kernels)
    (once,) = torch.autograd.grad(log_probs.sum(), blocks, retain_graph=True)
    (again,) = torch.autograd.grad(log_probs.sum(), blocks)
    assert torch.equal(once, again)


def test_weights_that_change_in_between_are_an_error(kernels: Interpreted) -> None:
    """Weights that are overwritten between forward and backward are noticed: no silently wrong gradient."""
    circuit = compile_formula(chain(1))
    scaled = random_weights(circuit, 2).requires_grad_() * 1.0
    log_probs, _, _ = triton_results(bind(circuit), scaled, NOTHING, 2, kernels)
    with torch.no_grad():
        scaled.mul_(0.5)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        log_probs.sum().backward()


@given(st.lists(st.integers(0, 200), max_size=30), st.sampled_from([1, 8, 32]))
def test_launches_walk_every_level_once(widths: list[int], nodes: int) -> None:
    """Launches cover all levels that have nodes, in order; one of several levels has one program.

    No program has more tiles than are worth a launch, and every tile of a wide level has a program.
    """
    made = launches(widths, nodes)
    covered = [level for first, last, _ in made for level in range(first, last)]
    assert covered == sorted(set(covered))
    assert {i for i, w in enumerate(widths) if w} <= set(covered)
    for first, last, programs in made:
        tiles = max(-(-w // nodes) for w in widths[first:last])
        if programs == 1:
            assert tiles <= walk_module._TILES_A_PROGRAM
        else:
            assert last == first + 1
            assert programs == tiles
    assert all(a[2] > 1 or b[2] > 1 for a, b in itertools.pairwise(made) if a[1] == b[0])


@given(formulas())
def test_layers_and_inversions(formula: Formula) -> None:
    """Every element stands in the layers once, below its node's level, and every use of it in the inversion once."""
    circuit = compile_formula(formula)
    shared = np.arange(circuit.columns) % 3 == 0
    plan = bind(circuit, np.where(shared, -np.arange(circuit.columns) - 1, np.arange(circuit.columns)))
    bounds, layered = layers_of(plan)
    arrays = layered.arrays
    level = np.repeat(np.arange(len(bounds) - 1), np.diff(bounds))
    users = np.repeat(np.arange(plan.nodes), np.diff(arrays.node_offsets))
    assert (level[arrays.subs] < level[users]).all()
    assert bounds[1] == 2
    sizes = np.diff(arrays.node_offsets)
    assert all((np.diff(sizes[a:b]) <= 0).all() for a, b in itertools.pairwise(bounds))
    for seen in (plan, layered):
        _check_inversion(seen)


def _check_inversion(plan: Plan) -> None:
    """The uses of nodes and leaves are the elements, those of weights the leaves' entries, all in order."""
    arrays, uses = plan.arrays, inversion_of(plan).arrays
    parents = np.repeat(np.arange(plan.nodes), np.diff(arrays.node_offsets))
    elements = sorted(zip(parents, arrays.primes, arrays.subs, strict=True))
    subs = np.repeat(np.arange(plan.nodes), np.diff(uses.node_offsets))
    roots = [(plan.nodes + r, plan.leaves + TRUE_NODE, s) for r, s in enumerate(arrays.roots)]
    assert sorted(zip(uses.node_parents, uses.node_cofactors, subs, strict=True)) == sorted([*elements, *roots])
    primes = np.repeat(np.arange(plan.leaves), np.diff(uses.leaf_offsets))
    assert sorted(zip(uses.leaf_parents, primes, uses.leaf_subs, strict=True)) == elements
    weights = np.repeat(uses.weights, np.diff(uses.weight_offsets))
    leaf = np.repeat(np.arange(plan.leaves), np.diff(arrays.leaf_offsets))
    entries = list(zip(arrays.strides, arrays.bases + arrays.offsets, leaf, strict=True))
    read = zip(arrays.strides[weights], (arrays.bases + arrays.offsets)[weights], uses.weight_leaves, strict=True)
    assert sorted(read) == sorted(entries)
    kinds = [(arrays.strides[w] == 0, arrays.bases[w] + arrays.offsets[w]) for w in uses.weights]
    assert kinds == sorted(set(kinds)), "each weight once, those of a row first"


def test_sums_in_order() -> None:
    """Sums by place are those of ``index_add`` on every device, and so are their derivatives."""
    generator = torch.Generator().manual_seed(0)
    place = torch.randint(4, (30,), generator=generator)
    start = torch.randn(3, 30, generator=generator, dtype=torch.float64)
    found = []
    with PretendedDevice():
        for device in (CPU, PRETENDED):
            x = start.to(device).requires_grad_()
            sums = sums_by(x, place.to(device), 5)
            (gradient,) = torch.autograd.grad((sums**2).sum(), x)
            found.append((sums.detach().cpu(), gradient.cpu()))
    torch.testing.assert_close(*found)


# The machine code, for GPUs that are not here.

AMPERE, HOPPER, INSTINCT = ("cuda", 80, 32), ("cuda", 90, 32), ("hip", "gfx90a", 64)
TYPES = {torch.int32: "*i32", torch.float64: "*fp64", torch.float32: "*fp32", torch.bfloat16: "*bf16"}


def _signature(
    kernel: Any, arguments: tuple[Any, ...], options: dict[str, Any]
) -> tuple[dict[str, str], dict[str, Any]]:
    """The types of a launch's arguments, and those that Triton makes constants: its own, and a number that is 1."""
    types: dict[str, str] = {}
    constants = {name: options[name] for name in ("lanes", "nodes")}
    for parameter, value in zip(kernel.params, arguments, strict=False):
        if isinstance(value, torch.Tensor):
            types[parameter.name] = TYPES[value.dtype]
        elif value == 1 and not parameter.do_not_specialize:
            constants[parameter.name] = 1
        else:
            types[parameter.name] = "i32"
    assert types.keys() | constants.keys() == set(kernel.arg_names)
    return {name: types.get(name, "constexpr") for name in kernel.arg_names}, constants


@pytest.mark.parametrize(
    ("target", "dtype", "rows"),
    [
        (AMPERE, torch.float32, 33),
        (AMPERE, torch.float64, 1),
        (HOPPER, torch.bfloat16, 33),
        (INSTINCT, torch.float32, 33),
    ],
)
def test_kernels_compile(
    kernels: Interpreted,
    target: tuple[Any, ...],
    dtype: torch.dtype,
    rows: int,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Triton makes machine code for every launch: no atomics, all reads coherent, and a barrier between levels."""
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource
    from triton.compiler import compile as compiled_for

    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    compiled = importlib.import_module(KERNELS)
    circuit = compile_formula(conjunction(2))
    weights = random_weights(circuit, rows, dtype=dtype).requires_grad_()
    kernels.launches.clear()
    triton_results(bind(circuit), weights, NOTHING, rows, kernels)[0].sum().backward()
    made: dict[tuple[Any, ...], Any] = {}
    for name, _, arguments, options in kernels.launches:
        signature, constants = _signature(getattr(compiled, name), arguments, options)
        key = (name, *signature.values())
        if key not in made:
            rest = {k: v for k, v in options.items() if k not in constants}
            source = ASTSource(getattr(compiled, name), signature, constants)
            made[key] = compiled_for(source, target=GPUTarget(*target), options=rest).asm
    assert {name for name, *_ in made} == {"sum_products", "sum_weights", "collect_gradients"}
    for (name, *_), asm in made.items():
        code = asm["ptx" if target[0] == "cuda" else "amdgcn"]
        assert "f64" in code
        assert not re.search(r"\b(atom|red)\.|atomic|ld\.global\.nc", code)
        if name == "sum_products":
            assert ("bar.sync" if target[0] == "cuda" else "s_barrier") in code
