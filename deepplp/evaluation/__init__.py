"""Circuit and weights → probabilities and gradients: a fused CPU kernel, and the torch reference behind it."""

from deepplp.evaluation.evaluate import evaluate
from deepplp.evaluation.plan import Plan, bind
from deepplp.evaluation.reference import evaluate_reference

__all__ = ["Plan", "bind", "evaluate", "evaluate_reference"]
