"""`Program` and query → `Formula`: an and/or/not graph over categorical choices, which may be cyclic."""

from deepplp.grounding.budget import GroundBudget, check_limits
from deepplp.grounding.formula import (
    FALSE,
    TRUE,
    And,
    Atom,
    Choice,
    Computed,
    Fixed,
    Formula,
    Goal,
    Learnable,
    Neural,
    Node,
    Observed,
    Or,
    Source,
)
from deepplp.grounding.functions import PythonFunction, to_python
from deepplp.grounding.ground import Grounder, ground, is_reserved
from deepplp.grounding.hints import hint_for
from deepplp.grounding.inspection import calls_of, constants_of, loads_modules, probability_faults, variables_of
from deepplp.grounding.order import standard_order_key
from deepplp.grounding.tensors import TENSOR_SIGNATURES

__all__ = [
    "FALSE",
    "TENSOR_SIGNATURES",
    "TRUE",
    "And",
    "Atom",
    "Choice",
    "Computed",
    "Fixed",
    "Formula",
    "Goal",
    "GroundBudget",
    "Grounder",
    "Learnable",
    "Neural",
    "Node",
    "Observed",
    "Or",
    "PythonFunction",
    "Source",
    "calls_of",
    "check_limits",
    "constants_of",
    "ground",
    "hint_for",
    "is_reserved",
    "loads_modules",
    "probability_faults",
    "standard_order_key",
    "to_python",
    "variables_of",
]
