"""Circuit and weights → probabilities and gradients: fused kernels for CPU and GPU, and the torch reference behind."""

from deepplp.evaluation.evaluate import Evaluation, are_distributions, evaluate
from deepplp.evaluation.plan import Plan, bind, lay_end_to_end
from deepplp.evaluation.reference import evaluate_reference

__all__ = ["Evaluation", "Plan", "are_distributions", "bind", "evaluate", "evaluate_reference", "lay_end_to_end"]
