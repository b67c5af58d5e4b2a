"""`Program` and query → `Formula`: an and/or/not graph over categorical choices, which may be cyclic."""

from deepplp.grounding.ground_budget import GroundBudget
from deepplp.grounding.grounder import Grounder, GrounderName, Grounding, ground, is_reserved, reserved_signatures
from deepplp.grounding.hints import hint_for
from deepplp.grounding.python_predicates import PythonFunction, to_python
from deepplp.grounding.tensor_predicates import TENSOR_SIGNATURES

__all__ = [
    "TENSOR_SIGNATURES",
    "GroundBudget",
    "Grounder",
    "GrounderName",
    "Grounding",
    "PythonFunction",
    "ground",
    "hint_for",
    "is_reserved",
    "reserved_signatures",
    "to_python",
]
