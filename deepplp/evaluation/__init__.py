"""Circuit and weights → probabilities and gradients: fused kernels for CPU and GPU, and the torch reference behind."""

from typing import TYPE_CHECKING

from deepplp.lazy import loaded_on_use

if TYPE_CHECKING:
    from deepplp.evaluation.evaluation import Evaluation, are_distributions, evaluate
    from deepplp.evaluation.kernels import evaluate_reference
    from deepplp.evaluation.one_row import one_row_probabilities
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
    "one_row_probabilities",
]

if not TYPE_CHECKING:
    __getattr__, __dir__ = loaded_on_use(
        __name__,
        {
            "evaluation": "Evaluation are_distributions evaluate",
            "kernels": "evaluate_reference",
            "one_row": "one_row_probabilities",
            "semirings": "COUNTING LOG MAX_PRODUCT PROBABILITY Semiring evaluate_semiring",
            "stage": "evaluate_circuit",
        },
    )
