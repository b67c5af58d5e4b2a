"""Which device has kernels of its own."""

from __future__ import annotations

import importlib
import importlib.util
import warnings
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from deepplp.circuit import Plan
from deepplp.errors import AcceleratorWarning
from deepplp.evaluation.cuda import cuda_results
from deepplp.evaluation.kernels.reference import reference_results

__all__ = ["disagreement", "kernels_on"]


@cache
def kernels_on(device: torch.device) -> ModuleType | None:
    """The Triton kernels for a GPU; None for other devices, and without Triton.

    Before they are used on a device they must agree with the reference there, on one small circuit. Where they fail or
    disagree, a warning says so, and the reference serves.
    """
    if device.type != "cuda" or importlib.util.find_spec("triton") is None:
        return None
    try:
        kernels = importlib.import_module("deepplp.evaluation.kernels.triton")
        fault = disagreement(kernels, device)
    except Exception as error:  # whatever a compiler or a driver may raise
        fault = f"{type(error).__name__}: {error}".splitlines()[0]
    if fault is None:
        return kernels
    warnings.warn(
        f"deepplp's Triton kernels do not work on {device} ({fault}); torch operations evaluate circuits there, which "
        "takes longer",
        AcceleratorWarning,
        stacklevel=2,
    )
    return None


def disagreement(kernels: Any, device: torch.device) -> str | None:
    """What tells the kernels' results from the reference's on a device; None where nothing does."""
    plan, rows = _trial(), 33  # one row more than a block has lanes
    weights = torch.linspace(0.1, 0.9, rows * plan.width, dtype=torch.float64).to(device)
    common = torch.tensor([0.3, 0.7], dtype=torch.float64).to(device)

    def found(kernel: bool) -> list[Tensor]:
        batched, shared = weights.clone().requires_grad_(), common.clone().requires_grad_()
        arguments = (plan, batched, shared, rows)
        results = cuda_results(*arguments, kernels) if kernel else reference_results(*arguments)
        loss = results[0].sum() + results[1].sum() + results[2].sum()
        return [*(r.detach() for r in results), *torch.autograd.grad(loss, (batched, shared))]

    with torch.inference_mode(False), torch.enable_grad():
        pairs = list(zip(found(True), found(False), strict=True))
    names = ("log-probabilities", "probabilities", "likelihoods of evidence", "gradients", "gradients")
    wrong = [n for n, pair in zip(names, pairs, strict=True) if not torch.allclose(*pair, rtol=1e-9, atol=1e-12)]
    return f"wrong {wrong[0]}" if wrong else None


def _trial() -> Plan:
    """x, x·y and (x + z)·y + z·w given y + w: two levels, two roots, evidence, and weights of both kinds."""

    def array(*numbers: int) -> np.ndarray:
        return np.array(numbers, dtype=np.int64)

    leaf_offsets, offsets = array(0, 1, 2, 4, 5, 6), array(0, 1, 0, 2, 2, 0)  # x, y, x + z, z, w
    strides = array(3, 3, 3, 3, 3, 0)
    # Nodes: 2 = y, 3 = w, 4 = y + w, 5 = x·y, 6 = (x + z)·y + z·w, behind the constants 0 and 1.
    nodes, primes, subs = array(0, 0, 0, 1, 2, 4, 5, 7), array(1, 4, 1, 4, 0, 2, 3), array(1, 1, 1, 1, 2, 2, 3)
    return Plan(
        (3,), leaf_offsets, 0 * offsets, strides, offsets, nodes, primes, subs, array(5, 6, 4), array(2, 2), 3, True
    )
