"""The third stage by itself: a circuit and a weight for each value of each choice."""

from __future__ import annotations

from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from deepplp.circuit import Circuit, Plan, bind
from deepplp.errors import InputError, QueryError
from deepplp.evaluation.evaluation import Evaluation

__all__ = ["evaluate_circuit"]

_plans: WeakKeyDictionary[Circuit, Plan] = WeakKeyDictionary()
"""What circuits are evaluated by, made once for each and kept as long as the circuit is."""


def evaluate_circuit(circuit: Circuit, weights: Tensor, *, dtype: torch.dtype = torch.float64) -> Evaluation:
    """Evaluate a circuit: the third stage, from a `Circuit` and weights to probabilities.

    ``weights`` is [columns], or [batch, columns] for many rows: a weight for each value of each choice, those of choice
    0 first, in the order of the formula's choices. Those of a choice should sum to one. The result's ``probs()`` and
    ``log_probs()`` are [batch, queries], given the evidence; ``log_evidence()`` is [batch, 1]. They are differentiable,
    by plain partial derivatives. Rows whose evidence has probability 0 are NaN.

    Raises:
        InputError: the weights are no floating-point tensor, or not as many as the circuit has columns.
        QueryError: there is no such ``dtype``, or what is given is no circuit.

    >>> from deepplp import Program, compile, ground
    >>> formula = ground(Program.from_string("0.3::a. 0.5::b. q :- a. q :- b."), "q")
    >>> evaluate_circuit(compile(formula), torch.tensor([0.3, 0.7, 0.5, 0.5])).probs()
    tensor([[0.6500]], dtype=torch.float64)
    """
    if not isinstance(circuit, Circuit):
        raise QueryError(f"a circuit is evaluated, such as deepplp.compile gives, not a {type(circuit).__name__}")
    if dtype not in (torch.float64, torch.float32):
        raise QueryError(f"answers are torch.float64 or torch.float32, not {dtype}")
    if not isinstance(weights, Tensor) or not weights.is_floating_point():
        kind = str(weights.dtype) if isinstance(weights, Tensor) else type(weights).__name__
        raise InputError(f"weights are a floating-point tensor, not {kind}")
    if weights.ndim not in (1, 2) or weights.shape[-1] != circuit.columns:
        raise InputError(
            f"the weights have shape {list(weights.shape)}; this circuit needs [{circuit.columns}] or [batch, "
            f"{circuit.columns}], one for each value of each choice"
        )
    rows = weights if weights.ndim == 2 else weights.unsqueeze(0)
    plan = _plans.get(circuit)
    if plan is None:
        plan = _plans[circuit] = bind(circuit)
    return Evaluation(plan, rows, rows.new_empty(0), len(rows), dtype=dtype)
