"""Circuit and weights → probabilities and gradients: fused kernels for CPU and GPU, and the torch reference behind."""

from deepplp.evaluation.evaluate import Evaluation, are_distributions, evaluate
from deepplp.evaluation.kernels.reference import evaluate_reference

__all__ = ["Evaluation", "are_distributions", "evaluate", "evaluate_reference"]
