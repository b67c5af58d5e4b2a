"""What a call says it knows: evidence as truth values for all rows, or as tensors of them, row by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from deepplp.errors import QueryError
from deepplp.grounding import truth_value

__all__ = ["check_given_once", "checked_evidence"]


def checked_evidence(evidence: Mapping[str, bool | Tensor]) -> dict[str, bool | Tensor]:
    """Evidence as truth values, and as tensors [batch] of probabilities."""
    if not isinstance(evidence, Mapping):
        raise QueryError(f"evidence is a mapping such as {{'alarm(a)': True}}, not a {type(evidence).__name__}")
    checked: dict[str, bool | Tensor] = {}
    for term, value in evidence.items():
        if not isinstance(term, str):
            raise QueryError(f"evidence is for atoms such as 'alarm(a)', not for {term!r}")
        holds = truth_value(value)
        if holds is not None:
            checked[term] = holds
        elif isinstance(value, (Tensor, np.ndarray)):
            checked[term] = _observation(term, torch.as_tensor(value))
        else:
            raise QueryError(
                f"the evidence for {term} must be True or False (1 or 0), or a tensor [batch] of truth values or "
                f"probabilities, not {value!r}"
            )
    return checked


def check_given_once(observed: Sequence[str]) -> None:
    """Raise where tensors say an atom twice, spelt in two ways: one of them would count for nothing."""
    for number, term in enumerate(observed):
        if term in observed[:number]:
            raise QueryError(f"two tensors are given as evidence for {term}, spelt in two ways; give one")


def _observation(term: str, value: Tensor) -> Tensor:
    """Evidence as a tensor [batch] of truth values, integers 0 and 1 included, or probabilities."""
    if value.ndim != 1:
        raise QueryError(f"the evidence for {term} has shape {list(value.shape)}; it must be [batch]")
    if value.is_complex():
        raise QueryError(f"the evidence for {term} must be truth values or probabilities, not {value.dtype}")
    likelihood = value if value.is_floating_point() else value.double()
    low, high = (float(x) for x in torch.aminmax(likelihood.detach())) if len(value) else (0.0, 1.0)
    if not (low >= 0.0 and high <= 1.0):
        raise QueryError(f"the evidence for {term} must lie between 0 and 1; it goes from {low:.6g} to {high:.6g}")
    return likelihood
