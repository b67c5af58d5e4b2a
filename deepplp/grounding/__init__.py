"""`Program` and query → `Formula`: an and/or/not graph over categorical choices, which may be cyclic."""

from deepplp.grounding.ground_budget import GroundBudget
from deepplp.grounding.grounder import Grounder, GrounderName, Grounding, ground, is_reserved, reserved_signatures
from deepplp.grounding.hints import hint_for
from deepplp.grounding.impossible import ArgumentValues, impossible_goals
from deepplp.grounding.python_predicates import PythonFunction, to_python
from deepplp.grounding.question import truth_value
from deepplp.grounding.question_faults import stated_faults
from deepplp.grounding.tensor_arithmetic import (
    TENSOR_ARITHMETIC,
    TENSOR_COMPARISONS,
    ArithmeticStep,
    is_arithmetic,
    tensor_expression,
)
from deepplp.grounding.tensor_predicates import TENSOR_SIGNATURES
from deepplp.grounding.tensor_tests import number_faults, start_value

__all__ = [
    "TENSOR_ARITHMETIC",
    "TENSOR_COMPARISONS",
    "TENSOR_SIGNATURES",
    "ArgumentValues",
    "ArithmeticStep",
    "GroundBudget",
    "Grounder",
    "GrounderName",
    "Grounding",
    "PythonFunction",
    "ground",
    "hint_for",
    "impossible_goals",
    "is_arithmetic",
    "is_reserved",
    "number_faults",
    "reserved_signatures",
    "start_value",
    "stated_faults",
    "tensor_expression",
    "to_python",
    "truth_value",
]
