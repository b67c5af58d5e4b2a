"""The walks over a circuit: on the CPU, in Triton, and in torch operations as the reference."""

from deepplp.evaluation.kernels.cpu import rows_are_distributions
from deepplp.evaluation.kernels.cpu_walk import CpuWalk, as_array, stored
from deepplp.evaluation.kernels.reference import ReferenceWalk, evaluate_reference, reference_gradients
from deepplp.evaluation.kernels.triton_walk import Kernels, TritonWalk

__all__ = [
    "CpuWalk",
    "Kernels",
    "ReferenceWalk",
    "TritonWalk",
    "as_array",
    "evaluate_reference",
    "reference_gradients",
    "rows_are_distributions",
    "stored",
]
