"""Circuit and weights → probabilities and gradients: fused kernels for CPU and GPU, and the torch reference behind."""

from deepplp.evaluation.evaluate import Evaluation, are_distributions, evaluate
from deepplp.evaluation.kernels import evaluate_reference
from deepplp.evaluation.semirings import COUNTING, LOG, MAX_PRODUCT, PROBABILITY, Semiring, evaluate_semiring
from deepplp.evaluation.stage import evaluate_circuit

__all__ = [
    "COUNTING",
    "LOG",
    "MAX_PRODUCT",
    "PROBABILITY",
    "Evaluation",
    "Semiring",
    "are_distributions",
    "evaluate",
    "evaluate_circuit",
    "evaluate_reference",
    "evaluate_semiring",
]
