"""Sums, means and extremes of solutions that are tensors: where all solutions are certain, one tensor."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from deepplp.grounding.aggregates import AggregateFaultError
from deepplp.grounding.target import TRUE_KEY
from deepplp.grounding.tensor_arithmetic import holds_tensor, tensor_number
from deepplp.program import Constant, Term, readable

__all__ = ["tensor_aggregate"]

_MEAN: Final = "avg"
_FUNCTIONS: Mapping[str, str] = MappingProxyType(
    {
        "sum": "+", "sum_list/2": "+", "sumlist/2": "+", _MEAN: "+",
        "max": "max", "max_list/2": "max", "min": "min", "min_list/2": "min",
    }
)  # fmt: skip


def tensor_aggregate(kind: str, solutions: Sequence[tuple[Term, int]], inputs: Collection[str]) -> Term | None:
    """The tensor that an aggregate of a kind is; None where no solution is one, or the kind does not compute.

    A solution is what the template has become, and its node.

    Raises:
        AggregateFaultError: a solution is not certain, so that there would be a tensor for each set of them.
        NoValueError: a solution has no value as arithmetic.

    >>> str(tensor_aggregate("sum", [(Term("t"), 0), (Constant(1), 0)], {"t"}))
    'tensor(t+1)'
    """
    tensor = next((term for term, _ in solutions if holds_tensor(term, inputs)), None)
    if kind not in _FUNCTIONS or tensor is None:
        return None
    if any(node != TRUE_KEY for _, node in solutions):
        raise AggregateFaultError(
            f"computes with the tensor {readable(tensor)}, and not all solutions are certain: that would be a tensor "
            "for each set of them. Compute with certain solutions, or count those that a comparison holds of"
        )
    parts = [term for term, _ in solutions]
    while len(parts) > 1:  # by halves, so that no term nests as deeply as there are solutions
        pairs = zip(parts[::2], parts[1::2], strict=False)
        parts = [_combined(_FUNCTIONS[kind], a, b) for a, b in pairs] + parts[len(parts) & ~1 :]
    whole = parts[0]
    if kind == _MEAN:
        whole = Term("'/'", whole, Constant(len(solutions)), priority=400, opspec="yfx")
    return tensor_number(whole, inputs)


def _combined(function: str, a: Term, b: Term) -> Term:
    return Term("'+'", a, b, priority=500, opspec="yfx") if function == "+" else Term(function, a, b)
