"""Which device has kernels of its own."""

from __future__ import annotations

import importlib
import importlib.util
import warnings
from functools import cache

import numpy as np
import torch
from torch import Tensor

from deepplp.circuit import Plan, PlanArrays, pack
from deepplp.errors import AcceleratorWarning
from deepplp.evaluation.kernels import Kernels, ReferenceWalk, TritonWalk
from deepplp.evaluation.readings import Kind

__all__ = ["disagreement", "kernels_on"]


@cache
def kernels_on(device: torch.device) -> Kernels | None:
    """The Triton kernels for a GPU; None for other devices, and without Triton.

    Before they are used on a device they must agree with the reference there, on one small circuit. Where they fail or
    disagree, a warning says so, and the reference serves.
    """
    if device.type != "cuda" or importlib.util.find_spec("triton") is None:
        return None
    try:
        kernels: Kernels = importlib.import_module("deepplp.evaluation.kernels.triton")
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


def disagreement(kernels: Kernels, device: torch.device) -> str | None:
    """What tells the kernels' results from the reference's on a device; None where nothing does."""
    plan, rows = _trial(), 33  # one row more than a block has lanes
    weights = torch.linspace(0.1, 0.9, rows * plan.width, dtype=torch.float64).to(device)
    common = torch.tensor([0.3, 0.7], dtype=torch.float64).to(device)
    names: dict[Kind, str] = {
        "log_probs": "log-probabilities", "probs": "probabilities", "log_evidence": "likelihoods of evidence"
    }  # fmt: skip
    with torch.inference_mode(False), torch.enable_grad():
        batched, shared = weights.requires_grad_(), common.requires_grad_()
        walk = TritonWalk(plan, batched, shared, rows, kernels, keep=True)
        reference = ReferenceWalk(plan, batched, shared, rows)
        for kind, name in names.items():
            found, expected = walk.read(kind, None, torch.float64), reference.read(kind, None, torch.float64)
            if not _close(found, expected):
                return f"wrong {name}"
            right = torch.autograd.grad(expected.sum(), (batched, shared), retain_graph=True)
            derivatives = walk.derivatives(kind, None, torch.ones_like(found), (True, True))
            if not all(g is not None and _close(g, r.reshape(-1)) for g, r in zip(derivatives, right, strict=True)):
                return "wrong gradients"
    return None


def _close(found: Tensor, expected: Tensor) -> bool:
    return torch.allclose(found, expected, rtol=1e-9, atol=1e-12)


def _trial() -> Plan:
    """x·y, (x + z)·y + z·w and (x·y)·w + z·y given y + w: three levels, evidence, a product of two nodes."""

    def array(*numbers: int) -> np.ndarray:
        return np.array(numbers, dtype=np.int64)

    # Nodes: 2 = y, 3 = w, 4 = y + w, 5 = x·y, 6 = (x + z)·y + z·w, 7 = (x·y)·w + z·y, behind the constants 0 and 1.
    arrays = PlanArrays(
        leaf_offsets=array(0, 1, 2, 4, 5, 6),  # x, y, x + z, z, w
        bases=array(0, 0, 0, 0, 0, 0),
        strides=array(3, 3, 3, 3, 3, 0),
        offsets=array(0, 1, 0, 2, 2, 0),
        node_offsets=array(0, 0, 0, 1, 2, 4, 5, 7, 9),
        primes=array(1, 4, 1, 4, 0, 2, 3, 5 + 5, 3),
        subs=array(1, 1, 1, 1, 2, 2, 3, 3, 2),
        roots=array(5, 6, 7, 4),
        given=array(3, 3, 3),
    )
    return Plan((3,), pack([[a] for a in arrays]), 3, True)
