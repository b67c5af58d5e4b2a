"""The Triton kernels in Triton's interpreter: they run where no GPU is."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch

from deepplp.circuit import Plan
from deepplp.evaluation.kernels.triton_walk import TritonWalk
from tests.pretended import PretendedTensor

__all__ = ["KERNELS", "Interpreted", "triton_results"]

KERNELS = "deepplp.evaluation.kernels.triton"


def _interpreted() -> Any:
    """The kernels in Triton's interpreter, as a module that nobody else sees.

    Triton decides to interpret when it is imported, and torch may have imported it: this is another Triton, but for its
    machine code.
    """

    def loaded() -> dict[str, Any]:
        return {n: m for n, m in sys.modules.items() if n.split(".")[0] == "triton" and n[:9] != "triton._C"}

    before = loaded()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRITON_INTERPRET", "1")
        for name in [*before, KERNELS]:
            patch.delitem(sys.modules, name, raising=False)
        module = importlib.import_module(KERNELS)
        for name in [*loaded(), KERNELS]:
            del sys.modules[name]
    return module


class Interpreted:
    """The kernels in Triton's interpreter, for tensors of the CPU and of the pretended device; launches are noted."""

    def __init__(self) -> None:
        self._module = _interpreted()
        self.launches: list[tuple[str, tuple[int, int], tuple[Any, ...], dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Any:
        return _Launcher(self, name)

    def launch(self, name: str, grid: tuple[int, int], arguments: tuple[Any, ...], options: dict[str, Any]) -> None:
        self.launches.append((name, grid, arguments, options))
        plain = [a.held if isinstance(a, PretendedTensor) else a for a in arguments]
        assert all(a.is_contiguous() for a in plain if isinstance(a, torch.Tensor))
        getattr(self._module, name)[grid](*plain, **options)


class _Launcher:
    def __init__(self, kernels: Interpreted, name: str) -> None:
        self._kernels, self._name = kernels, name

    def __getitem__(self, grid: tuple[int, int]) -> Callable[..., None]:
        return lambda *arguments, **options: self._kernels.launch(self._name, grid, arguments, options)


def triton_results(
    plan: Plan, batched: torch.Tensor, shared: torch.Tensor, rows: int, kernels: Interpreted
) -> tuple[torch.Tensor, ...]:
    """Log-probabilities, probabilities and log-probabilities of evidence by these kernels, on whatever device."""
    walk = TritonWalk(plan, batched, shared, rows, kernels, keep=True)
    operation = sys.modules["deepplp.evaluation.evaluation"]._Read
    kinds = ("log_probs", "probs", "log_evidence")
    return tuple(operation.apply(batched, shared, walk, kind, None, torch.float64) for kind in kinds)
